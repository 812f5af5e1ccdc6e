using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>The tiles of one vector width and kind of operands, by number of vectors and rows.</summary>
internal sealed unsafe class MatrixTileTable
{
    /// <summary>The shape of a tile of one vector and a half; the other shapes are the number of vectors, 1 to 3.</summary>
    public const int Pair = 4;

    private static readonly MatrixTileTable?[] FloatTables = new MatrixTileTable?[(int)SimdWidth.V512 + 1];
    private static readonly MatrixTileTable?[] ShortPairTables = new MatrixTileTable?[(int)SimdWidth.V512 + 1];
    private static readonly MatrixTileTable?[] ByteQuadTables = new MatrixTileTable?[(int)SimdWidth.V512 + 1];

    // No garbage collection can begin during a call without a GC transition, so such calls stay well under a microsecond: at most 2048
    // multiplications of vectors, or 256 steps where a tile is so small that every step waits for the one before. Measured on Zen 5:
    // 14x2x73 0.31 us, 4x1x256 0.28 us; twice that on a processor that begins one multiplication a cycle. Longer calls take a transition: 5
    // ns.
    private const int MostProductsAtOnce = 2048;
    private const int LeastProductsInStep = 8;

    // Of each end; all but bounds are filled when first asked for.
    private readonly nint[]?[] _tiles = new nint[]?[3];
    private readonly nint[] _rows;
    private readonly bool _isMachineCode;

    private MatrixTileTable(SimdWidth width, int accumulators, nint[] tiles, nint[]? rows = null, bool isMachineCode = false)
    {
        VectorLength = (int)width;
        Accumulators = accumulators;
        (_tiles[(int)TileEnd.Bounds], _rows, _isMachineCode) = (tiles, rows ?? [], isMachineCode);
    }

    /// <summary>Floats in a vector.</summary>
    public int VectorLength { get; }

    /// <summary>Vectors of results that fit in the registers beside the operands.</summary>
    private int Accumulators { get; }

    /// <summary>The tiles for a width and a kind of operands. Only floats have tiles of half a vector (<see cref="Pair"/>).</summary>
    public static MatrixTileTable For(SimdWidth width, LaneKind lanes) => lanes switch
    {
        LaneKind.Float => FloatTables[(int)width] ??= ForFloats(width),
        LaneKind.ShortPair => ShortPairTables[(int)width] ??= ForIntegers<Constant.Is2>(width),
        _ => ByteQuadTables[(int)width] ??= ByteQuadCode.IsSupported && width == SimdWidth.V512
            ? new(width, ByteQuadCode.Accumulators, ByteQuadCode.Shared.Tiles.ToArray(), isMachineCode: true)
            : CompiledByteQuads(width),
    };

    /// <summary>Rows of the tallest tile of a shape.</summary>
    public int RowsFor(int shape) => Math.Min(MatrixTile.MostRows, Accumulators / (shape == Pair ? 2 : shape));

    /// <summary>Whether a single row can take several panels at once (<see cref="MatrixRow"/>): rows of floats alone.</summary>
    public bool HasRows => _rows.Length > 0;

    /// <summary>Computes one row of so many panels of two vectors.</summary>
    public void RunRow(int panels, TileArguments* arguments) => ((delegate*<TileArguments*, void>)_rows[panels - 1])(arguments);

    /// <summary>Computes a tile of a shape.</summary>
    public void Run(int shape, int rows, TileArguments* arguments)
    {
        var tiles = _tiles[(int)arguments->End] ?? FillEnd(arguments->End);
        var tile = tiles[((shape - 1) * MatrixTile.MostRows) + rows - 1];
        if (!_isMachineCode)
            ((delegate*<TileArguments*, void>)tile)(arguments);
        else if (Math.Max(rows * shape, LeastProductsInStep) * (long)arguments->Segments * arguments->SegmentLength <= MostProductsAtOnce)
            ((delegate* unmanaged[Cdecl, SuppressGCTransition]<TileArguments*, void>)tile)(arguments);
        else
            RunLong(tile, arguments);
    }

    // By itself: a method with such a call prepares for it whenever it is entered.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RunLong(nint tile, TileArguments* arguments) => ((delegate* unmanaged[Cdecl]<TileArguments*, void>)tile)(arguments);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private nint[] FillEnd(TileEnd end)
    {
        Debug.Assert(HasRows, "Integers have no other end than bounds.");
        var creation = new EndCreation { End = end };
        ((SimdWidth)VectorLength).Dispatch(ref creation);
        return _tiles[(int)end] = creation.Tiles!;
    }

