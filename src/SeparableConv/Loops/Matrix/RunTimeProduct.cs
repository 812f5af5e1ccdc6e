using System.Diagnostics;

namespace SeparableConv.Loops;

/// <summary>
/// y[r, n] = sum over k of a[r*rowStride + k] * b[k, n] where b is new in every run and a has many rows: some columns of b at a time are
/// packed into the calling thread's working memory, and then are what <see cref="MatrixTile"/> multiplies with. Fewer rows go through
/// <see cref="PlainProduct"/>, with the same bits.
/// </summary>
internal static unsafe class RunTimeProduct
{
    // A panel that is packed for fewer rows is read too seldom to be worth it.
    private const int LeastRows = 16;

    /// <summary>Whether packing pays.</summary>
    public static bool Pays(nint rows, nint depth, int columns) =>
        rows >= LeastRows && columns >= (int)SimdWidth.V128 && depth is > 0 and <= int.MaxValue / 64;

    /// <summary>Panels that the columns are cut into: two vectors each, in the last one to three.</summary>
    public static int Panels(int columns, SimdWidth width) => Math.Max(1, Vectors(columns, width) / 2);

    /// <summary>Computes the columns of one panel on the calling thread.</summary>
    /// <param name="a">The left side.</param>
    /// <param name="rowStride">Floats from one row of it to the next.</param>
    /// <param name="b">(depth, columns), without gaps.</param>
    /// <param name="y">(rows, columns), without gaps.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="depth">Steps of k.</param>
    /// <param name="columns">Columns; at least as many as the narrowest vector has lanes.</param>
    /// <param name="panel">The panel, below <see cref="Panels"/>.</param>
    /// <param name="width">The widest vectors to run with.</param>
    public static void RunPanel(
        float* a, nint rowStride, float* b, float* y, nint rows, int depth, int columns, int panel, SimdWidth width)
    {
        Debug.Assert(Pays(LeastRows, depth, columns), "There is a vector of columns.");
        var table = MatrixTileTable.For(SimdWidths.ForChannels(width, columns), LaneKind.Float);
        var v = table.VectorLength;
        var first = 2 * panel;
        var vectors = panel == Panels(columns, width) - 1 ? Vectors(columns, width) - first : 2;

        // The last vector ends with the last column, over its neighbour.
        var last = Math.Min(v * (vectors - 1), columns - (v * first) - v);
        var packed = Scratch.Floats(((nint)depth + 1) * vectors * v);
        var zeros = packed + ((nint)depth * vectors * v);
        new Span<float>(zeros, vectors * v).Clear();
        var source = b + ((nint)first * v);
        for (var (k, target) = (0, (nint)packed); k < depth; k++, source += columns, target += vectors * v * sizeof(float))
        {
            new ReadOnlySpan<float>(source, v * (vectors - 1)).CopyTo(new Span<float>((float*)target, vectors * v));
            new ReadOnlySpan<float>(source + last, v).CopyTo(new Span<float>((float*)target + (v * (vectors - 1)), v));
        }

        nint segment = 0;
        var tile = table.RowsFor(vectors);
        var arguments = new TileArguments
        {
            Left = a,
            RowStride = rowStride,
            SegmentOffsets = &segment,
            Segments = 1,
            SegmentLength = depth,
            Panel = packed,
            Bias = zeros,
            Output = y + ((nint)first * v),
            OutputStride = columns,
            LastVectorOffset = last,
            LowerBound = float.NegativeInfinity,
            UpperBound = float.PositiveInfinity,
            Prefetch = a + (2 * tile * rowStride),
            PrefetchStep = tile,
        };
        MatrixProduct.RunPanel(table, arguments, vectors, checked((int)rows), rowStride);
    }

    private static int Vectors(int columns, SimdWidth width)
    {
        var v = (int)SimdWidths.ForChannels(width, columns);
        return (columns + v - 1) / v;
    }
}
