using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>AVERAGE_POOL_2D and MAX_POOL_2D.</summary>
internal static class PoolingOperators
{
    private const int Pool2DOptions = 5;

    public static void ReadAveragePool(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, table, kernel, stride) = Window(importer, node);
        if (!x.Type.Element.IsByte())
        {
            importer.Set(node, importer.Emit(node, Float(node, PoolKind.Average, table, kernel, stride), x));
            return;
        }

        var output = importer.OutputQuantization(node);
        var (min, max) = FusedActivation.Clamp(node, table.Byte(5), output, x.Type.Element);
        var padding = ConvolutionWeights.Padding(node, table.Byte(0));
        importer.Set(node, importer.Emit(node, new TFLiteAveragePoolOperator(kernel, stride, padding, output, min, max), x));
    }

    public static void ReadMaxPool(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, table, kernel, stride) = Window(importer, node);
        if (!x.Type.Element.IsByte())
        {
            importer.Set(node, importer.Emit(node, Float(node, PoolKind.Max, table, kernel, stride), x));
            return;
        }

        var padding = ConvolutionWeights.Padding(node, table.Byte(0));
        var y = importer.Emit(node, new Pool2DOperator(PoolKind.Max, kernel, stride, 1, padding, false, false, Activation.None), x);
        importer.Set(node, table.Byte(5) == 0 ? y : ActivationOperators.Clamped(importer, node, y, table.Byte(5)));
    }

    private static (Value X, FlatTable Table, Size2D Kernel, Size2D Stride) Window(TFLiteImporter importer, TFLiteNode node)
    {
        var table = node.Options(Pool2DOptions);
        return (importer.Input(node, 0), table, (table.Int32(4), table.Int32(3)), (table.Int32(2), table.Int32(1)));
    }

    private static Pool2DOperator Float(TFLiteNode node, PoolKind kind, FlatTable table, Size2D kernel, Size2D stride) => new(
        kind, kernel, stride, 1, ConvolutionWeights.Padding(node, table.Byte(0)), false, false, FusedActivation.Float(node, table.Byte(5)));
}
