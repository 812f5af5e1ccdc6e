namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>Functions of single elements that are no activations: ABS, EXP, SQRT and their like.</summary>
internal static class FunctionOperators
{
    public static void ReadAbs(TFLiteImporter importer, TFLiteNode node) =>
        Function(importer, node, UnaryKind.Abs, (element, output) => new TFLiteAbsOperator(element, output));

    public static void ReadExp(TFLiteImporter importer, TFLiteNode node) => Function(
        importer, node, UnaryKind.Exp, (element, output) => new TFLiteFunctionOperator(TFLiteFunction.Exp, element, output));

    public static void ReadLog(TFLiteImporter importer, TFLiteNode node) => Function(
        importer, node, UnaryKind.Log, (element, output) => new TFLiteFunctionOperator(TFLiteFunction.Log, element, output));

    public static void ReadSqrt(TFLiteImporter importer, TFLiteNode node) =>
        Function(importer, node, UnaryKind.Sqrt, (element, output) => new TFLiteSqrtOperator(element, output));

    public static void ReadRsqrt(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        if (x.Type.Element.IsByte())
        {
            importer.Set(node, importer.Emit(node, new TFLiteInverseSqrtOperator(x.Type.Element, importer.OutputQuantization(node)), x));
            return;
        }

        var root = importer.Emit(node, new UnaryOperator(UnaryKind.Sqrt), x);
        importer.Set(node, importer.Emit(node, new UnaryOperator(UnaryKind.Reciprocal), root));
    }

    public static void ReadNeg(TFLiteImporter importer, TFLiteNode node)
    {
        // The reference negates int8 as the number that it is, whatever its scale, and has no uint8.
        var x = importer.Input(node, 0);
        if (x.Type.Element == ElementType.UInt8)
            throw TFLiteImporter.Refused(node, $"the input is {x.Type}; expected floats, integers with a sign, or int8.");
        x = x.Type.Element == ElementType.Int8 ? x : importer.Numbers(node, 0);
        importer.Set(node, importer.Emit(node, new UnaryOperator(UnaryKind.Neg), x));
    }

    public static void ReadSquare(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Numbers(node, 0);
        importer.Set(node, importer.Emit(node, new BinaryOperator(BinaryKind.Mul, Activation.None), x, x));
    }

    public static void ReadSin(TFLiteImporter importer, TFLiteNode node) => Function(importer, node, UnaryKind.Sin);

    public static void ReadCos(TFLiteImporter importer, TFLiteNode node) => Function(importer, node, UnaryKind.Cos);

    public static void ReadFloor(TFLiteImporter importer, TFLiteNode node) => Function(importer, node, UnaryKind.Floor);

    public static void ReadCeil(TFLiteImporter importer, TFLiteNode node) => Function(importer, node, UnaryKind.Ceil);

    public static void ReadRound(TFLiteImporter importer, TFLiteNode node) => Function(importer, node, UnaryKind.Round);

    public static void ReadSign(TFLiteImporter importer, TFLiteNode node) => Function(importer, node, UnaryKind.Sign);

    public static void ReadLogicalNot(TFLiteImporter importer, TFLiteNode node) => Function(importer, node, UnaryKind.Not);

    private static void Function(TFLiteImporter importer, TFLiteNode node, UnaryKind kind) =>
        importer.Set(node, importer.Emit(node, new UnaryOperator(kind), importer.Numbers(node, 0)));

    private static void Function(
        TFLiteImporter importer, TFLiteNode node, UnaryKind kind, Func<ElementType, Quantization, Operator> quantized)
    {
        var x = importer.Input(node, 0);
        if (x.Type.Element.IsByte())
            importer.Set(node, importer.Emit(node, quantized(x.Type.Element, importer.OutputQuantization(node)), x));
        else
            importer.Set(node, importer.Emit(node, new UnaryOperator(kind), importer.Numbers(node, 0)));
    }
}
