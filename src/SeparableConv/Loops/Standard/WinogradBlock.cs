namespace SeparableConv.Loops;

/// <summary>
/// Tiles that are computed together, and where their transformed input and their products lie: for each of the 16 numbers of
/// a transformed tile a matrix with a row a tile.
/// </summary>
internal unsafe struct WinogradBlock
{
    // Planes are read and written side by side: each begins in other sets of the first-level cache than its neighbours.
    private const nint PlaneSkew = 64;

    private const nint PlaneGrain = 1024;

    /// <summary>The first tile of the block.</summary>
    public long First;

    /// <summary>One past the last tile.</summary>
    public long End;

    /// <summary>Transformed input (16, tiles, C).</summary>
    public float* Input;

    /// <summary>Products (16, tiles, O), not yet transformed.</summary>
    public float* Output;

    /// <summary>Floats from one row of <see cref="Input"/> to the next.</summary>
    public nint InputStride;

    /// <summary>Floats from one row of <see cref="Output"/> to the next.</summary>
    public nint OutputStride;

    /// <summary>Floats from one plane of <see cref="Input"/> to the next.</summary>
    public nint InputPlane;

    /// <summary>Floats from one plane of <see cref="Output"/> to the next.</summary>
    public nint OutputPlane;

    /// <summary>Floats for a block of so many tiles.</summary>
    public static nint Size(nint tiles, int inChannels, int outChannels) =>
        WinogradTiles.Planes * (Plane(tiles, inChannels) + Plane(tiles, outChannels));

    public static WinogradBlock Create(float* memory, nint tiles, int inChannels, int outChannels)
    {
        var plane = Plane(tiles, inChannels);
        return new()
        {
            Input = memory,
            Output = memory + (WinogradTiles.Planes * plane),
            InputStride = RowStride(inChannels),
            OutputStride = RowStride(outChannels),
            InputPlane = plane,
            OutputPlane = Plane(tiles, outChannels),
        };
    }

    private static nint Plane(nint tiles, int channels) =>
        (((tiles * RowStride(channels)) + PlaneGrain - 1) / PlaneGrain * PlaneGrain) + PlaneSkew;

    // A power of two from row to row would put all rows of a matrix tile into a few sets of the first-level cache.
    private static nint RowStride(int channels) => Scratch.RowStride((channels + 15) / 16 * 16);
}
