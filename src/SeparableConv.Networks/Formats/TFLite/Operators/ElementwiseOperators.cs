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

    public static void ReadMaximum(TFLiteImporter importer, TFLiteNode node) => Plain(importer, node, BinaryKind.Max);

    public static void ReadMinimum(TFLiteImporter importer, TFLiteNode node) => Plain(importer, node, BinaryKind.Min);

    public static void ReadPow(TFLiteImporter importer, TFLiteNode node) =>
        importer.Set(node, Numbers(importer, node, BinaryKind.Pow, importer.Numbers(node, 0), importer.Numbers(node, 1)));

    public static void ReadFloorMod(TFLiteImporter importer, TFLiteNode node) =>
        importer.Set(node, Numbers(importer, node, BinaryKind.Mod, importer.Numbers(node, 0), importer.Numbers(node, 1)));

    public static void ReadFloorDiv(TFLiteImporter importer, TFLiteNode node)
    {
        var (a, b) = (importer.Numbers(node, 0), importer.Numbers(node, 1));
        if (a.Type.Element.IsFloat())
        {
            var quotient = Numbers(importer, node, BinaryKind.Div, a, b);
            importer.Set(node, importer.Emit(node, new UnaryOperator(UnaryKind.Floor), quotient));
            return;
        }

        // Without the remainder, which has the divisor's sign, the division of integers is exact.
        var whole = Numbers(importer, node, BinaryKind.Sub, a, Numbers(importer, node, BinaryKind.Mod, a, b));
        importer.Set(node, Numbers(importer, node, BinaryKind.Div, whole, b));
    }

    public static void ReadSquaredDifference(TFLiteImporter importer, TFLiteNode node)
    {
        var (a, b) = (importer.Input(node, 0), importer.Input(node, 1));
        if (a.Type.Element.IsByte())
        {
            importer.Set(node, importer.Emit(node, new TFLiteSquaredDifferenceOperator(importer.OutputQuantization(node)), a, b));
            return;
        }

        (a, b) = (importer.Numbers(node, 0), importer.Numbers(node, 1));
        var difference = Numbers(importer, node, BinaryKind.Sub, a, b);
        importer.Set(node, Numbers(importer, node, BinaryKind.Mul, difference, difference));
    }

    public static void ReadAddN(TFLiteImporter importer, TFLiteNode node)
    {
        var sum = importer.Numbers(node, 0);
        for (var i = 1; i < node.Inputs.Length; i++)
            sum = Numbers(importer, node, BinaryKind.Add, sum, importer.Numbers(node, i));
        importer.Set(node, sum);
    }

    private static Value Numbers(TFLiteImporter importer, TFLiteNode node, BinaryKind kind, Value a, Value b) =>
        importer.Emit(node, new BinaryOperator(kind, Activation.None), a, b);

    // Of bytes the reference takes the larger or lesser byte; all three tensors are said to have one scale.
    private static void Plain(TFLiteImporter importer, TFLiteNode node, BinaryKind kind) =>
        importer.Set(node, Numbers(importer, node, kind, importer.Input(node, 0), importer.Input(node, 1)));

    private static void Binary(TFLiteImporter importer, TFLiteNode node, BinaryKind kind, byte activation)
    {
        var (a, b) = (importer.Input(node, 0), importer.Input(node, 1));
        if (a.Type is { Quantization: not null, Element: ElementType.Int16 })
        {
            var output = importer.OutputQuantization(node);
            var (min, max) = FusedActivation.Clamp(node, activation, output, ElementType.Int16);
            importer.Set(node, importer.Emit(node, new TFLiteWideBinaryOperator(kind, output, min, max), a, b));
            return;
        }

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
            _ => new TFLiteDivOperator(output, min, max),
        };
    }
}
