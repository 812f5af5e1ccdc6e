using SeparableConv.Loops;

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
}
