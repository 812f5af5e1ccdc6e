namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>Operators of two operands: ADD, MUL and their like.</summary>
internal static class ElementwiseOperators
{
    private const int AddOptions = 11;
    private const int MulOptions = 21;
    private const int SubOptions = 28;
    private const int DivOptions = 29;

    public static void ReadAdd(TFLiteImporter importer, TFLiteNode node) =>
        Binary(importer, node, BinaryKind.Add, node.Options(AddOptions).Byte(0));

    public static void ReadSub(TFLiteImporter importer, TFLiteNode node) =>
        Binary(importer, node, BinaryKind.Sub, node.Options(SubOptions).Byte(0));

    public static void ReadMul(TFLiteImporter importer, TFLiteNode node) =>
        Binary(importer, node, BinaryKind.Mul, node.Options(MulOptions).Byte(0));

    public static void ReadDiv(TFLiteImporter importer, TFLiteNode node) =>
        Binary(importer, node, BinaryKind.Div, node.Options(DivOptions).Byte(0));

    public static void ReadMaximum(TFLiteImporter importer, TFLiteNode node) => Binary(importer, node, BinaryKind.Max, 0);

    public static void ReadMinimum(TFLiteImporter importer, TFLiteNode node) => Binary(importer, node, BinaryKind.Min, 0);

    private static void Binary(TFLiteImporter importer, TFLiteNode node, BinaryKind kind, byte activation)
    {
        var (a, b) = (importer.Input(node, 0), importer.Input(node, 1));
        if (a.Type is { Quantization: not null, Element: ElementType.Int16 })
            throw TFLiteImporter.Refused(node, $"the operands are {a.Type}; quantized numbers of int8 or uint8 are supported.");
        if (a.Type.Element.IsByte())
        {
            importer.Set(node, importer.Emit(node, Quantized(importer, node, kind, activation, a.Type.Element), a, b));
            return;
        }

        if (a.Type.Element != ElementType.Float32)
            FusedActivation.RequireNone(node, activation, a);
        importer.Set(node, importer.Emit(node, new BinaryOperator(kind, FusedActivation.Float(node, activation)), a, b));
    }

    private static Operator Quantized(TFLiteImporter importer, TFLiteNode node, BinaryKind kind, byte activation, ElementType element)
    {
        var output = importer.OutputQuantization(node);
        var (min, max) = FusedActivation.Clamp(node, activation, output, element);
        return kind switch
        {
            BinaryKind.Add => new TFLiteAddOperator(output, min, max, subtract: false),
            BinaryKind.Sub => new TFLiteAddOperator(output, min, max, subtract: true),
            BinaryKind.Mul => new TFLiteMulOperator(output, min, max),
            _ => throw TFLiteImporter.Refused(node, $"quantized numbers are not supported; keep this operator in float."),
        };
    }
}
