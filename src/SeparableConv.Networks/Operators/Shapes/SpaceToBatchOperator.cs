namespace SeparableConv.Networks.Operators;

/// <summary>
/// Every block-th element along the dimensions behind the first, gathered into images of their own: (N, L_1*b_1, ..., rest) ->
/// (b_1*...*N, L_1, ..., rest), y[(u_1*b_2 + u_2)*N + n, i_1, i_2, ...] = x[n, i_1*b_1 + u_1, i_2*b_2 + u_2, ...].
/// </summary>
/// <param name="block">b_1, b_2 and so on, each at least 1.</param>
internal sealed class SpaceToBatchOperator(int[] block) : ShapeOperator
{
    public override string Kind => "SpaceToBatch";

    /// <summary>b_1, b_2 and so on.</summary>
    public ReadOnlySpan<int> Block => block;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = ShapeRules.Only(inputs);
        BatchBlocks.Check(input, block);
        for (var d = 0; d < block.Length; d++)
        {
            if (input.Shape[d + 1] % block[d] != 0)
            {
                throw new ArgumentException(
                    $"Dimension {d + 1} of the input {input} is cut into blocks of {block[d]}; it must be a multiple of that.");
            }
        }

        return [ShapeRules.Moved(input, BatchBlocks.Cut(input.Shape, block))];
    }

    private protected override Step Plan(TensorType[] inputs)
    {
        var (whole, cut) = (inputs[0].Shape, BatchBlocks.Cut(inputs[0].Shape, block));
        var (lengths, ofWhole, ofCut) = BatchBlocks.Strides(whole, cut, block);
        return new StridedCopyStep((new StridedCopy(lengths, ofWhole, ofCut, inputs[0].Element.Size()), 0, 0));
    }
}

/// <summary>The inverse of <see cref="SpaceToBatchOperator"/>: (b_1*...*N, L_1, ..., rest) -> (N, L_1*b_1, ..., rest).</summary>
/// <param name="block">b_1, b_2 and so on, each at least 1.</param>
internal sealed class BatchToSpaceOperator(int[] block) : ShapeOperator
{
    public override string Kind => "BatchToSpace";

    /// <summary>b_1, b_2 and so on.</summary>
    public ReadOnlySpan<int> Block => block;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = ShapeRules.Only(inputs);
        BatchBlocks.Check(input, block);
        var images = BatchBlocks.Images(block);
        if (input.Shape[0] % images != 0)
            throw new ArgumentException($"The input {input} has {input.Shape[0]} images; expected a multiple of {images} for its blocks.");
        return [ShapeRules.Moved(input, Whole(input.Shape))];
    }

    private protected override Step Plan(TensorType[] inputs)
    {
        var (whole, cut) = (Whole(inputs[0].Shape), inputs[0].Shape);
        var (lengths, ofWhole, ofCut) = BatchBlocks.Strides(whole, cut, block);
        return new StridedCopyStep((new StridedCopy(lengths, ofCut, ofWhole, inputs[0].Element.Size()), 0, 0));
    }

    private TensorShape Whole(TensorShape shape)
    {
        var lengths = shape.Lengths.ToArray();
        lengths[0] /= BatchBlocks.Images(block);
        for (var d = 0; d < block.Length; d++)
            lengths[d + 1] = ShapeRules.Length(lengths[d + 1], block[d]);
        return new TensorShape(lengths);
    }
}

/// <summary>What <see cref="SpaceToBatchOperator"/> and its inverse share.</summary>
internal static class BatchBlocks
{
    public static void Check(TensorType input, ReadOnlySpan<int> block)
    {
        if (block.IsEmpty || block.Length >= input.Shape.Rank || block.IndexOfAnyInRange(int.MinValue, 0) >= 0)
        {
            throw new ArgumentException(
                $"The input is {input} and the block ({string.Join(',', block.ToArray())}); "
                + "expected numbers of 1 or more for some of the dimensions behind the first.");
        }
    }

    /// <summary>Images that one becomes.</summary>
    public static int Images(ReadOnlySpan<int> block)
    {
        var images = 1;
        foreach (var length in block)
            images = ShapeRules.Length(images, length);
        return images;
    }

    /// <summary>The shape with the blocks' elements among the images.</summary>
    public static TensorShape Cut(TensorShape whole, ReadOnlySpan<int> block)
    {
        var lengths = whole.Lengths.ToArray();
        lengths[0] = ShapeRules.Length(lengths[0], Images(block));
        for (var d = 0; d < block.Length; d++)
            lengths[d + 1] /= block[d];
        return new TensorShape(lengths);
    }

    /// <summary>Loops over blocks, images, positions and what is behind them, with their strides in both shapes.</summary>
    public static (int[] Lengths, long[] Whole, long[] Cut) Strides(TensorShape whole, TensorShape cut, ReadOnlySpan<int> block)
    {
        var (ofWhole, ofCut) = (ShapeRules.Strides(whole), ShapeRules.Strides(cut));
        var (lengths, wholes, cuts) = (new List<int>(), new List<long>(), new List<long>());
        void Loop(int length, long inWhole, long inCut)
        {
            lengths.Add(length);
            wholes.Add(inWhole);
            cuts.Add(inCut);
        }

        var images = (long)cut[0];
        for (var d = 0; d < block.Length; d++)
        {
            images /= block[d];
            Loop(block[d], ofWhole[d + 1], images * ofCut[0]);
        }

        Loop(whole[0], ofWhole[0], ofCut[0]);
        for (var d = 1; d < whole.Rank; d++)
            Loop(cut[d], ofWhole[d] * (d <= block.Length ? block[d - 1] : 1), ofCut[d]);
        return ([.. lengths], [.. wholes], [.. cuts]);
    }
}
