using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// What the float convolutions share: inputs are x (N, inH, inW, C), weights of four dimensions and, where there is one, a bias (O);
/// the output is (N, outH, outW, O).
/// </summary>
internal abstract class FloatConvOperator(ConvOptions options) : Operator
{
    /// <summary>Stride, dilation, padding, groups and the fused activation.</summary>
    public ConvOptions Options { get; } = options;

    /// <summary>The same operator with other options.</summary>
    public abstract FloatConvOperator With(ConvOptions options);

    /// <summary>The sizes, from the types of input and weights.</summary>
    /// <exception cref="ArgumentException">They do not fit.</exception>
    public abstract ConvGeometry Geometry(TensorType input, TensorType weights);

    internal override ConvGeometry? Geometry(Node node) => Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type);

    internal override InputRole RoleOf(int input, TensorType type) => input > 0 ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = OperatorChecks.Required(inputs, 0, "input", ElementType.Float32, 4);
        var weights = OperatorChecks.Required(inputs, 1, "weights", ElementType.Float32, 4);
        var g = Geometry(input, weights);
        OperatorChecks.Bias(inputs, 2, g.OutChannels, ElementType.Float32);
        return [new(ElementType.Float32, ConvShapes.Output(g))];
    }

    internal override Step Prepare(Node node)
    {
        var (weights, bias) = (node.Inputs[1]!, node.Inputs.Count > 2 ? node.Inputs[2] : null);
        if (weights.Constant is null || bias is { IsConstant: false })
            return new ForwardStep(this);
        var biases = bias is null ? default : bias.Constant!.Span<float>();
        var convolution = Create(Weights(weights.Constant.Span<float>(), weights.Shape), biases);
        var geometry = Geometry(node.Inputs[0]!.Type, weights.Type);
        convolution.MakeReady(geometry);
        return new ConvStep(convolution, geometry);
    }

    // What is packed for this run alone goes with it, not with some later collection.
    internal override void Forward(ForwardContext context) => PackedBuffer.FreeMadeBy(() => PackAndRun(context));

    private void PackAndRun(ForwardContext context)
    {
        var (x, w) = (context.Inputs[0], context.Inputs[1]);
        var bias = context.Optional(2).Span<float>();
        new ConvStep(Create(Weights(w.Span<float>(), w.Shape), bias), Geometry(x.Type, w.Type)).Run(context);
    }

    /// <summary>The convolution with its weights packed.</summary>
    private protected abstract Convolution Create(in ReadOnlyTensorSpan<float> weights, ReadOnlySpan<float> bias);

    private static ReadOnlyTensorSpan<float> Weights(ReadOnlySpan<float> values, TensorShape shape) =>
        new(values, [shape[0], shape[1], shape[2], shape[3]]);
}

/// <summary>A convolution with its weights packed, for one size of input.</summary>
internal sealed unsafe class ConvStep(Convolution convolution, ConvGeometry geometry) : Step
{
    public override bool Reads(int input) => input == 0;

    public override void Run(ForwardContext context) =>
        convolution.RunLoop(context.Inputs[0].Pointer<float>(), context.Outputs[0].Pointer<float>(), geometry, context.Threads);
}
