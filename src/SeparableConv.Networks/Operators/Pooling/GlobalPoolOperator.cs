using SeparableConv.Loops;
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Pooling over the whole image: x (N, H, W, C) -> (N, 1, 1, C), y[n, 0, 0, c] = the mean, or the largest, of x[n, :, :, c].
/// </summary>
internal sealed unsafe class GlobalPoolOperator(PoolKind kind) : Operator
{
    public override string Kind => PoolKind == PoolKind.Max ? "GlobalMaxPooling2D" : "GlobalAveragePooling2D";

    public PoolKind PoolKind { get; } = kind;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var shape = OperatorChecks.Required(inputs, 0, "input", ElementType.Float32, 4).Shape;
        if (shape[1] == 0 || shape[2] == 0)
            throw new ArgumentException($"The input {shape} has no pixels; pooling needs at least one.");
        return [new(ElementType.Float32, new TensorShape(shape[0], 1, 1, shape[3]))];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Inputs[0]!.Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var shape = context.Inputs[0].Shape;
        var x = context.Inputs[0].Pointer<float>();
        var y = context.Outputs[0].Pointer<float>();
        var pixels = (nint)shape[1] * shape[2];
        if (PoolKind == PoolKind.Average)
            PixelReduction.Run<Reduction.Sum>(x, y, shape[0], pixels, shape[3], pixels, SimdWidths.Best, context.Threads);
        else
            PixelReduction.Run<Reduction.Max>(x, y, shape[0], pixels, shape[3], 1, SimdWidths.Best, context.Threads);
    }

    /// <summary>
    /// Of the mean, dx = dy / (H*W) everywhere; of the largest, dy goes to it, of equal ones to the first in reading order.
    /// </summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        var (x, dy) = (context.Input(0), context.Output(0));
        if (PoolKind == PoolKind.Max)
        {
            var whole = new MaxPoolGradientOperator((x.Shape[1], x.Shape[2]), (1, 1), (1, 1), Padding.Valid, ceilMode: false);
            return [context.Add("input", whole, dy, x)];
        }

        var share = context.Add("share", new ScaleOperator(1.0 / ((long)x.Shape[1] * x.Shape[2])), dy);
        return [context.Add("input", new ExpandOperator(x.Shape), share)];
    }
}
