namespace SeparableConv.Loops;

/// <summary>
/// The output of a 3x3 convolution of stride 1 in squares of 2x2 pixels, numbered through the rows of all images. Each reads
/// 4x4 input pixels; the last of a row or a column may be cut.
/// </summary>
internal readonly record struct WinogradTiles
{
    /// <summary>Output pixels on a side of a tile.</summary>
    public const int Side = 2;

    /// <summary>Input pixels on the side of the square that a tile reads.</summary>
    public const int InputSide = 4;

    /// <summary>Numbers of a transformed tile, and so matrix products.</summary>
    public const int Planes = InputSide * InputSide;

    public WinogradTiles(in ConvGeometry geometry)
    {
        Geometry = geometry;
        InRow = (geometry.Columns.Out + 1) / Side;
        InImage = (long)InRow * ((geometry.Rows.Out + 1) / Side);
    }

    public ConvGeometry Geometry { get; }

    /// <summary>Tiles across an image.</summary>
    public int InRow { get; }

    /// <summary>Tiles of an image.</summary>
    public long InImage { get; }

    /// <summary>Tiles of the batch.</summary>
    public long Count => InImage * Geometry.Batch;

    /// <summary>
    /// The tiles from <paramref name="first"/> on that lie in the same row of tiles, up to and without <paramref name="end"/>.
    /// </summary>
    public WinogradTileRun RunAt(long first, long end)
    {
        var (image, rest) = Math.DivRem(first, InImage);
        var (row, column) = Math.DivRem(rest, InRow);
        return new((int)image, (int)row, (int)column, (int)Math.Min(InRow, column + end - first));
    }
}

/// <summary>Neighbouring tiles of one row of tiles: columns First up to and without End.</summary>
internal readonly record struct WinogradTileRun(int Image, int Row, int First, int End)
{
    public int Count => End - First;
}
