using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>Reads the operators that move elements, or only name their places anew.</summary>
internal static class ShapeImport
{
    private const int ConcatenationOptions = 10;
    private const int ReshapeOptions = 17;
    private const int GatherOptions = 23;
    private const int SqueezeOptions = 30;
    private const int SplitOptions = 35;
    private const int PackOptions = 59;
    private const int UnpackOptions = 64;
    private const int MostPieces = 65536;

    public static void Reshape(TFLiteImporter importer, TFLiteNode node)
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
                throw TFLiteImporter.Refused(node, $"the input {x.Type} has {x.Shape.ElementCount} elements, which the new shape's other lengths, {known} together, do not divide.");
            target[open] = checked((int)(x.Shape.ElementCount / known));
        }

        importer.Set(node, Reshaped(importer, node, x, target));
    }

    public static void Squeeze(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var named = node.Options(SqueezeOptions).Array<int>(0, "the dimensions to squeeze", 8);
        var dropped = Array.ConvertAll(named, axis => ShapeRules.Axis(axis, x.Shape.Rank));
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

    public static void ExpandDims(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var axis = ShapeRules.Axis(importer.Integer(node, 1, "axis"), x.Shape.Rank + 1);
        importer.Set(node, Expanded(importer, node, x, axis));
    }

    public static void Transpose(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var permutation = Array.ConvertAll(importer.Integers(node, 1, "permutation"), axis => ShapeRules.Axis(axis, x.Shape.Rank));
        importer.Set(node, importer.Emit(node, new TransposeOperator(permutation), x));
    }

    public static void Concatenation(TFLiteImporter importer, TFLiteNode node)
    {
        var table = node.Options(ConcatenationOptions);
        var inputs = new Value[node.Inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = importer.Input(node, i);
        if (inputs.Length == 0)
            throw TFLiteImporter.Refused(node, $"there are no inputs to put together.");
        var (first, activation) = (inputs[0], table.Byte(1));
        var axis = ShapeRules.Axis(table.Int32(0), first.Shape.Rank);
        if (first.Type is { Quantization: not null } && first.Type.Element.IsByte())
        {
            FusedActivation.RequireNone(node, activation, first);
            importer.Set(node, importer.Emit(node, new QuantizedConcatOperator(axis, importer.OutputQuantization(node)), inputs));
            return;
        }

        var y = importer.Emit(node, new ConcatOperator(axis), inputs);
        if (first.Type.Element != ElementType.Float32)
            FusedActivation.RequireNone(node, activation, first);
        importer.Set(node, activation == 0 ? y : importer.Emit(node, new ActivationOperator(FusedActivation.Float(node, activation)), y));
    }

    public static void Split(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 1);
        var axis = ShapeRules.Axis(importer.Integer(node, 0, "axis"), x.Shape.Rank);
        var count = node.Options(SplitOptions).Int32(0);
        if (count < 1 || count != node.Outputs.Length || x.Shape[axis] % count != 0)
            throw TFLiteImporter.Refused(node, $"{x.Type} is to be cut into {count} equal pieces along dimension {axis} for {node.Outputs.Length} outputs.");
        var sizes = new int[count];
        Array.Fill(sizes, x.Shape[axis] / count);
        SetAll(importer, node, importer.EmitAll(node, new SplitOperator(axis, sizes), x));
    }

    public static void SplitV(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        int[] sizes = [.. importer.Integers(node, 1, "sizes")];
        var axis = ShapeRules.Axis(importer.Integer(node, 2, "axis"), x.Shape.Rank);
        var open = Array.IndexOf(sizes, -1);
        if (open >= 0)
        {
            sizes[open] = 0;
            sizes[open] = (int)Math.Clamp(x.Shape[axis] - sizes.Sum(size => (long)size), 0, int.MaxValue);
        }

        if (sizes.Length != node.Outputs.Length || sizes.Any(size => size < 0))
            throw TFLiteImporter.Refused(node, $"there are {sizes.Length} sizes for {node.Outputs.Length} outputs; expected as many, each 0 or more.");
        SetAll(importer, node, importer.EmitAll(node, new SplitOperator(axis, sizes), x));
    }

    public static void Pack(TFLiteImporter importer, TFLiteNode node)
    {
        var first = importer.Input(node, 0);
        var axis = ShapeRules.Axis(node.Options(PackOptions).Int32(1), first.Shape.Rank + 1);
        var inputs = new Value[node.Inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = Expanded(importer, node, importer.Input(node, i), axis);
        importer.Set(node, importer.Emit(node, new ConcatOperator(axis), inputs));
    }

    public static void Unpack(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, table) = (importer.Input(node, 0), node.Options(UnpackOptions));
        var axis = ShapeRules.Axis(table.Int32(1), x.Shape.Rank);
        if (x.Shape[axis] != node.Outputs.Length || x.Shape[axis] > MostPieces)
            throw TFLiteImporter.Refused(node, $"{x.Type} has {x.Shape[axis]} slices along dimension {axis}, but there are {node.Outputs.Length} outputs.");
        var sizes = new int[x.Shape[axis]];
        Array.Fill(sizes, 1);
        var lengths = x.Shape.Lengths.ToArray().Where((_, d) => d != axis).ToArray();
        var slices = importer.EmitAll(node, new SplitOperator(axis, sizes), x);
        for (var i = 0; i < slices.Count; i++)
            importer.Set(node, Reshaped(importer, node, slices[i], lengths), i);
    }

    public static void Shape(TFLiteImporter importer, TFLiteNode node)
    {
        var lengths = importer.Input(node, 0).Shape.Lengths.ToArray();
        importer.Set(node, importer.OutputTensor(node).Element == ElementType.Int64
            ? importer.Constant(node, Array.ConvertAll(lengths, length => (long)length), lengths.Length)
            : importer.Constant(node, lengths, lengths.Length));
    }

    public static void Gather(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, indices, table) = (importer.Input(node, 0), importer.Input(node, 1), node.Options(GatherOptions));
        if (table.Int32(1) != 0)
            throw TFLiteImporter.Refused(node, $"{table.Int32(1)} batch dimensions are not supported; expected 0.");
        importer.Set(node, importer.Emit(node, new GatherOperator(ShapeRules.Axis(table.Int32(0), x.Shape.Rank)), x, indices));
    }

    /// <summary>A value in another shape; itself where it has it.</summary>
    public static Value Reshaped(TFLiteImporter importer, TFLiteNode node, Value x, int[] lengths) =>
        importer.Emit(node, new ReshapeOperator(new TensorShape(lengths)), x);

    private static Value Expanded(TFLiteImporter importer, TFLiteNode node, Value x, int axis)
    {
        if (axis > x.Shape.Rank)
            throw TFLiteImporter.Refused(node, $"{x.Type} has no place for a dimension {axis}.");
        return Reshaped(importer, node, x, [.. x.Shape.Lengths[..axis], 1, .. x.Shape.Lengths[axis..]]);
    }

    private static void SetAll(TFLiteImporter importer, TFLiteNode node, IReadOnlyList<Value> values)
    {
        for (var i = 0; i < values.Count; i++)
            importer.Set(node, values[i], i);
    }
}
