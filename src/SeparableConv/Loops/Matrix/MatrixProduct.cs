using System.Diagnostics;

namespace SeparableConv.Loops;

/// <summary>
/// The left operand of a <see cref="MatrixProduct"/>: rows of segments in memory, which may overlap, so that a convolution reads its input
/// where it lies.
/// </summary>
internal unsafe struct LeftRows
{
    /// <summary>The first float of row 0.</summary>
    public float* Start;

    /// <summary>Floats from one row to the next.</summary>
    public nint RowStride;

    public nint Rows;

    /// <summary>Where each segment begins, in floats from the begin of its row.</summary>
    public nint* SegmentOffsets;

    public int Segments;

    /// <summary>Floats in a segment.</summary>
    public int SegmentLength;

    /// <summary>
    /// What the tile of row 0 fetches into the second-level cache while it computes; any address is harmless. Null: the rows two
    /// tiles ahead, or the next weights where they are the larger operand.
    /// </summary>
    public float* Prefetch;

    /// <summary>Floats from one fetch, one step of k, to the next.</summary>
    public nint PrefetchStep;

    /// <summary>Floats by which a tile fetches further on for each row before its own.</summary>
    public nint PrefetchRowStride;
}

/// <summary>
/// Rows times packed weights: output[r, n] = activation(bias[n] + sum over s, k of left[r*rowStride + offset[s] + k] * weights[s, k, n]).
/// The driver of <see cref="MatrixTile"/>: cuts rows into tiles and blocks; threads and borders are its caller's.
/// </summary>
internal static unsafe class MatrixProduct
{
    // A block of rows is read again by every panel and stays in a half of the smallest second-level cache in use (512 KB). All weights
    // are read again by every block, often from beyond that cache: 49 rows of 1024 in two blocks took 1.15 times as long as in one.
    private const int BlockFloats = 64 * 1024;

    /// <summary>
    /// Computes the columns of the panels from <paramref name="firstPanel"/> up to and without <paramref name="endPanel"/>. Of the
    /// activation it does what is done in registers (<see cref="Activation.IsInRegisters"/>); integers have none. A shortcut lies as the
    /// output does and is added behind two bounds; nothing else, nor dots (<see cref="PackedMatrix.IsDots"/>), takes one.
    /// </summary>
    public static void Run(
        PackedMatrix weights, in LeftRows left, float* output, nint outputStride, Activation activation, int firstPanel, int endPanel,
        float* shortcut = null)
    {
        Debug.Assert(shortcut == null || (activation.IsClamp && !weights.IsDots), "Only bounded sums take a shortcut.");
        Debug.Assert(left.Segments * left.SegmentLength == weights.Depth, "The segments add up to the depth of the weights.");
        var most = Math.Max(4 * MatrixTile.MostRows, BlockFloats / weights.Depth);
        var blocks = (left.Rows + most - 1) / most;
        TileArguments arguments = default;
        arguments.RowStride = left.RowStride;
        arguments.SegmentOffsets = left.SegmentOffsets;
        arguments.Segments = left.Segments;
        arguments.SegmentLength = left.SegmentLength;
        arguments.LowerBound = activation.LowerBound;
        arguments.UpperBound = activation.UpperBound;
        arguments.End = activation.IsHardSwish ? TileEnd.HardSwish : shortcut != null ? TileEnd.Shortcut : TileEnd.Bounds;
        arguments.OutputStride = outputStride;
        var panels = weights.Panels;
        if (weights.IsDots)
        {
            Debug.Assert(left.SegmentLength == weights.SegmentLength, "Dots are packed for segments of one length.");
            arguments.Left = left.Start;
            arguments.Panel = panels[0].Weights;
            arguments.Bias = panels[0].Bias;
            arguments.Output = output;
            var width = (SimdWidth)weights.Table.VectorLength;
            var dots = new Dots(arguments, weights.Columns, left.Rows);
            width.Dispatch(ref dots);

            // A dot's lanes are no columns: there is no register to do it in.
            if (activation.IsHardSwish)
                activation.ApplyRows(output, left.Rows, weights.Columns, outputStride, 0, width);
            GC.KeepAlive(weights);
            return;
        }

        for (nint b = 0; b < blocks; b++)
        {
            var row = left.Rows * b / blocks;
            var rows = (int)((left.Rows * (b + 1) / blocks) - row);
            for (var p = firstPanel; p < endPanel; p++)
            {
                ref readonly var panel = ref panels[p];
                arguments.Panel = panel.Weights;
                arguments.Bias = panel.Bias;
                arguments.LastVectorOffset = panel.LastVectorOffset;
                arguments.Left = left.Start + (row * left.RowStride);
                if (rows == 1 && RowPanels(weights, p, endPanel) is > 0 and var count)
                {
                    p += count - 1;
                    arguments.LastVectorOffset = panels[p].LastVectorOffset;
                    arguments.Output = output + (row * outputStride) + panel.FirstColumn;
                    arguments.Shortcut = shortcut == null ? null : shortcut + (row * outputStride) + panel.FirstColumn;
                    weights.Table.RunRow(count, &arguments);
                    continue;
                }

                var fetch = left.Prefetch != null ? left : ChooseFetch(weights, left, rows, Math.Min(p + 1, panels.Length - 1));
                arguments.Prefetch = fetch.Prefetch + (row * fetch.PrefetchRowStride);
                arguments.PrefetchStep = fetch.PrefetchStep;
                arguments.Output = output + (row * outputStride) + panel.FirstColumn;
                arguments.Shortcut = shortcut == null ? null : shortcut + (row * outputStride) + panel.FirstColumn;
                if (weights.Columns < weights.Table.VectorLength)
                    RunNarrow(weights, arguments, rows);
                else
                    RunPanel(weights.Table, arguments, panel.IsPair ? MatrixTileTable.Pair : panel.Vectors, rows, fetch.PrefetchRowStride);
            }
        }

        GC.KeepAlive(weights);
    }

