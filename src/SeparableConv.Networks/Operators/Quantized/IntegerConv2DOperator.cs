using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The exact sums of a convolution of bytes: x (N, inH, inW, C), int8 or uint8 with one zero point, weights (kH, kW, C/groups, O), or for a
/// depthwise one (kH, kW, C, M), int8 or uint8 with one zero point or one an output channel -> int32 (N, outH, outW, O),
/// y[n,i,j,o] = sum over u,v,c of (x[n, i*s+u*d-p, j*s+v*d-p, c] - xZeroPoint) * (w[u,v,c,o] - wZeroPoint[o]). Scales are not used.
/// The zero points are those of the types, or where they are known only when the network runs, further inputs: x's, and w's.
/// </summary>
internal sealed class IntegerConv2DOperator(ConvOptions options, bool isDepthwise) : Operator
{
    /// <summary>The sums as they are.</summary>
    public static readonly QuantizedOutput Sums = new(Requantization.None, true, 0, 0, 0);

    public override string Kind => IsDepthwise ? "IntegerDepthwiseConv2D" : "IntegerConv2D";

    /// <summary>Stride, dilation, padding and groups; its activation is not used.</summary>
    public ConvOptions Options { get; } = options;

    public bool IsDepthwise { get; } = isDepthwise;

    /// <summary>The sizes, from the types of input and weights.</summary>
    /// <exception cref="ArgumentException">They do not fit.</exception>
    public ConvGeometry Geometry(TensorType input, TensorType weights)
    {
        var shape = weights.Shape;
        if (shape.Rank != 4)
            throw new ArgumentException($"The weights are {weights}; expected 4 dimensions.");
        return IsDepthwise
            ? ConvShapes.Geometry(input, (shape[0], shape[1]), shape[2], checked(shape[2] * shape[3]), Options, shape[2])
            : ConvShapes.Geometry(input, (shape[0], shape[1]), checked(shape[2] * Options.Groups), shape[3], Options, Options.Groups);
    }

    internal override InputRole RoleOf(int input, TensorType type) => input == 1 ? InputRole.Parameter : InputRole.Data;

    internal override ConvGeometry? Geometry(Node node) => Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type);

    internal override OperatorCost Cost(Node node)
    {
        var g = Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type);
        return new((IsDepthwise ? ConvCost.Depthwise(g, g.OutChannels / g.InChannels) : ConvCost.Standard(g)).Macs);
    }

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (input, weights) = (OperatorChecks.Required(inputs, 0, "input"), OperatorChecks.Required(inputs, 1, "weights"));
        var g = Geometry(input, weights);
        CheckZeroPoint(inputs, 2, "input", input, 1);
        CheckZeroPoint(inputs, 3, "weight tensor", weights, g.OutChannels);
        return [new(ElementType.Int32, ConvShapes.Output(g))];
    }

    internal override Step Prepare(Node node)
    {
        var (x, weights) = (node.Inputs[0]!, node.Inputs[1]!);
        var zeros = node.Inputs.Count > 3 ? node.Inputs[3] : null;
        if (weights.Constant is not { } known || zeros is { IsConstant: false })
            return new ForwardStep(this);
        var type = zeros is null ? known.Type : WithZeroPoint(known.Type, zeros.Constant!.Bytes);
        if (node.Inputs.Count < 3 || node.Inputs[2] is null)
            return Create(x.Type, type, known.Bytes);
        var g = Geometry(x.Type, type);
        var layer = Layer(x.Type, 0, QuantizedLayerOperator.LessZeroPoint(type, known.Bytes, g.OutChannels));
        return (Step?)LateZeroPointStep.Create(layer, g, IsDepthwise) ?? new ForwardStep(this);
    }

    internal override void Forward(ForwardContext context)
    {
        var (x, weights) = (context.Inputs[0], context.Inputs[1]);
        var (input, zeros) = (context.Optional(2), context.Optional(3));
        var type = zeros.IsPresent ? WithZeroPoint(weights.Type, zeros.Bytes()) : weights.Type;
        Create(input.IsPresent ? WithZeroPoint(x.Type, input.Bytes()) : x.Type, type, weights.Bytes()).Run(context);
    }

    private static void CheckZeroPoint(ReadOnlySpan<TensorType?> inputs, int index, string what, TensorType type, int channels)
    {
        if (inputs.Length <= index || inputs[index] is not { } zeroPoint)
        {
            QuantizedLayerOperator.CheckQuantization(type, what, channels);
            return;
        }

        var count = zeroPoint.Shape.ElementCount;
        if (!type.Element.IsByte() || zeroPoint.Element != type.Element || zeroPoint.Shape.Rank > 1 || (count != 1 && count != channels))
        {
            var several = channels > 1 ? $", or {channels} of them" : "";
            throw new ArgumentException(
                $"The {what} is {type} and its zero point {zeroPoint}; expected int8 or uint8, and one number of that type{several}.");
        }
    }

    private static TensorType WithZeroPoint(TensorType type, ReadOnlySpan<byte> zeroPoint)
    {
        var numbers = new int[zeroPoint.Length];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = QuantizedTypes.Value(zeroPoint[i], type.Element);
        return type with { Quantization = new(Array.ConvertAll(numbers, _ => 1f), numbers, axis: 3) };
    }

    private static QuantizedLayer Layer(TensorType input, int zeroPoint, short[] weights) => new()
    {
        Weights = weights,
        Input = new(input.Element == ElementType.Int8, zeroPoint),
        Factors = [1],
        Output = Sums,
    };

    private Step Create(TensorType input, TensorType weights, ReadOnlySpan<byte> bytes)
    {
        var g = Geometry(input, weights);
        var numbers = QuantizedLayerOperator.LessZeroPoint(weights, bytes, g.OutChannels);
        var layer = Layer(input, input.Quantization!.ZeroPoint, numbers);
        return IsDepthwise
            ? new QuantizedDepthwiseStep(new(layer, g, SimdWidths.Best))
            : new QuantizedConvStep(new(layer, g.Kernel, g.InChannels, g.OutChannels, g.Groups, SimdWidths.Best), g);
    }
}
