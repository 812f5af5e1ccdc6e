using SeparableConv.Networks;
using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Operators;
using SeparableConv.Networks.Rewriting;

namespace SeparableConv.Bench;

/// <summary>
/// Quantizes a float network after its training, as ONNX Runtime's own tool does it: DequantizeLinear and QuantizeLinear around the float
/// operators. Activations have one scale and zero point, from the range seen in a run; weights are int8, symmetric, one scale an
/// output channel; biases are int32 in the unit of the sums. A clamp that the range of the bytes implies is left out.
/// </summary>
/// <remarks>
/// Convolutions, dense layers, additions and means over the image are quantized. The last quantized value is a second output, "steps".
/// </remarks>
internal sealed class PostTraining
{
    private readonly GraphBuilder _graph = new();
    private readonly Dictionary<Value, Value> _values = [];
    private readonly Dictionary<Value, TensorData> _data = [];
    private readonly Dictionary<Value, (float Scale, int ZeroPoint)> _quantized = [];
    private readonly ElementType _element;
    private Value? _last;

    private PostTraining(ElementType element) => _element = element;

    /// <summary>The network between quantizations, and the scale of its second output.</summary>
    /// <param name="network">A float network of one input.</param>
    /// <param name="element">int8 or uint8, for activations.</param>
    public static (Network Network, float Step) Quantize(Network network, ElementType element)
    {
        network = new ActivationSplitting().Run(new AffineFolding().Run(new Simplification().Run(new Freezing().Run(network))));
        var quantizer = new PostTraining(element);
        return quantizer.Run(network);
    }

    private (Network Network, float Step) Run(Network network)
    {
        var input = network.Inputs.Single();
        var numbers = BenchData.Floats((int)input.Type.Shape.ElementCount, 2);
        _data[input] = new TensorData(input.Type, numbers);
        _values[input] = Through(_graph.Input(input.Name, input.Type), numbers);
        var readers = network.Nodes
            .SelectMany(node => node.Inputs.Where(value => value is not null).Select(value => (Value: value!, Node: node)))
            .ToLookup(pair => pair.Value, pair => pair.Node);
        foreach (var node in network.Nodes)
        {
            var results = Evaluator.Run(node.Operator, [.. node.Inputs.Select(value => value is null ? null : value.Data ?? _data[value])]);
            for (var i = 0; i < results.Length; i++)
                _data[node.Outputs[i]] = results[i];
            var output = node.Outputs[0];

            // The range behind a clamp is the clamp's, or less.
            if (node.Operator is ActivationOperator { Activation.IsClamp: true } && IsLayer(node.Inputs[0]!.Producer))
            {
                _values[output] = Through(_values[node.Inputs[0]!], results[0].Span<float>());
                continue;
            }

            Value?[] inputs = [.. node.Inputs.Select(value => value is null ? null : _values.GetValueOrDefault(value) ?? value)];
            if (node.Operator is FloatConvOperator or DenseOperator)
                (inputs[1], inputs[2]) = Parameters(node, inputs[0]!);
            var copy = _graph.AddNode(node.Name, node.Operator, inputs);
            if (node.Operator is (ReshapeOperator or TransposeOperator or DropoutOperator)
                && _quantized.TryGetValue(inputs[0]!, out var moved))
                _quantized[copy.Outputs[0]] = moved;
            var isClamped = readers[output].ToArray() is [{ Operator: ActivationOperator { Activation.IsClamp: true } }];
            _values[output] = IsLayer(node) && !isClamped ? Through(copy.Outputs[0], results[0].Span<float>()) : copy.Outputs[0];
        }

        return (
            _graph.BuildWithParameters(
                network.Name, [.. network.Outputs.Select(output => _values[output]), _graph.Add("steps", new IdentityOperator(), _last)]),
            _quantized[_last!].Scale);
    }

    private static bool IsLayer(Node? node) =>
        node?.Operator is FloatConvOperator or DenseOperator or BinaryOperator { BinaryKind: BinaryKind.Add }
        or GlobalPoolOperator or ReduceOperator { ReduceKind: ReduceKind.Mean } or Pool2DOperator { PoolKind: PoolKind.Average };

    private Value Through(Value value, ReadOnlySpan<float> numbers)
    {
        var (least, most) = (0f, 0f);
        foreach (var number in numbers)
            (least, most) = (Math.Min(least, number), Math.Max(most, number));
        var scale = Math.Max(most - least, 1e-6f) / 255;
        var zeroPoint = (int)MathF.Round(-least / scale) - (_element == ElementType.Int8 ? 128 : 0);
        var one = Constant($"{value.Name}/scale", TensorData.Create([scale]));
        var zero = Constant(
            $"{value.Name}/zero_point",
            _element == ElementType.Int8 ? TensorData.Create([(sbyte)zeroPoint]) : TensorData.Create([(byte)zeroPoint]));
        var quantized = _graph.Add($"{value.Name}/quantized", new QuantizeLinearOperator(_element, 0), value, one, zero);
        var result = _graph.Add($"{value.Name}/dequantized", new DequantizeLinearOperator(0), quantized, one, zero);
        _quantized[result] = (scale, zeroPoint);
        return _last = result;
    }

    private (Value Weights, Value? Bias) Parameters(Node node, Value x)
    {
        var weights = node.Inputs[1]!.Data!;
        var values = weights.Span<float>();
        var channels = node.Outputs[0].Type.Shape[^1];
        var scales = new float[channels];
        for (var i = 0; i < values.Length; i++)
            scales[i % channels] = Math.Max(scales[i % channels], Math.Abs(values[i]) / 127);
        for (var c = 0; c < channels; c++)
            scales[c] = Math.Max(scales[c], 1e-12f);
        var bytes = new sbyte[values.Length];
        for (var i = 0; i < values.Length; i++)
            bytes[i] = (sbyte)Math.Clamp(MathF.Round(values[i] / scales[i % channels]), -127, 127);

        // A depthwise kernel (kH, kW, C, M) has its scales along C*M.
        var shape = weights.Type.Shape;
        var flat = node.Operator is DepthwiseConv2DOperator ? new TensorShape(shape[0], shape[1], 1, channels) : shape;
        var w = Dequantized(
            $"{node.Name}/weights", new TensorData(new(ElementType.Int8, flat), bytes), TensorData.Create(scales, channels), flat.Rank - 1);
        if (flat != shape)
            w = _graph.Add($"{node.Name}/weights/hwcm", new ReshapeOperator(shape), w);
        if (node.Inputs.Count < 3 || node.Inputs[2]?.Data is not { } bias)
            return (w, null);
        var units = Array.ConvertAll(scales, scale => _quantized[x].Scale * scale);
        var sums = new int[channels];
        for (var c = 0; c < channels; c++)
            sums[c] = (int)Math.Clamp(Math.Round((double)bias.Span<float>()[c] / units[c]), -1e9, 1e9);
        return (w, Dequantized($"{node.Name}/bias", TensorData.Create(sums, channels), TensorData.Create(units, channels), 0));
    }

    // ONNX Runtime makes a dense layer of integers only where the zero points are there, though all are 0.
    private Value Dequantized(string name, TensorData numbers, TensorData scales, int axis)
    {
        var zeros = TensorData.CreateZeros(numbers.Type with { Shape = scales.Type.Shape });
        return _graph.Add(
            $"{name}/dequantized",
            new DequantizeLinearOperator(axis),
            Constant(name, numbers),
            Constant($"{name}/scale", scales),
            Constant($"{name}/zero_point", zeros));
    }

    private Value Constant(string name, TensorData data) => _graph.Constant(name, data);
}
