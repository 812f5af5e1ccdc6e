namespace SeparableConv.Tests.Networks.Inference;

/// <summary>A few words to write small networks with.</summary>
internal sealed class GraphSketch
{
    private readonly GraphBuilder _graph = new();
    private int _seed;

    public Value Input(params ReadOnlySpan<int> shape) => _graph.Input("x", new TensorType(ElementType.Float32, new TensorShape(shape)));

    /// <summary>A constant of random numbers between -1 and 1.</summary>
    public Value Random(params int[] shape) =>
        Constant(RandomData.Floats(shape.Aggregate(1, (a, b) => a * b), ++_seed), shape);

    /// <summary>A constant of random numbers between 1/2 and 3/2.</summary>
    public Value Positive(params int[] shape) =>
        Constant(Array.ConvertAll(RandomData.Floats(shape.Aggregate(1, (a, b) => a * b), ++_seed), number => 1 + (number / 2)), shape);

    public Value Constant(float[] values, params int[] shape) => _graph.Constant("c", TensorData.Create(values, shape));

    public Value Add(Operator op, params ReadOnlySpan<Value?> inputs) => _graph.Add(op.Kind, op, inputs);

    public Node AddNode(Operator op, params ReadOnlySpan<Value?> inputs) => _graph.AddNode(op.Kind, op, inputs);

    public Value Conv(Value x, int size, int outChannels, ConvOptions? options = null, bool bias = true) =>
        Add(
            new Conv2DOperator(options ?? new()),
            x,
            Random(size, size, x.Shape[3] / (options?.Groups ?? 1), outChannels),
            bias ? Random(outChannels) : null);

    public Value Depthwise(Value x, int size, int multiplier = 1, ConvOptions? options = null, bool bias = true) =>
        Add(
            new DepthwiseConv2DOperator(options ?? new()),
            x,
            Random(size, size, x.Shape[3], multiplier),
            bias ? Random(x.Shape[3] * multiplier) : null);

    /// <summary>The channels of an image that are named.</summary>
    public Value Channels(Value x, params long[] channels) =>
        Add(new GatherOperator(3), x, _graph.Constant("channels", TensorData.Create(channels, channels.Length)));

    /// <summary>A batch normalization of random numbers.</summary>
    public Value Normalized(Value x)
    {
        var channels = x.Shape[^1];
        return Add(
            new BatchNormalizationOperator(1e-3f), x, Positive(channels), Random(channels), Random(channels), Positive(channels));
    }

    /// <summary>The network that computes these.</summary>
    public Network Build(params ReadOnlySpan<Value> outputs) => _graph.BuildWithParameters("sketch", outputs);

    /// <summary>Compiles, compares with the nodes one by one, and tells the kinds of the steps that are left.</summary>
    public string Check(params ReadOnlySpan<Value> outputs) => string.Join(' ', CompiledComparison.Check(Build(outputs)));
}
