using System.Numerics.Tensors;
using SeparableConv.Loops;
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// What the float convolutions share: inputs are x (N, inH, inW, C), weights of four dimensions and, where there is one, a bias (O);
/// the output is (N, outH, outW, O).
/// </summary>
internal abstract class FloatConvOperator(ConvOptions options) : Operator
{
    // For a single image Winograd's transform of the weights takes longer than the convolution itself.
    private static readonly ExecutionOptions Direct = new() { Winograd = false };

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
            return RefilledConvStep.Create(this, node.Inputs[0]!.Type, weights.Type, weights.IsParameter ? null : Direct);
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
    internal abstract Convolution Create(
        in ReadOnlyTensorSpan<float> weights, ReadOnlySpan<float> bias, ExecutionOptions? execution = null);

    /// <summary>
    /// dx and dw are <see cref="ConvGradientOperator"/>'s; dbias[o] = sum over n, i, j of dy[n, i, j, o]. The activation was split off
    /// before.
    /// </summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        if (!Options.Activation.IsNone || context.Output(0) is not { } dy)
            return null;
        var inputs = context.Node.Inputs;
        var gradients = new Value?[inputs.Count];
        if (context.Wants(0) || context.Wants(1))
        {
            var op = new ConvGradientOperator(this, null, context.Wants(0), context.Wants(1));
            var node = context.AddNode("weights", op, inputs[0], inputs[1], dy);
            gradients[0] = context.Wants(0) ? node.Outputs[0] : null;
            gradients[1] = context.Wants(1) ? node.Outputs[^1] : null;
        }

        if (context.Wants(2))
            gradients[2] = context.Add("bias", new ReduceOperator(ReduceKind.Sum, [0, 1, 2], keepDimensions: false), dy);
        return gradients;
    }

    internal static ReadOnlyTensorSpan<float> Weights(ReadOnlySpan<float> values, TensorShape shape) =>
        new(values, [shape[0], shape[1], shape[2], shape[3]]);
}

/// <summary>A convolution whose weights change from run to run: they are packed anew in each, in the same place.</summary>
internal sealed unsafe class RefilledConvStep : Step
{
    private readonly Convolution _convolution;
    private readonly ConvGeometry _geometry;

    private RefilledConvStep(Convolution convolution, in ConvGeometry geometry) =>
        (_convolution, _geometry) = (convolution, geometry);

    public override long ScratchBytes => _convolution.RefillFloats * sizeof(float);

    public static RefilledConvStep Create(
        FloatConvOperator op, TensorType input, TensorType weights, ExecutionOptions? execution = null)
    {
        var zeros = new float[checked((int)weights.Shape.ElementCount)];
        var geometry = op.Geometry(input, weights);
        var convolution = op.Create(FloatConvOperator.Weights(zeros, weights.Shape), default, execution);
        convolution.MakeReady(geometry);
        return new(convolution, geometry);
    }

    public override void Run(ForwardContext context)
    {
        _convolution.Refill(context.Inputs[1].Span<float>(), context.Optional(2).Span<float>(), (float*)context.Scratch, context.Threads);
        _convolution.RunLoop(context.Inputs[0].Pointer<float>(), context.Outputs[0].Pointer<float>(), _geometry, context.Threads);
    }
}

/// <summary>A convolution with its weights packed, for one size of input.</summary>
internal sealed unsafe class ConvStep(Convolution convolution, ConvGeometry geometry) : Step
{
    public override bool Reads(int input) => input == 0;

    public override void Run(ForwardContext context) =>
        convolution.RunLoop(context.Inputs[0].Pointer<float>(), context.Outputs[0].Pointer<float>(), geometry, context.Threads);
}
