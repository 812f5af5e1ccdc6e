using SeparableConv.Activations;
using SeparableConv.Networks.Rewriting;

namespace SeparableConv.Networks;

/// <summary>
/// Builds a network layer by layer, in Keras's words: each method is a layer, takes what it reads and returns what it computes.
/// </summary>
/// <remarks>
/// Shapes are checked as each layer is added; what does not fit throws <see cref="NetworkException"/>, whose message names the
/// layer. Images are (N, height, width, channels). First weights come from a seed and are the same on every machine: kernels Glorot
/// uniform, biases 0, batch normalization gamma 1, beta 0, mean 0, variance 1. A layer without a name is called as Keras calls it:
/// <c>conv2d</c>, <c>conv2d_1</c>; its weights are <c>conv2d/kernel</c>, <c>conv2d/bias</c>.
/// </remarks>
/// <example><code>
/// var net = new NetworkBuilder();
/// var image = net.Input(new(96, 96, 3));
/// var x = net.Conv2D(image, 16, 3, strides: 2, padding: Padding.Same, useBias: false);
/// x = net.ReLU(net.BatchNormalization(x), maxValue: 6);
/// x = net.SeparableConv2D(x, 32, 3, padding: Padding.Same, activation: Activation.ReLU);
/// x = net.GlobalAveragePooling2D(x);
/// x = net.Dense(x, 10, Activation.Softmax);
/// Network network = net.Build(x);
/// </code></example>
public sealed partial class NetworkBuilder
{
    private readonly GraphBuilder _graph = new();
    private readonly HashSet<Value> _values = [];
    private readonly HashSet<string> _names = [];
    private readonly Dictionary<string, int> _unnamed = [];
    private readonly WeightStream _weights;

    /// <summary>Begins a network.</summary>
    /// <param name="seed">What the first weights are drawn from: the same seed and the same layers give the same network.</param>
    public NetworkBuilder(int seed = 0) => _weights = new WeightStream(seed);

    /// <summary>What the network is given: float32 (batchSize, shape...).</summary>
    /// <param name="shape">Without the batch: (height, width, channels) for images.</param>
    /// <param name="batchSize">N, 1 or more.</param>
    /// <param name="name">Its name; <c>input</c> by default.</param>
    /// <returns>The input.</returns>
    /// <exception cref="NetworkException">A length is not positive, or the name is taken.</exception>
    public Value Input(TensorShape shape, int batchSize = 1, string? name = null)
    {
        name = Name(name, "input", "Input");
        foreach (var length in shape.Lengths)
            CheckPositive(name, "Input", "a length of the shape", length);
        CheckPositive(name, "Input", "batchSize", batchSize);
        var value = Checked(
            name, "Input", () => _graph.Input(name, new TensorType(ElementType.Float32, new TensorShape([batchSize, .. shape.Lengths]))));
        _values.Add(value);
        return value;
    }

    /// <summary>The network that computes a value.</summary>
    /// <param name="output">What running it gives; layers that it does not need are left out.</param>
    /// <param name="name">The network's name.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">The value comes from another builder.</exception>
    public Network Build(Value output, string name = "network") => Build([output], name);

    /// <summary>The network that computes several values.</summary>
    /// <param name="outputs">What running it gives, at least one; layers that none of them needs are left out.</param>
    /// <param name="name">The network's name.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">There is no output, or one comes from another builder.</exception>
    public Network Build(ReadOnlySpan<Value> outputs, string name = "network")
    {
        ArgumentNullException.ThrowIfNull(name);
        if (outputs.IsEmpty)
            throw new NetworkException($"Network '{name}' has no output; give at least one.");
        foreach (var output in outputs)
            CheckOwn(output, name, "Network");
        return _graph.BuildWithParameters(name, outputs);
    }

    private static void CheckPositive(string name, string layer, string argument, long value)
    {
        if (value < 1)
            throw Refusal(name, layer, $"{argument} is {value}; it must be at least 1.");
    }

    private static void CheckSize(string name, string layer, string argument, Size2D value)
    {
        if (value.Height < 1 || value.Width < 1)
            throw Refusal(name, layer, $"{argument} is {value}; both sides must be at least 1.");
    }

    private static NetworkException Refusal(string name, string layer, string message, Exception? cause = null)
    {
        var line = $"In node '{name}' ({layer}): {message}";
        return cause is null ? new(line) : new(line, cause);
    }

    // What an operator's constructor or a shape refuses is told with the layer's name, as what its inputs refuse is.
    private static T Checked<T>(string name, string layer, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw Refusal(name, layer, e.Message, e);
        }
    }

    /// <summary>The name given, which must be new, or the next in the row of Keras's: conv2d, conv2d_1, ...</summary>
    private string Name(string? given, string usual, string layer)
    {
        if (given is not null)
        {
            if (given.Length == 0 || !_names.Add(given))
                throw Refusal(
                    given,
                    layer,
                    given.Length == 0 ? "the name is empty; leave it out or give one." : "the name is taken; every layer needs its own.");
            return given;
        }

        var count = _unnamed.GetValueOrDefault(usual);
        string name;
        do
            name = count == 0 ? usual : $"{usual}_{count}";
        while (!_names.Add(name) && ++count > 0);
        _unnamed[usual] = count + 1;
        return name;
    }

    private Value Append(string name, Operator op, params ReadOnlySpan<Value?> inputs)
    {
        // The slopes of a PReLU are parameters: they stand in the graph, and a layer takes them over when the network is compiled.
        var value = ActivationSplitting.Split(op) is (var sums, { Function.Kind: ActivationKind.PReLU } activation)
            ? _graph.Add(
                name,
                new PReluOperator(),
                sums is null ? inputs[0] : _graph.Add($"{name}/sums", sums, inputs),
                _graph.Constant($"{name}/alpha", TensorData.Create(activation.Slopes.ToArray(), activation.Slopes.Length)))
            : _graph.Add(name, op, inputs);
        _values.Add(value);
        return value;
    }

    private void CheckOwn(Value value, string name, string layer)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (!_values.Contains(value))
            throw Refusal(name, layer, $"'{value.Name}' comes from another builder; a network is built by one.");
    }

    /// <summary>The shape of an input that must be an image.</summary>
    private TensorShape Image(Value x, string name, string layer)
    {
        CheckOwn(x, name, layer);
        return x.Shape.Rank == 4 ? x.Shape : throw Refusal(
            name, layer, $"the input '{x.Name}' is {x.Type}; expected 4 dimensions (N, height, width, channels).");
    }

    /// <summary>A dimension counted from the front; below 0 it is given from the back.</summary>
    private int Axis(Value x, int axis, string name, string layer)
    {
        CheckOwn(x, name, layer);
        var rank = x.Shape.Rank;
        if (axis < -rank || axis >= rank)
            throw Refusal(name, layer, $"axis is {axis}; the input {x.Shape} has dimensions {-rank} to {rank - 1}.");
        return axis < 0 ? axis + rank : axis;
    }

    private Value Weights(string name, string layer, string what, Initializer initializer, int[] shape, bool isDepthwise = false) =>
        _graph.Constant($"{name}/{what}", Checked(name, layer, () => _weights.Next(initializer, new TensorShape(shape), isDepthwise)));

    private Value Vector(string name, string what, int length, float value)
    {
        var values = new float[length];
        Array.Fill(values, value);
        return _graph.Constant($"{name}/{what}", TensorData.Create(values, length));
    }
}