    /// <summary>How many panels from one on a single row takes at once; 0 where the first is of another kind.</summary>
    private static int RowPanels(PackedMatrix weights, int first, int end)
    {
        if (!weights.Table.HasRows || weights.Columns < weights.Table.VectorLength)
            return 0;
        var count = 0;
        while (count < MatrixRow.MostPanels && first + count < end && weights.Panels[first + count] is { Vectors: 2, IsPair: false })
            count++;
        return count;
    }

    private readonly struct Dots(TileArguments arguments, int columns, nint rows) : ISimdWork
    {
        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => DotTile.Run<TSimd, TVec>(arguments, columns, rows);
    }

    // Fetches are spread over the steps of k: a burst of them between two tiles was measured to cost more than it saves.
    private static LeftRows ChooseFetch(PackedMatrix weights, in LeftRows left, int rows, int nextPanel)
    {
        var fetch = left;
        if ((nint)weights.Columns > left.Rows)
        {
            var panelFloats = (nint)weights.Depth * weights.Panels[nextPanel].Vectors * weights.Table.VectorLength;
            fetch.Prefetch = weights.Panels[nextPanel].Weights;
            fetch.PrefetchStep = weights.Table.VectorLength;
            fetch.PrefetchRowStride = panelFloats / rows;
            return fetch;
        }

        var tile = weights.Table.RowsFor(2);
        fetch.Prefetch = left.Start + (2 * tile * left.RowStride);
        fetch.PrefetchStep = tile;
        fetch.PrefetchRowStride = left.RowStride;
        return fetch;
    }

