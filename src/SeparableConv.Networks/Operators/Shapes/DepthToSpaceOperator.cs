using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Channels spread over squares of pixels: (N, H, W, C*block*block) -> (N, H*block, W*block, C),
/// y[n, i*block+u, j*block+v, c] = x[n, i, j, (u*block+v)*C + c], or x[n, i, j, c*block*block + u*block+v] where
/// <paramref name="columnRowDepth"/>.
/// </summary>
/// <param name="block">Side of a square, at least 1.</param>
/// <param name="columnRowDepth">ONNX's mode CRD (PyTorch's pixel shuffle) and not DCR, which is TensorFlow's too.</param>
internal sealed class DepthToSpaceOperator(int block, bool columnRowDepth) : ShapeOperator
{
    public override string Kind => "DepthToSpace";

    /// <summary>Side of a square.</summary>
    public int Block => block;

    /// <summary>Whether an output channel's block*block input channels are neighbours.</summary>
    public bool ColumnRowDepth => columnRowDepth;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = ShapeRules.Only(inputs);
        if (block < 1 || input.Shape.Rank != 4 || input.Shape[3] % ((long)block * block) != 0)
        {
            throw new ArgumentException(
                $"The input is {input} and the block {block}; "
                + $"expected 4 dimensions, a block of 1 or more, and channels in whole blocks of {(long)block * block}.");
        }

        return [ShapeRules.Moved(input, Output(input.Shape))];
    }

    internal override Value?[]? Gradient(GradientContext context)
    {
        var (x, dy) = (context.Input(0), context.Output(0)!);
        if (!columnRowDepth)
            return [context.Add("input", new SpaceToDepthOperator(block), dy)];
        var (n, h, w, c) = (x.Shape[0], x.Shape[1], x.Shape[2], dy.Shape[3]);
        var squares = context.Reshape(dy, new TensorShape(n, h, block, w, block, c));
        return [context.Reshape(context.Add("input", new TransposeOperator([0, 1, 3, 5, 2, 4]), squares), x.Shape)];
    }

    private protected override Step Plan(TensorType[] inputs)
    {
        var shape = inputs[0].Shape;
        var output = Output(shape);
        var (x, y, c) = (ShapeRules.Strides(shape), ShapeRules.Strides(output), output[3]);
        var square = (long)block * block;
        var (row, column, channel) = columnRowDepth ? ((long)block, 1L, square) : ((long)block * c, c, 1L);
        var copy = new StridedCopy(
            [shape[0], shape[1], block, shape[2], block, c],
            [x[0], x[1], row, x[2], column, channel],
            [y[0], block * y[1], y[1], block * y[2], y[2], 1],
            inputs[0].Element.Size());
        return new StridedCopyStep((copy, 0, 0));
    }

    private TensorShape Output(TensorShape input) =>
        new(input[0], ShapeRules.Length(input[1], block), ShapeRules.Length(input[2], block), (int)(input[3] / ((long)block * block)));
}
