namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>L2_NORMALIZATION, LOCAL_RESPONSE_NORMALIZATION and LOG_SOFTMAX, along the last dimension.</summary>
internal static class NormalizationOperators
{
    private const int L2NormOptions = 12;
    private const int LocalResponseOptions = 13;

    // What the reference divides by at least.
    private const float LeastNorm = 1e-6f;

    public static void ReadL2Normalization(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var activation = node.Options(L2NormOptions).Byte(0);
        if (x.Type.Element.IsByte())
        {
            FusedActivation.RequireNone(node, activation, x);
            importer.Set(node, importer.Emit(node, new TFLiteL2NormalizationOperator(importer.OutputQuantization(node)), x));
            return;
        }

        var squares = importer.Emit(node, new BinaryOperator(BinaryKind.Mul, Activation.None), x, x);
        var sum = importer.Emit(node, new ReduceOperator(ReduceKind.Sum, [-1], keepDimensions: true), squares);
        var norm = importer.Emit(node, new UnaryOperator(UnaryKind.Sqrt), sum);
        norm = importer.Emit(node, new BinaryOperator(BinaryKind.Max, Activation.None), norm, importer.Constant(node, [LeastNorm]));
        importer.Set(node, importer.Emit(node, new BinaryOperator(BinaryKind.Div, FusedActivation.Float(node, activation)), x, norm));
    }

    public static void ReadLocalResponse(TFLiteImporter importer, TFLiteNode node)
    {
        var table = node.Options(LocalResponseOptions);
        var (radius, bias, alpha, beta) = (table.Int32(0), table.Single(1), table.Single(2), table.Single(3));
        var op = new LocalResponseNormalizationOperator(radius, radius, alpha, beta, bias);
        importer.Set(node, importer.Emit(node, op, importer.Input(node, 0)));
    }

    public static void ReadLogSoftmax(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        Operator op = x.Type.Element.IsByte()
            ? new TFLiteLogSoftmaxOperator(importer.OutputQuantization(node))
            : new SoftmaxOperator(-1, logarithm: true);
        importer.Set(node, importer.Emit(node, op, x));
    }
}
