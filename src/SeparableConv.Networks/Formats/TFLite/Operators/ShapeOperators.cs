namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>Operators that change a tensor's shape, reorder its dimensions or select from it by indices.</summary>
internal static class ShapeOperators
{
    private const int ReshapeOptions = 17;
    private const int SqueezeOptions = 30;
    private const int GatherOptions = 23;

    public static void ReadReshape(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var target = node.Inputs.Length > 1 && node.Inputs[1] >= 0
            ? [.. importer.Integers(node, 1, "new shape")]
            : node.Options(ReshapeOptions).Array<int>(0, "the new shape", 8);

        // Old files write a scalar as a shape of one 0.
        if (target is [0] && x.Shape.ElementCount == 1)
            target = [];
        var open = Array.IndexOf(target, -1);
        if (open >= 0)
        {
            target[open] = 1;
            var known = new TensorShape(target).ElementCount;
            if (known == 0 || x.Shape.ElementCount % known != 0)
            {
                const string Others = "which the new shape's other lengths";
                throw TFLiteImporter.Refused(
                    node, $"the input {x.Type} has {x.Shape.ElementCount} elements, {Others}, {known} together, do not divide.");
            }

            target[open] = checked((int)(x.Shape.ElementCount / known));
        }

        importer.Set(node, Reshaped(importer, node, x, target));
    }

    public static void ReadSqueeze(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var named = node.Options(SqueezeOptions).Array<int>(0, "the dimensions to squeeze", 8);
        var dropped = Array.ConvertAll(named, axis => TensorAxis.Resolve(axis, x.Shape.Rank));
        var lengths = new List<int>();
        for (var d = 0; d < x.Shape.Rank; d++)
        {
            var drops = dropped.Length == 0 ? x.Shape[d] == 1 : dropped.Contains(d);
            if (drops && x.Shape[d] != 1)
                throw TFLiteImporter.Refused(node, $"dimension {d} of {x.Type} is to be dropped; its length must be 1.");
            if (!drops)
                lengths.Add(x.Shape[d]);
        }

        importer.Set(node, Reshaped(importer, node, x, [.. lengths]));
    }

    public static void ReadExpandDims(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var axis = TensorAxis.Resolve(importer.Integer(node, 1, "axis"), x.Shape.Rank + 1);
        importer.Set(node, Expanded(importer, node, x, axis));
    }

    public static void ReadTranspose(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var permutation = Array.ConvertAll(importer.Integers(node, 1, "permutation"), axis => TensorAxis.Resolve(axis, x.Shape.Rank));
        importer.Set(node, importer.Emit(node, new TransposeOperator(permutation), x));
    }

    public static void ReadShape(TFLiteImporter importer, TFLiteNode node)
    {
        var lengths = importer.Input(node, 0).Shape.Lengths.ToArray();
        importer.Set(node, importer.OutputTensor(node).Element == ElementType.Int64
            ? importer.Constant(node, Array.ConvertAll(lengths, length => (long)length), lengths.Length)
            : importer.Constant(node, lengths, lengths.Length));
    }

    public static void ReadRank(TFLiteImporter importer, TFLiteNode node) =>
        importer.Set(node, importer.Constant(node, [importer.Input(node, 0).Shape.Rank]));

    public static void ReadReverse(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var (starts, steps, lengths) = (new int[x.Shape.Rank], new int[x.Shape.Rank], x.Shape.Lengths.ToArray());
        Array.Fill(steps, 1);
        foreach (var axis in importer.Integers(node, 1, "axes"))
        {
            var d = TensorAxis.Resolve(axis, x.Shape.Rank);
            (starts[d], steps[d]) = (Math.Max(0, lengths[d] - 1), -1);
        }

        importer.Set(node, importer.Emit(node, new SliceOperator(starts, steps, lengths), x));
    }

    public static void ReadGather(TFLiteImporter importer, TFLiteNode node)
    {
        // Indices of a batch of their own name slices of that batch: tuples of one index.
        var (x, indices, table) = (importer.Input(node, 0), importer.Input(node, 1), node.Options(GatherOptions));
        var axis = TensorAxis.Resolve(table.Int32(0), x.Shape.Rank);
        var batch = table.Int32(1) < 0 ? table.Int32(1) + indices.Shape.Rank : table.Int32(1);
        if (batch == 0)
        {
            importer.Set(node, importer.Emit(node, new GatherOperator(axis), x, indices));
            return;
        }

        if (batch != axis)
            throw TFLiteImporter.Refused(node, $"{batch} batch dimensions are not supported along axis {axis}; expected none, or {axis}.");
        indices = Expanded(importer, node, indices, indices.Shape.Rank);
        importer.Set(node, importer.Emit(node, new GatherNDOperator(batch), x, indices));
    }

    public static void ReadGatherNd(TFLiteImporter importer, TFLiteNode node) =>
        importer.Set(node, importer.Emit(node, new GatherNDOperator(), importer.Input(node, 0), importer.Input(node, 1)));

    /// <summary>A value in another shape; itself where it has it.</summary>
    public static Value Reshaped(TFLiteImporter importer, TFLiteNode node, Value x, int[] lengths) =>
        importer.Emit(node, new ReshapeOperator(new TensorShape(lengths)), x);

    /// <summary>A value with a dimension of length 1 put in before dimension <paramref name="axis"/>.</summary>
    public static Value Expanded(TFLiteImporter importer, TFLiteNode node, Value x, int axis)
    {
        if (axis > x.Shape.Rank)
            throw TFLiteImporter.Refused(node, $"{x.Type} has no place for a dimension {axis}.");
        return Reshaped(importer, node, x, [.. x.Shape.Lengths[..axis], 1, .. x.Shape.Lengths[axis..]]);
    }
}
