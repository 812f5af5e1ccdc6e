namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>AVERAGE_POOL_2D, MAX_POOL_2D and L2_POOL_2D.</summary>
internal static class PoolingOperators
{
    private const int Pool2DOptions = 5;

    public static void ReadAveragePool(TFLiteImporter importer, TFLiteNode node)
    {
        var window = Window.Read(node);
        importer.Set(node, FusedActivation.Layer(
            importer,
            node,
            window.Activation,
            activation => window.Pool(PoolKind.Average, activation),
            (output, min, max) => new TFLiteAveragePoolOperator(window.Kernel, window.Stride, window.Padding, output, min, max),
            importer.Input(node, 0)));
    }

    public static void ReadMaxPool(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, window) = (importer.Input(node, 0), Window.Read(node));
        if (!x.Type.Element.IsByte() && x.Type.Element != ElementType.Int16)
        {
            importer.Set(node, importer.Emit(node, window.Pool(PoolKind.Max, FusedActivation.Float(node, window.Activation)), x));
            return;
        }

        var y = importer.Emit(node, window.Pool(PoolKind.Max, Activation.None), x);
        importer.Set(node, window.Activation == 0 ? y : ActivationOperators.Clamped(importer, node, y, window.Activation));
    }

    public static void ReadL2Pool(TFLiteImporter importer, TFLiteNode node)
    {
        // The root of the mean square; what is outside does not count.
        var (x, window) = (importer.Numbers(node, 0), Window.Read(node));
        var squares = importer.Emit(node, new BinaryOperator(BinaryKind.Mul, Activation.None), x, x);
        var mean = importer.Emit(node, window.Pool(PoolKind.Average, Activation.None), squares);
        var y = importer.Emit(node, new UnaryOperator(UnaryKind.Sqrt), mean);
        var activation = FusedActivation.Float(node, window.Activation);
        importer.Set(node, activation.IsNone ? y : importer.Emit(node, new ActivationOperator(activation), y));
    }

    private readonly record struct Window(Size2D Kernel, Size2D Stride, Padding Padding, byte Activation)
    {
        public static Window Read(TFLiteNode node)
        {
            var table = node.Options(Pool2DOptions);
            return new(
                (table.Int32(4), table.Int32(3)),
                (table.Int32(2), table.Int32(1)),
                ConvolutionWeights.Padding(node, table.Byte(0)),
                table.Byte(5));
        }

        public Pool2DOperator Pool(PoolKind kind, Activation activation) =>
            new(kind, Kernel, Stride, 1, Padding, ceilMode: false, countIncludePad: false, activation);
    }
}
