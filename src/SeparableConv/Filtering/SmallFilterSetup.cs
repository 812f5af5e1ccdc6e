using SeparableConv.Loops;

namespace SeparableConv.Filtering;

/// <summary>Gives <see cref="SeparableBands"/> the loop that filters in one pass, where there is one.</summary>
internal static unsafe class SmallFilterSetup
{
    private const int CacheLine = 64;

    // Both ends of a row take two passes.
    private const int LeastElements = 24 * SmallFilterPass.V;

    // Integers are widened once for each of the rows that they are summed into: at seven taps that costs more than keeping the sums in
    // registers saves.
    private const int LongestOfIntegers = 5;

    /// <summary>
    /// The weights as <see cref="SeparableBands.SmallWeights"/>: 3, 5 or 7 taps either way, none of them zero but in the middle; else null.
    /// </summary>
    public static float* Weights(ReadOnlySpan<float> column, ReadOnlySpan<float> row, PinnedTables tables)
    {
        if (!Suits(column) || !Suits(row))
            return null;
        var weights = new float[16];
        column.CopyTo(weights);
        row.CopyTo(weights.AsSpan(8));
        return tables.Add<float>(weights);
    }

    /// <summary>
    /// Gives the bands of whole rows their loop, where rows are wide and, if streamed, begin alike in a cache line. Where sums are
    /// rounded to bytes or words two passes are as quick or quicker: 5x5 on bytes x 3 took 4.9 ms in one and 4.5 in two.
    /// </summary>
    public static void Choose<TIn, TOut>(ref SeparableBands bands, SimdWidth width)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var first = (nint)bands.Pictures.Output;
        var isLong = Math.Max(bands.Terms[0].Span, bands.Before + bands.After + 1) > LongestOfIntegers;
        if (bands.SmallWeights == null || typeof(TOut) != typeof(float) || (isLong && typeof(TIn) != typeof(float))
            || width != SimdWidth.V512
            || bands.Width * bands.Channels < LeastElements
            || (bands.Streams && (first % sizeof(TOut) != 0 || bands.Pictures.OutputRowBytes % CacheLine != 0)))
        {
            return;
        }

        bands.SmallEnd = FilterLoops.Row<float>(width, bands.RowTaps.Taps, bands.RowTaps.Step);
        bands.Small = bands.Streams ? Loop<TIn, Streamed<float>>(bands) : Loop<TIn, float>(bands);
    }

    private static bool Suits(ReadOnlySpan<float> weights) =>
        weights.Length is 3 or 5 or 7 && weights.Count(0f) == (weights[weights.Length / 2] == 0 ? 1 : 0);

    private static delegate*<SmallFilterTaps*, void> Loop<TIn, TOut>(in SeparableBands bands)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var (columnTaps, rowTaps) = (bands.Terms[0].Span, bands.Before + bands.After + 1);
        var hollowColumn = bands.SmallWeights[columnTaps / 2] == 0;
        var hollowRow = bands.SmallWeights[8 + (rowTaps / 2)] == 0;
        return SmallFilterPass.For<TIn, TOut>(columnTaps, hollowColumn, rowTaps, hollowRow, bands.Channels);
    }
}
