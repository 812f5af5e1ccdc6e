namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>MEAN, SUM and the like along axes, CUMSUM, ARG_MAX, ARG_MIN and TOPK_V2.</summary>
internal static class ReductionOperators
{
    private const int ReducerOptions = 27;
    private const int CumSumOptions = 102;

    public static void ReadMean(TFLiteImporter importer, TFLiteNode node) => Average(importer, node, ReduceKind.Mean);

    public static void ReadSum(TFLiteImporter importer, TFLiteNode node) => Average(importer, node, ReduceKind.Sum);

    public static void ReadMax(TFLiteImporter importer, TFLiteNode node) => Choose(importer, node, ReduceKind.Max);

    public static void ReadMin(TFLiteImporter importer, TFLiteNode node) => Choose(importer, node, ReduceKind.Min);

    public static void ReadProd(TFLiteImporter importer, TFLiteNode node) =>
        importer.Set(node, Reduced(importer, node, ReduceKind.Prod, importer.Numbers(node, 0)));

    public static void ReadAny(TFLiteImporter importer, TFLiteNode node) => Truth(importer, node, ReduceKind.Max);

    public static void ReadAll(TFLiteImporter importer, TFLiteNode node) => Truth(importer, node, ReduceKind.Min);

    public static void ReadArgMax(TFLiteImporter importer, TFLiteNode node) => Position(importer, node, largest: true);

    public static void ReadArgMin(TFLiteImporter importer, TFLiteNode node) => Position(importer, node, largest: false);

    public static void ReadCumSum(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, table) = (importer.Numbers(node, 0), node.Options(CumSumOptions));
        var axis = TensorAxis.Resolve(importer.Integer(node, 1, "axis"), x.Shape.Rank);
        importer.Set(node, importer.Emit(node, new CumulativeSumOperator(axis, table.Bool(0), table.Bool(1)), x));
    }

    public static void ReadTopK(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var outputs = importer.EmitAll(node, new TopKOperator(-1, importer.Integer(node, 1, "count"), largest: true), x);
        importer.Set(node, outputs[0]);
        if (node.Outputs.Length > 1)
        {
            var element = importer.OutputTensor(node, 1).Element ?? ElementType.Int32;
            importer.Set(node, element == ElementType.Int64 ? outputs[1] : importer.Emit(node, new CastOperator(element), outputs[1]), 1);
        }
    }

    private static void Position(TFLiteImporter importer, TFLiteNode node, bool largest)
    {
        var x = importer.Input(node, 0);
        var axis = TensorAxis.Resolve(importer.Integer(node, 1, "axis"), x.Shape.Rank);
        var element = importer.OutputTensor(node).Element == ElementType.Int64 ? ElementType.Int64 : ElementType.Int32;
        importer.Set(node, importer.Emit(node, new ArgExtremeOperator(largest, axis, false, element), x));
    }

    private static void Average(TFLiteImporter importer, TFLiteNode node, ReduceKind kind)
    {
        var x = importer.Input(node, 0);
        if (!x.Type.Element.IsByte() && x.Type is not { Element: ElementType.Int16, Quantization: not null })
        {
            importer.Set(node, Reduced(importer, node, kind, x));
            return;
        }

        var op = new TFLiteMeanOperator(
            Axes(importer, node, x), KeepsDimensions(node), importer.OutputQuantization(node), isSum: kind == ReduceKind.Sum);
        importer.Set(node, importer.Emit(node, op, x));
    }

    // The largest or least byte stands for the largest or least number: the scale stays as it is.
    private static void Choose(TFLiteImporter importer, TFLiteNode node, ReduceKind kind)
    {
        var x = importer.Input(node, 0);
        if (x.Type is { Quantization: { } input } && importer.OutputTensor(node).ReadQuantization() is { } output
            && (input.Scale != output.Scale || input.ZeroPoint != output.ZeroPoint))
        {
            throw TFLiteImporter.Refused(node, $"the input has {input} and the output {output}; both must have the same.");
        }

        importer.Set(node, Reduced(importer, node, kind, x));
    }

    // Any of bools is their largest, all of them their least.
    private static void Truth(TFLiteImporter importer, TFLiteNode node, ReduceKind kind)
    {
        var x = importer.Input(node, 0);
        if (x.Type.Element != ElementType.Bool)
            throw TFLiteImporter.Refused(node, $"the input is {x.Type}; expected bool.");
        var y = Reduced(importer, node, kind, importer.Emit(node, new CastOperator(ElementType.UInt8), x));
        importer.Set(node, importer.Emit(node, new CastOperator(ElementType.Bool), y));
    }

    private static Value Reduced(TFLiteImporter importer, TFLiteNode node, ReduceKind kind, Value x) =>
        importer.Emit(node, new ReduceOperator(kind, Axes(importer, node, x), KeepsDimensions(node)), x);

    private static int[] Axes(TFLiteImporter importer, TFLiteNode node, Value x) =>
        [.. importer.Integers(node, 1, "axes").Select(axis => TensorAxis.Resolve(axis, x.Shape.Rank)).Distinct().Order()];

    private static bool KeepsDimensions(TFLiteNode node) => node.Options(ReducerOptions).Bool(0);
}
