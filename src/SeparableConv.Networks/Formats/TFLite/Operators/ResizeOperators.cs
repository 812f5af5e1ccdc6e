namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR.</summary>
internal static class ResizeOperators
{
    private const int ResizeBilinearOptions = 15;
    private const int ResizeNearestNeighborOptions = 74;

    public static void ReadResizeBilinear(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, size, table) = (importer.Input(node, 0), Size(importer, node), node.Options(ResizeBilinearOptions));
        var (align, half) = Centres(node, table.Bool(2), table.Bool(3));
        var coordinates = align ? CoordinateMode.AlignCorners : half ? CoordinateMode.HalfPixel : CoordinateMode.Asymmetric;
        Operator op = x.Type.Element.IsByte()
            ? new TFLiteResizeBilinearOperator(size.Height, size.Width, align, half)
            : new ResizeOperator(ResizeMode.Linear, size.Height, size.Width, null, null, coordinates);
        importer.Set(node, importer.Emit(node, op, x));
    }

    public static void ReadResizeNearest(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, size, table) = (importer.Input(node, 0), Size(importer, node), node.Options(ResizeNearestNeighborOptions));
        var (align, half) = Centres(node, table.Bool(0), table.Bool(1));
        var coordinates = align ? CoordinateMode.AlignCorners : half ? CoordinateMode.TfHalfPixelForNearest : CoordinateMode.Asymmetric;
        var rounding = align ? NearestRounding.RoundPreferCeil : NearestRounding.Floor;
        var op = new ResizeOperator(ResizeMode.Nearest, size.Height, size.Width, null, null, coordinates, rounding);
        importer.Set(node, importer.Emit(node, op, x));
    }

    private static Size2D Size(TFLiteImporter importer, TFLiteNode node) => importer.Integers(node, 1, "size") is [var height, var width]
        ? new(height, width)
        : throw TFLiteImporter.Refused(node, $"the size (input 1) must be two numbers, height and width.");

    private static (bool Align, bool Half) Centres(TFLiteNode node, bool align, bool half) => align && half
        ? throw TFLiteImporter.Refused(
            node, $"corners are to be aligned and pixel centres to lie half a pixel inside; it can be one of both.")
        : (align, half);
}
