namespace SeparableConv.Loops;

/// <summary>
/// How sums over a batch are cut: into parts whose sums are made one by one, each in order, and then added in order. The cut depends on the
/// sizes alone, so the sums have the same bits on any number of threads.
/// </summary>
internal readonly record struct GradientParts(int Images, int ImageParts, int Rows, int Bands)
{
    private const int Wanted = 16;
    private const int LeastBandRows = 4;
    private const int LeastParts = 4;
    private const int LeastPixels = 4 * MatrixTile.MostRows;
    private const int MostWeightsRead = 4 * 1024 * 1024;

    public int Count => ImageParts * Bands;

    /// <summary>Cuts into about 16 parts: images where there are enough of them, else bands of their rows too.</summary>
    public static GradientParts Cut(int images, int rows)
    {
        var imageParts = Math.Min(images, Wanted);
        var bands = Math.Clamp((Wanted + imageParts - 1) / imageParts, 1, Math.Max(1, rows / LeastBandRows));
        return new(images, imageParts, rows, bands);
    }

    /// <summary>
    /// Cuts rows of pixels that are read by themselves, where every part also reads all of so many weights: fewer parts then, as long as a
    /// few threads are served.
    /// </summary>
    public static GradientParts CutRows(int rows, int columns, long weights)
    {
        var most = Math.Clamp(MostWeightsRead / Math.Max(1, weights), LeastParts, Wanted);
        var parts = Math.Clamp((long)rows * columns / LeastPixels, 1, Math.Min(most, rows));
        return new(1, 1, rows, (int)parts);
    }

    /// <summary>The images and rows of a part.</summary>
    public (int FirstImage, int EndImage, int FirstRow, int EndRow) Part(int part)
    {
        var (image, band) = Math.DivRem(part, Bands);
        return (
            (int)((long)Images * image / ImageParts),
            (int)((long)Images * (image + 1) / ImageParts),
            (int)((long)Rows * band / Bands),
            (int)((long)Rows * (band + 1) / Bands));
    }
}