    private static MatrixTileTable ForFloats(SimdWidth width)
    {
        var creation = new FloatCreation { Width = width };
        width.Dispatch(ref creation);
        return creation.Table!;
    }

    /// <summary>The tiles for four bytes that are not machine code: on 512 bits for tests alone.</summary>
    internal static MatrixTileTable CompiledByteQuads(SimdWidth width) => ForIntegers<Constant.Is4>(width);

    private static MatrixTileTable ForIntegers<TChannels>(SimdWidth width)
        where TChannels : unmanaged, IConstant
    {
        var creation = new IntegerCreation<TChannels> { Width = width };
        width.DispatchIntegers(ref creation);
        return creation.Table!;
    }

    private struct FloatCreation : ISimdWork
    {
        public SimdWidth Width;
        public MatrixTileTable? Table;

        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => Table = Create<TSimd, TVec>(
                Width,
                [
                    (nint)(delegate*<TileArguments*, void>)&MatrixRow.Run<TSimd, TVec, Constant.Is1>,
                    (nint)(delegate*<TileArguments*, void>)&MatrixRow.Run<TSimd, TVec, Constant.Is2>,
                    (nint)(delegate*<TileArguments*, void>)&MatrixRow.Run<TSimd, TVec, Constant.Is3>,
                    (nint)(delegate*<TileArguments*, void>)&MatrixRow.Run<TSimd, TVec, Constant.Is4>,
                ]);
    }

    private struct EndCreation : ISimdWork
    {
        public TileEnd End;
        public nint[]? Tiles;

        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => Tiles = End == TileEnd.HardSwish
                ? Tiles<TSimd, TVec, TileEnds.HardSwish>()
                : Tiles<TSimd, TVec, TileEnds.Shortcut>();
    }

    private struct IntegerCreation<TChannels> : IIntegerSimdWork
        where TChannels : unmanaged, IConstant
    {
        public SimdWidth Width;
        public MatrixTileTable? Table;

        public void Run<TSimd, TVec>()
            where TSimd : struct, IIntegerSimd<TVec>
            where TVec : struct => Table = Create<IntegerTile<TSimd, TVec, TChannels>, TVec>(Width);
    }

    private static MatrixTileTable Create<TSimd, TVec>(SimdWidth width, nint[]? rows = null)
        where TSimd : struct, ITileSimd<TVec>
        where TVec : struct => new(width, 2 * TSimd.TileRows, Tiles<TSimd, TVec, TileEnds.Bounds>(), rows);

    private static nint[] Tiles<TSimd, TVec, TEnd>()
        where TSimd : struct, ITileSimd<TVec>
        where TVec : struct
        where TEnd : struct
    {
        var tiles = new nint[Pair * MatrixTile.MostRows];
        Fill<TSimd, TVec, Constant.Is1, TEnd>(tiles);
        Fill<TSimd, TVec, Constant.Is2, TEnd>(tiles);
        Fill<TSimd, TVec, Constant.Is3, TEnd>(tiles);
        if (typeof(TSimd) == typeof(Simd512))
            FillPair<TEnd>(tiles);
        return tiles;
    }

    private static void Fill<TSimd, TVec, TVectors, TEnd>(nint[] tiles)
        where TSimd : struct, ITileSimd<TVec>
        where TVec : struct
        where TVectors : unmanaged, IConstant
        where TEnd : struct
    {
        var at = (TVectors.Value - 1) * MatrixTile.MostRows;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is1, TVectors, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is2, TVectors, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is3, TVectors, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is4, TVectors, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is5, TVectors, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is6, TVectors, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is7, TVectors, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is8, TVectors, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is9, TVectors, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is10, TVectors, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is11, TVectors, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is12, TVectors, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is13, TVectors, TEnd>;
        tiles[at] = (nint)(delegate*<TileArguments*, void>)&MatrixTile.Run<TSimd, TVec, Constant.Is14, TVectors, TEnd>;
    }

    private static void FillPair<TEnd>(nint[] tiles)
        where TEnd : struct
    {
        var at = (Pair - 1) * MatrixTile.MostRows;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is1, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is2, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is3, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is4, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is5, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is6, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is7, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is8, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is9, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is10, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is11, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is12, TEnd>;
        tiles[at++] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is13, TEnd>;
        tiles[at] = (nint)(delegate*<TileArguments*, void>)&MatrixPairTile.Run<Constant.Is14, TEnd>;
    }
}
