namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>EQUAL, LESS and their like, logic, and SELECT.</summary>
internal static class ComparisonOperators
{
    public static void ReadEqual(TFLiteImporter importer, TFLiteNode node) => Compare(importer, node, BinaryKind.Equal);

    public static void ReadNotEqual(TFLiteImporter importer, TFLiteNode node) => Compare(importer, node, BinaryKind.Equal, negated: true);

    public static void ReadLess(TFLiteImporter importer, TFLiteNode node) => Compare(importer, node, BinaryKind.Less);

    public static void ReadLessEqual(TFLiteImporter importer, TFLiteNode node) => Compare(importer, node, BinaryKind.LessOrEqual);

    public static void ReadGreater(TFLiteImporter importer, TFLiteNode node) => Compare(importer, node, BinaryKind.Greater);

    public static void ReadGreaterEqual(TFLiteImporter importer, TFLiteNode node) => Compare(importer, node, BinaryKind.GreaterOrEqual);

    public static void ReadLogicalAnd(TFLiteImporter importer, TFLiteNode node) => Logic(importer, node, BinaryKind.And);

    public static void ReadLogicalOr(TFLiteImporter importer, TFLiteNode node) => Logic(importer, node, BinaryKind.Or);

    public static void ReadSelect(TFLiteImporter importer, TFLiteNode node)
    {
        // A row of conditions chooses whole slices along the first dimension.
        var (condition, a) = (importer.Input(node, 0), importer.Input(node, 1));
        if (condition.Shape.Rank == 1 && a.Shape.Rank > 1 && condition.Shape[0] == a.Shape[0])
        {
            int[] column = [condition.Shape[0], .. Enumerable.Repeat(1, a.Shape.Rank - 1)];
            condition = ShapeOperators.Reshaped(importer, node, condition, column);
        }

        importer.Set(node, importer.Emit(node, new WhereOperator(), condition, a, importer.Input(node, 2)));
    }

    public static void ReadSelectV2(TFLiteImporter importer, TFLiteNode node) => importer.Set(
        node, importer.Emit(node, new WhereOperator(), importer.Input(node, 0), importer.Input(node, 1), importer.Input(node, 2)));

    private static void Compare(TFLiteImporter importer, TFLiteNode node, BinaryKind kind, bool negated = false)
    {
        var (a, b) = (importer.Input(node, 0), importer.Input(node, 1));
        Operator op = a.Type is { Quantization: not null } && a.Type.Element.IsByte()
            ? new TFLiteCompareOperator(kind)
            : new BinaryOperator(kind, Activation.None);
        var y = importer.Emit(node, op, a, b);
        importer.Set(node, negated ? importer.Emit(node, new UnaryOperator(UnaryKind.Not), y) : y);
    }

    private static void Logic(TFLiteImporter importer, TFLiteNode node, BinaryKind kind) => importer.Set(
        node, importer.Emit(node, new BinaryOperator(kind, Activation.None), importer.Input(node, 0), importer.Input(node, 1)));
}
