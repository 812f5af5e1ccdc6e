namespace SeparableConv.Loops;

/// <summary>The outer tiles of one vector width, by number of vectors and rows.</summary>
internal sealed unsafe class OuterTileTable
{
    private const int MostVectors = 3;

    private static readonly OuterTileTable?[] Tables = new OuterTileTable?[(int)SimdWidth.V512 + 1];

    private readonly nint[] _tiles;

    private OuterTileTable(int vectorLength, int accumulators, nint[] tiles)
    {
        VectorLength = vectorLength;
        Accumulators = accumulators;
        _tiles = tiles;
    }

    /// <summary>Floats in a vector.</summary>
    public int VectorLength { get; }

    private int Accumulators { get; }

    /// <summary>The tiles for a width.</summary>
    public static OuterTileTable For(SimdWidth width) => Tables[(int)width] ??= Create(width);

    /// <summary>Rows of the tallest tile of so many vectors.</summary>
    public int RowsFor(int vectors) => Math.Min(MatrixTile.MostRows, Accumulators / vectors);

    /// <summary>Computes a tile.</summary>
    public void Run(int vectors, int rows, OuterArguments* arguments) =>
        ((delegate*<OuterArguments*, void>)_tiles[((vectors - 1) * MatrixTile.MostRows) + rows - 1])(arguments);

    private static OuterTileTable Create(SimdWidth width)
    {
        var creation = default(Creation);
        width.Dispatch(ref creation);
        return creation.Table!;
    }

    private struct Creation : ISimdWork
    {
        public OuterTileTable? Table;

        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            var tiles = new nint[MostVectors * MatrixTile.MostRows];
            Fill<TSimd, TVec, Constant.Is1>(tiles);
            Fill<TSimd, TVec, Constant.Is2>(tiles);
            Fill<TSimd, TVec, Constant.Is3>(tiles);
            Table = new OuterTileTable(TSimd.Count, 2 * TSimd.TileRows, tiles);
        }
    }

    private static void Fill<TSimd, TVec, TVectors>(nint[] tiles)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TVectors : unmanaged, IConstant
    {
        var at = (TVectors.Value - 1) * MatrixTile.MostRows;
        tiles[at++] = (nint)(delegate*<OuterArguments*, void>)&OuterTile.Run<TSimd, TVec, Constant.Is1, TVectors>;
        tiles[at++] = (nint)(delegate*<OuterArguments*, void>)&OuterTile.Run<TSimd, TVec, Constant.Is2, TVectors>;
        tiles[at++] = (nint)(delegate*<OuterArguments*, void>)&OuterTile.Run<TSimd, TVec, Constant.Is3, TVectors>;
        tiles[at++] = (nint)(delegate*<OuterArguments*, void>)&OuterTile.Run<TSimd, TVec, Constant.Is4, TVectors>;
        tiles[at++] = (nint)(delegate*<OuterArguments*, void>)&OuterTile.Run<TSimd, TVec, Constant.Is5, TVectors>;
        tiles[at++] = (nint)(delegate*<OuterArguments*, void>)&OuterTile.Run<TSimd, TVec, Constant.Is6, TVectors>;
        tiles[at++] = (nint)(delegate*<OuterArguments*, void>)&OuterTile.Run<TSimd, TVec, Constant.Is7, TVectors>;
        tiles[at++] = (nint)(delegate*<OuterArguments*, void>)&OuterTile.Run<TSimd, TVec, Constant.Is8, TVectors>;
        tiles[at++] = (nint)(delegate*<OuterArguments*, void>)&OuterTile.Run<TSimd, TVec, Constant.Is9, TVectors>;
        tiles[at++] = (nint)(delegate*<OuterArguments*, void>)&OuterTile.Run<TSimd, TVec, Constant.Is10, TVectors>;
        tiles[at++] = (nint)(delegate*<OuterArguments*, void>)&OuterTile.Run<TSimd, TVec, Constant.Is11, TVectors>;
        tiles[at++] = (nint)(delegate*<OuterArguments*, void>)&OuterTile.Run<TSimd, TVec, Constant.Is12, TVectors>;
        tiles[at++] = (nint)(delegate*<OuterArguments*, void>)&OuterTile.Run<TSimd, TVec, Constant.Is13, TVectors>;
        tiles[at] = (nint)(delegate*<OuterArguments*, void>)&OuterTile.Run<TSimd, TVec, Constant.Is14, TVectors>;
    }
}
