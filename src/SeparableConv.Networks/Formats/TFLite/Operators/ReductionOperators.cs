namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>MEAN and ARG_MAX.</summary>
internal static class ReductionOperators
{
    private const int ReducerOptions = 27;

    public static void ReadMean(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var axes = importer.Integers(node, 1, "axes").Select(axis => TensorAxis.Resolve(axis, x.Shape.Rank)).Distinct().Order().ToArray();
        var keeps = node.Options(ReducerOptions).Bool(0);
        Operator op = x.Type.Element.IsByte()
            ? new TFLiteMeanOperator(axes, keeps, importer.OutputQuantization(node))
            : new ReduceOperator(ReduceKind.Mean, axes, keeps);
        importer.Set(node, importer.Emit(node, op, x));
    }

    public static void ReadArgMax(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, axis) = (importer.Input(node, 0), importer.Integer(node, 1, "axis"));
        var element = importer.OutputTensor(node).Element == ElementType.Int64 ? ElementType.Int64 : ElementType.Int32;
        importer.Set(node, importer.Emit(node, new ArgExtremeOperator(true, TensorAxis.Resolve(axis, x.Shape.Rank), false, element), x));
    }
}
