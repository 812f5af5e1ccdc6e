namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>Operators that move blocks of pixels into other dimensions and back.</summary>
internal static class SpaceOperators
{
    private const int SpaceToDepthOptions = 19;
    private const int DepthToSpaceOptions = 94;

    public static void ReadSpaceToDepth(TFLiteImporter importer, TFLiteNode node) => importer.Set(
        node, importer.Emit(node, new SpaceToDepthOperator(node.Options(SpaceToDepthOptions).Int32(0)), importer.Input(node, 0)));

    public static void ReadDepthToSpace(TFLiteImporter importer, TFLiteNode node)
    {
        var op = new DepthToSpaceOperator(node.Options(DepthToSpaceOptions).Int32(0), columnRowDepth: false);
        importer.Set(node, importer.Emit(node, op, importer.Input(node, 0)));
    }

    public static void ReadSpaceToBatch(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, block) = (importer.Input(node, 0), importer.Integers(node, 1, "block shape"));
        var (before, after) = Borders(importer, node, x, block, "paddings");
        var (pads, padsAfter) = (new int[x.Shape.Rank], new int[x.Shape.Rank]);
        before.CopyTo(pads, 1);
        after.CopyTo(padsAfter, 1);

        // Quantized numbers are padded with what stands for 0.
        if (before.Any(pad => pad != 0) || after.Any(pad => pad != 0))
            x = importer.Emit(node, new PadOperator(pads, padsAfter, PadMode.Constant, x.Type.Quantization?.ZeroPoint ?? 0), x);
        importer.Set(node, importer.Emit(node, new SpaceToBatchOperator(block), x));
    }

    public static void ReadBatchToSpace(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, block) = (importer.Input(node, 0), importer.Integers(node, 1, "block shape"));
        var (before, after) = Borders(importer, node, x, block, "crops");
        if (new WholeImages(importer, node).Find(x, block, before, after) is { } whole)
            importer.Set(node, whole);
        else
            importer.Set(node, Cropped(importer, node, importer.Emit(node, new BatchToSpaceOperator(block), x), before, after));
    }

    /// <summary>A value without what is to be cut off before and behind its dimensions from the second on.</summary>
    public static Value Cropped(TFLiteImporter importer, TFLiteNode node, Value value, int[] before, int[] after)
    {
        if (!before.AsSpan().ContainsAnyExcept(0) && !after.AsSpan().ContainsAnyExcept(0))
            return value;
        var (starts, steps, lengths) = (new int[value.Shape.Rank], new int[value.Shape.Rank], value.Shape.Lengths.ToArray());
        Array.Fill(steps, 1);
        for (var d = 0; d < before.Length; d++)
            (starts[d + 1], lengths[d + 1]) = (before[d], (int)Math.Max(0, lengths[d + 1] - (long)before[d] - after[d]));
        return importer.Emit(node, new SliceOperator(starts, steps, lengths), value);
    }

    // What is added or cut before and behind each dimension of the block.
    private static (int[] Before, int[] After) Borders(TFLiteImporter importer, TFLiteNode node, Value x, int[] block, string what)
    {
        var borders = importer.Integers(node, 2, what);
        if (block.Length >= x.Shape.Rank || borders.Length != 2 * block.Length || borders.Any(border => border < 0))
        {
            var given = $"the input is {x.Type}, the block shape has {block.Length} numbers and there are {borders.Length} {what}";
            throw TFLiteImporter.Refused(node, $"{given}; expected fewer numbers than dimensions, and two {what} of 0 or more for each.");
        }

        var (before, after) = (new int[block.Length], new int[block.Length]);
        for (var d = 0; d < block.Length; d++)
            (before[d], after[d]) = (borders[2 * d], borders[(2 * d) + 1]);
        return (before, after);
    }
}
