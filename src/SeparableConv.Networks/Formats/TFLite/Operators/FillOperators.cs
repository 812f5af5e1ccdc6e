namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>Operators that repeat elements or make them from a shape: TILE, BROADCAST_TO, FILL, RANGE and their like.</summary>
internal static class FillOperators
{
    private const int MostNumbers = 1 << 20;

    public static void ReadTile(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        importer.Set(node, importer.Emit(node, new TileOperator(importer.Integers(node, 1, "repeats")), x));
    }

    public static void ReadBroadcastTo(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        importer.Set(node, importer.Emit(node, new ExpandOperator(Shape(importer, node, 1)), x));
    }

    public static void ReadFill(TFLiteImporter importer, TFLiteNode node)
    {
        var number = ShapeOperators.Reshaped(importer, node, importer.Input(node, 1), []);
        importer.Set(node, importer.Emit(node, new ExpandOperator(Shape(importer, node, 0)), number));
    }

    public static void ReadZerosLike(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var type = new TensorType(x.Type.Element, new TensorShape([]), x.Type.Quantization);
        var zero = importer.Constant(node, TensorData.CreateZeros(type));
        importer.Set(node, importer.Emit(node, new ExpandOperator(x.Shape), zero));
    }

    public static void ReadRange(TFLiteImporter importer, TFLiteNode node)
    {
        if (importer.Input(node, 0).Constant?.Values is float[])
        {
            float First(int index, string what) => importer.Input(node, index).Constant?.Values is float[] and [var number]
                ? number
                : throw TFLiteImporter.Refused(node, $"the {what} (input {index}) must be one float32 known when the model is loaded.");
            var (from, step) = (First(0, "start"), First(2, "step"));

            // Counted and added up in single precision, as in the reference.
            var count = Count(node, MathF.Ceiling((First(1, "limit") - from) / step));
            var numbers = new float[count];
            for (var i = 0; i < count; i++, from += step)
                numbers[i] = from;
            importer.Set(node, importer.Constant(node, numbers, count));
            return;
        }

        var (start, delta) = (importer.Integer(node, 0, "start"), importer.Integer(node, 2, "step"));
        var length = Count(node, Math.Ceiling(((double)importer.Integer(node, 1, "limit") - start) / delta));
        if (importer.OutputTensor(node).Element == ElementType.Int64)
            importer.Set(node, importer.Constant(node, Array.ConvertAll(Numbers(start, delta, length), number => (long)number), length));
        else
            importer.Set(node, importer.Constant(node, Numbers(start, delta, length), length));
    }

    private static int[] Numbers(int start, int delta, int length)
    {
        var numbers = new int[length];
        for (var i = 0; i < length; i++)
            numbers[i] = start + (i * delta);
        return numbers;
    }

    private static int Count(TFLiteNode node, double count) => count switch
    {
        <= 0 => 0,
        <= MostNumbers => (int)count,
        _ => throw TFLiteImporter.Refused(node, $"{count} numbers are to be counted out; at most {MostNumbers} are."),
    };

    private static TensorShape Shape(TFLiteImporter importer, TFLiteNode node, int index) => new(importer.Integers(node, index, "shape"));
}
