using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The exact sums of a convolution of bytes: x (N, inH, inW, C), int8 or uint8 with one zero point, weights (kH, kW, C/groups, O), or for a
/// depthwise one (kH, kW, C, M), int8 or uint8 with one zero point or one an output channel -> int32 (N, outH, outW, O),
/// y[n,i,j,o] = sum over u,v,c of (x[n, i*s+u*d-p, j*s+v*d-p, c] - xZeroPoint) * (w[u,v,c,o] - wZeroPoint[o]). Scales are not used.
/// </summary>
internal sealed class IntegerConv2DOperator(ConvOptions options, bool isDepthwise) : Operator
{
    private static readonly QuantizedOutput Sums = new(Requantization.None, true, 0, 0, 0);

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

    internal override InputRole RoleOf(int input, TensorType type) => input > 0 ? InputRole.Parameter : InputRole.Data;

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
        QuantizedLayerOperator.CheckQuantization(input, "input", 1);
        QuantizedLayerOperator.CheckQuantization(weights, "weight tensor", g.OutChannels);
        return [new(ElementType.Int32, ConvShapes.Output(g))];
    }

    internal override Step Prepare(Node node) => node.Inputs[1]!.Constant is { } weights
        ? Create(node.Inputs[0]!.Type, weights.Type, weights.Bytes)
        : new ForwardStep(this);

    internal override void Forward(ForwardContext context) =>
        Create(context.Inputs[0].Type, context.Inputs[1].Type, context.Inputs[1].Bytes()).Run(context);

    private Step Create(TensorType input, TensorType weights, ReadOnlySpan<byte> bytes)
    {
        var g = Geometry(input, weights);
        var layer = new QuantizedLayer
        {
            Weights = QuantizedLayerOperator.LessZeroPoint(weights, bytes, g.OutChannels),
            Input = new(input.Element == ElementType.Int8, input.Quantization!.ZeroPoint),
            Factors = [1],
            Output = Sums,
        };
        return IsDepthwise
            ? new QuantizedDepthwiseStep(new(layer, g, SimdWidths.Best))
            : new QuantizedConvStep(new(layer, g.Kernel, g.InChannels, g.OutChannels, g.Groups, SimdWidths.Best), g);
    }
}