    /// <summary>
    /// One panel: the rows are cut into tiles of as equal a height as can be, since a tile of one row costs nearly what four cost.
    /// </summary>
    public static void RunPanel(MatrixTileTable table, TileArguments arguments, int shape, int rows, nint prefetchRowStride)
    {
        var most = table.RowsFor(shape);
        var tiles = (rows + most - 1) / most;
        var height = rows / tiles;
        var taller = rows % tiles;
        arguments.PrefetchOutputStep = height * arguments.OutputStride / (arguments.Segments * arguments.SegmentLength);
        for (var t = 0; t < tiles; t++)
        {
            var tileRows = t < taller ? height + 1 : height;
            var outputFloats = tileRows * arguments.OutputStride;
            arguments.PrefetchOutput = arguments.Output + (2 * outputFloats);
            table.Run(shape, tileRows, &arguments);
            if (arguments.Shortcut != null)
                arguments.Shortcut += outputFloats;
            arguments.Left += tileRows * arguments.RowStride;
            arguments.Output += outputFloats;
            arguments.Prefetch += tileRows * prefetchRowStride;
        }
    }

    /// <summary>Fewer columns than a vector has lanes: tiles go to a small buffer and the columns are copied from there.</summary>
    private static void RunNarrow(PackedMatrix weights, TileArguments arguments, int rows)
    {
        var v = weights.Table.VectorLength;
        var columns = weights.Columns;
        var most = weights.Table.RowsFor(1);
        var buffer = stackalloc float[MatrixTile.MostRows * v];
        var output = arguments.Output;
        var outputStride = arguments.OutputStride;
        var shortcut = arguments.Shortcut;
        arguments.Output = buffer;
        if (shortcut != null)
            arguments.End = TileEnd.Bounds;
        arguments.Shortcut = null;
        arguments.OutputStride = v;
        for (var row = 0; row < rows; row += most)
        {
            var tileRows = Math.Min(most, rows - row);
            weights.Table.Run(1, tileRows, &arguments);
            arguments.Left += tileRows * arguments.RowStride;
            for (var r = 0; r < tileRows; r++)
            {
                for (var n = 0; n < columns; n++)
                    output[n] = shortcut == null ? buffer[(r * v) + n] : buffer[(r * v) + n] + shortcut[n];
                output += outputStride;
                shortcut = shortcut == null ? null : shortcut + outputStride;
            }
        }
    }
}

/// <summary>
/// How a product is cut into parts for threads: rows into runs, filters into runs of panels, and a part for each pair of the two.
/// </summary>
/// <param name="Rows">Rows in all.</param>
/// <param name="RowParts">Runs of rows.</param>
/// <param name="FilterParts">Runs of panels.</param>
internal readonly record struct ProductParts(nint Rows, int RowParts, int FilterParts)
{
    /// <summary>Below so many rows a thread spends more on half-filled tiles than it saves by having a part of its own.</summary>
    public const int LeastRows = 2 * MatrixTile.MostRows;

    // What a tile must have for a part of the rows to pay where the filters alone would give threads uneven work.
    private const int LeastRowsInUnevenPart = MatrixTile.MostRows;

    public int Count => RowParts * FilterParts;

    /// <summary>
    /// Cuts the rows where there are enough of them; else the filters, where they are <paramref name="divisible"/>, and rows in addition
    /// where those would come out uneven.
    /// </summary>
    public static ProductParts Cut(nint rows, int panels, int threads, bool divisible = true)
    {
        if (threads <= 1)
            return new(rows, 1, 1);
        var rowParts = (int)Math.Min(4 * threads, rows / LeastRows / threads * threads);
        if (rowParts >= threads || !divisible)
            return new(rows, Math.Max(rowParts, (int)Math.Min(threads, rows)), 1);
        if (panels >= threads && panels % threads != 0 && panels < 8 * threads && rows >= threads * LeastRowsInUnevenPart)
            return new(rows, threads, panels);
        return new(rows, Math.Max(1, rowParts), Math.Min(2 * threads, panels));
    }

    /// <summary>The rows of a part, and the number of its run of panels.</summary>
    public (nint First, nint Count, int FilterPart) Part(int part)
    {
        var (filterPart, rowPart) = Math.DivRem(part, RowParts);
        var first = Rows * rowPart / RowParts;
        return (first, (Rows * (rowPart + 1) / RowParts) - first, filterPart);
    }
}
