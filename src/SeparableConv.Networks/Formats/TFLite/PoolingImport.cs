using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>Reads the pools and the reductions.</summary>
internal static class PoolingImport
{
    private const int Pool2DOptions = 5;
    private const int ReducerOptions = 27;

    public static void AveragePool(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, table, kernel, stride) = Window(importer, node);
        if (!x.Type.Element.IsByte())
        {
            importer.Set(node, importer.Emit(node, Float(node, PoolKind.Average, table, kernel, stride), x));
            return;
        }

        var output = importer.OutputQuantization(node);
        var (min, max) = FusedActivation.Clamp(node, table.Byte(5), output, x.Type.Element);
        var padding = ConvolutionImport.Padding(node, table.Byte(0));
        importer.Set(node, importer.Emit(node, new QuantizedAveragePoolOperator(kernel, stride, padding, output, min, max), x));
    }

    public static void MaxPool(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, table, kernel, stride) = Window(importer, node);
        if (!x.Type.Element.IsByte())
        {
            importer.Set(node, importer.Emit(node, Float(node, PoolKind.Max, table, kernel, stride), x));
            return;
        }

        var padding = ConvolutionImport.Padding(node, table.Byte(0));
        var y = importer.Emit(node, new Pool2DOperator(PoolKind.Max, kernel, stride, 1, padding, false, false, Activation.None), x);
        importer.Set(node, table.Byte(5) == 0 ? y : ActivationImport.Clamped(importer, node, y, table.Byte(5)));
    }

    public static void Mean(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var axes = importer.Integers(node, 1, "axes").Select(axis => ShapeRules.Axis(axis, x.Shape.Rank)).Distinct().Order().ToArray();
        var keeps = node.Options(ReducerOptions).Bool(0);
        Operator op = x.Type.Element.IsByte()
            ? new QuantizedMeanOperator(axes, keeps, importer.OutputQuantization(node))
            : new ReduceOperator(ReduceKind.Mean, axes, keeps);
        importer.Set(node, importer.Emit(node, op, x));
    }

    public static void ArgMax(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, axis) = (importer.Input(node, 0), importer.Integer(node, 1, "axis"));
        var element = importer.OutputTensor(node).Element == ElementType.Int64 ? ElementType.Int64 : ElementType.Int32;
        importer.Set(node, importer.Emit(node, new ArgMaxOperator(ShapeRules.Axis(axis, x.Shape.Rank), false, element), x));
    }

    private static (Value X, FlatTable Table, Size2D Kernel, Size2D Stride) Window(TFLiteImporter importer, TFLiteNode node)
    {
        var table = node.Options(Pool2DOptions);
        return (importer.Input(node, 0), table, (table.Int32(4), table.Int32(3)), (table.Int32(2), table.Int32(1)));
    }

    private static Pool2DOperator Float(TFLiteNode node, PoolKind kind, FlatTable table, Size2D kernel, Size2D stride) => new(
        kind, kernel, stride, 1, ConvolutionImport.Padding(node, table.Byte(0)), false, false, FusedActivation.Float(node, table.Byte(5)));
}
