using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>Reads the resizing operators.</summary>
internal static class ResizeImport
{
    private const int ResizeBilinearOptions = 15;
    private const int ResizeNearestNeighborOptions = 74;
    private const int MostPixels = 65536;

    public static void Bilinear(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, size, table) = (importer.Input(node, 0), Size(importer, node), node.Options(ResizeBilinearOptions));
        var (align, half) = (table.Bool(2), table.Bool(3));
        Operator op = x.Type.Element.IsByte()
            ? new QuantizedResizeBilinearOperator(size.Height, size.Width, align, half)
            : new ResizeOperator(ResizeMode.Linear, size.Height, size.Width, null, null, Coordinates(align, half), NearestRounding.Floor);
        importer.Set(node, importer.Emit(node, op, x));
    }

    public static void Nearest(TFLiteImporter importer, TFLiteNode node)
    {
        // Which row and column each output pixel takes, in single precision as TensorFlow Lite finds it.
        var (x, size, table) = (importer.Input(node, 0), Size(importer, node), node.Options(ResizeNearestNeighborOptions));
        if (x.Shape.Rank != 4)
            throw TFLiteImporter.Refused(node, $"the input is {x.Type}; expected 4 dimensions (N, height, width, channels).");
        var (align, half) = (table.Bool(0), table.Bool(1));
        var rows = importer.Constant(node, Nearest(x.Shape[1], size.Height, align, half), size.Height);
        var columns = importer.Constant(node, Nearest(x.Shape[2], size.Width, align, half), size.Width);
        var wide = importer.Emit(node, new GatherOperator(2), x, columns);
        importer.Set(node, importer.Emit(node, new GatherOperator(1), wide, rows));
    }

    private static Size2D Size(TFLiteImporter importer, TFLiteNode node) =>
        importer.Integers(node, 1, "size") is [> 0 and <= MostPixels and var height, > 0 and <= MostPixels and var width]
        ? new(height, width)
        : throw TFLiteImporter.Refused(node, $"the size (input 1) must be two numbers, height and width, of 1 to {MostPixels}.");

    private static int[] Nearest(int input, int output, bool align, bool half)
    {
        var scale = align && output > 1 ? (input - 1) / (float)(output - 1) : input / (float)output;
        var indices = new int[output];
        for (var i = 0; i < output; i++)
        {
            var position = (i + (half ? 0.5f : 0)) * scale;
            var index = align ? MathF.Round(position, MidpointRounding.AwayFromZero) : MathF.Floor(position);
            indices[i] = Math.Clamp((int)index, 0, input - 1);
        }

        return indices;
    }

    private static CoordinateMode Coordinates(bool align, bool half) =>
        align ? CoordinateMode.AlignCorners : half ? CoordinateMode.HalfPixel : CoordinateMode.Asymmetric;
}
