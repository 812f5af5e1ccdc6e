using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Squares of pixels gathered into channels: (N, H*block, W*block, C) -> (N, H, W, block*block*C),
/// y[n, i, j, (u*block+v)*C + c] = x[n, i*block+u, j*block+v, c].
/// </summary>
internal sealed class SpaceToDepthOperator(int block) : ShapeOperator
{
    public override string Kind => "SpaceToDepth";

    /// <summary>Side of a square.</summary>
    public int Block => block;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = ShapeRules.Only(inputs);
        if (block < 1 || input.Shape.Rank != 4 || input.Shape[1] % block != 0 || input.Shape[2] % block != 0)
        {
            throw new ArgumentException(
                $"The input is {input} and the block {block}; "
                + "expected 4 dimensions, a block of 1 or more, and rows and columns in whole blocks.");
        }

        return [ShapeRules.Moved(input, Output(input.Shape))];
    }

    internal override Value?[]? Gradient(GradientContext context) =>
        [context.Add("input", new DepthToSpaceOperator(block, columnRowDepth: false), context.Output(0))];

    private protected override Step Plan(TensorType[] inputs)
    {
        var shape = inputs[0].Shape;
        var output = Output(shape);
        var (x, y, c) = (ShapeRules.Strides(shape), ShapeRules.Strides(output), shape[3]);
        var copy = new StridedCopy(
            [shape[0], output[1], output[2], block, block, c],
            [x[0], block * x[1], block * x[2], x[1], x[2], 1],
            [y[0], y[1], y[2], (long)block * c, c, 1],
            inputs[0].Element.Size());
        return new StridedCopyStep((copy, 0, 0));
    }

    private TensorShape Output(TensorShape input) =>
        new(input[0], input[1] / block, input[2] / block, ShapeRules.Length(ShapeRules.Length(block, block), input[3]));
}
