using System.Runtime.Intrinsics;

namespace SeparableConv.Kernels;

/// <summary>The compiled tiles of one vector width, by number of vectors and rows.</summary>
internal sealed unsafe class MatrixTileTable
{
    /// <summary>The shape of a tile of one vector and a half; the other shapes are the number of vectors, 1 to 3.</summary>
    public const int Pair = 4;

    private static readonly MatrixTileTable?[] Tables = new MatrixTileTable?[(int)SimdWidth.V512 + 1];
    private static readonly MatrixTileTable?[] ShortPairTables = new MatrixTileTable?[(int)SimdWidth.V512 + 1];

    private readonly nint[] _tiles;

    private MatrixTileTable(SimdWidth width, int accumulators, nint[] tiles)
    {
        VectorLength = (int)width;
        Accumulators = accumulators;
        _tiles = tiles;
    }

    /// <summary>Floats in a vector.</summary>
    public int VectorLength { get; }

    /// <summary>Vectors of results that fit in the registers beside the operands.</summary>
    private int Accumulators { get; }

    public static MatrixTileTable For(SimdWidth width) => Tables[(int)width] ??= width switch
    {
        SimdWidth.V512 => Create<Simd512, Vector512<float>>(width),
        SimdWidth.V256 => Create<Simd256, Vector256<float>>(width),
        SimdWidth.V128 => Create<Simd128, Vector128<float>>(width),
        _ => Create<SimdScalar, float>(width),
    };

    /// <summary>The tiles that multiply pairs of 16-bit numbers and sum in 32 bits: there is none for half a vector.</summary>
    public static MatrixTileTable ForShortPairs(SimdWidth width) => ShortPairTables[(int)width] ??= width switch
    {
        SimdWidth.V512 => Create<ShortPairs512, Vector512<float>>(width),
        SimdWidth.V256 => Create<ShortPairs256, Vector256<float>>(width),
        SimdWidth.V128 => Create<ShortPairs128, Vector128<float>>(width),
        _ => Create<ShortPairsScalar, float>(width),
    };

    /// <summary>Rows of the tallest tile of a shape.</summary>
    public int RowsFor(int shape) => Math.Min(MatrixTile.MostRows, Accumulators / (shape == Pair ? 2 : shape));

    public delegate*<TileArguments*, void> Tile(int shape, int rows) =>
        (delegate*<TileArguments*, void>)_tiles[((shape - 1) * MatrixTile.MostRows) + rows - 1];

    private static MatrixTileTable Create<TSimd, TVec>(SimdWidth width)
        where TSimd : struct, ITileSimd<TVec>
        where TVec : struct
    {
        var tiles = new nint[Pair * MatrixTile.MostRows];
        Fill<TSimd, TVec, Constant.Is1>(tiles);
        Fill<TSimd, TVec, Constant.Is2>(tiles);
        Fill<TSimd, TVec, Constant.Is3>(tiles);
        if (typeof(TSimd) == typeof(Simd512))
            FillPair(tiles);
        return new MatrixTileTable(width, 2 * TSimd.TileRows, tiles);
    }

    private static void Fill<TSimd, TVec, TVectors>(nint[] tiles)
        where TSimd : struct, ITileSimd<TVec>
        where TVec : struct
        where TVectors : unmanaged, IConstant
    {
        var at = (TVectors.Value - 1) * MatrixTile.MostRows;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is1, TVectors>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is2, TVectors>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is3, TVectors>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is4, TVectors>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is5, TVectors>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is6, TVectors>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is7, TVectors>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is8, TVectors>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is9, TVectors>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is10, TVectors>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is11, TVectors>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is12, TVectors>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is13, TVectors>;
        tiles[at] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is14, TVectors>;
    }

    private static void FillPair(nint[] tiles)
    {
        var at = (Pair - 1) * MatrixTile.MostRows;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is1>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is2>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is3>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is4>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is5>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is6>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is7>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is8>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is9>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is10>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is11>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is12>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is13>;
        tiles[at] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is14>;
    }
}
