using System.Runtime.CompilerServices;
using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>One column of a separable filter, prepared: which rows it reads and the loop that sums them.</summary>
internal unsafe struct SeparableTermPlan
{
    /// <summary>Sums four lines at once; null where the column has zeros between its taps that no body is compiled for.</summary>
    public delegate*<ColumnTaps*, void> FourLines;

    /// <summary>Sums one line.</summary>
    public delegate*<ColumnTaps*, void> OneLine;

    /// <summary>The first row read, relative to the row written.</summary>
    public int FirstRow;

    /// <summary>Rows from the first to the last one read: taps, counting zeros between them.</summary>
    public int Span;

    /// <summary>A weight for each row of the span.</summary>
    public float* Weights;

    /// <summary>For <see cref="OneLine"/>: the rows, relative to the first, that have a weight other than zero.</summary>
    public int* Rows;

    /// <summary>The weights of those rows.</summary>
    public float* RowWeights;

    /// <summary>How many they are.</summary>
    public int Taps;

    /// <summary>What the column makes of a constant border: the constant times the sum of the weights.</summary>
    public float BorderSum;
}

/// <summary>
/// A sum of separable filters over an image, cut into bands of rows. For four rows at a time, strip by strip: every term's
/// column pass fills its line in L1, then the row pass reads the lines of all terms and writes rounded pixels.
/// </summary>
/// <remarks>
/// A line is the strip extended by kernelWidth - 1 pixels, so that the row pass tests nothing. From one strip to the next
/// those pixels are moved to the front, not computed again. Columns go first, so a band needs no rows beside its own
/// but the input's, and cutting costs nothing.
/// </remarks>
internal unsafe struct SeparableBands : IParallelWork
{
    private const int LineFloats = 16;

    // The most elements that a streamed row begins before its strip.
    private const int Lead = 32;

    public FilterPair Pictures;
    public int Height;
    public int Width;
    public int Channels;
    public int BandRows;

    /// <summary>The first column read: within reach of those written, or one that stands for a pixel beyond the edge.</summary>
    public int FirstColumn;

    /// <summary>One more than the last column read.</summary>
    public int LastColumn;

    /// <summary>Strips that the columns written are cut into.</summary>
    public int Strips;

    public SeparableTermPlan* Terms;
    public int TermCount;

    /// <summary>The largest span of a term's column.</summary>
    public int LargestSpan;

    public delegate*<RowTaps*, void> Row;

    /// <summary>Whether <see cref="Row"/> writes past the caches (<see cref="Streamed{T}"/>).</summary>
    public bool Streams;

    /// <summary>The row taps of all terms; offsets count from the first term's line.</summary>
    public RowTaps RowTaps;

    /// <summary>Pixels read left of the output pixel.</summary>
    public int Before;

    /// <summary>Pixels read right of the output pixel.</summary>
    public int After;

    /// <summary>Floats from one line to the next.</summary>
    public nint LineStride;

    public BorderMode Border;

    /// <summary>A row of the border's constant; null for other borders.</summary>
    public byte* ConstantRow;

    /// <summary>Source columns of the pixels left (Before of them) and right (After of them) of the image.</summary>
    public int* BorderColumns;

    /// <summary>Sixteen weights for <see cref="Small"/>: eight of the column, eight of the row; null where it has no body.</summary>
    public float* SmallWeights;

    /// <summary>Not null where four rows can be filtered in one pass between their borders.</summary>
    public delegate*<SmallFilterTaps*, void> Small;

    /// <summary><see cref="Row"/> for the ends of rows, which share cache lines: it writes through the caches.</summary>
    public delegate*<RowTaps*, void> SmallEnd;

    // Puts sums as far behind the beginning of a cache line as the pixels that they are of: an array's elements seldom begin on one, and
    // then loads and stores of the column pass do together. In front of it room is left for a streamed row.
    private readonly nint LinePadding =>
        Lead + (((nint)Pictures.Input / sizeof(float)) + ((Pictures.Left - Before) * Channels) & (LineFloats - 1));

    // Columns that stand for what lies beyond the edge may lie left of those within reach, and then of a line's beginning.
    private readonly nint LineLead => Math.Max(0, Pictures.Left - Before - FirstColumn) * Channels;

    private readonly nint RowPointerBytes => (((nint)TermCount * (LargestSpan + 3) * sizeof(void*)) + 63) & ~63;

    /// <summary>Bytes of scratch memory that <see cref="Execute"/> takes from its thread.</summary>
    public readonly nint ScratchBytes => RowPointerBytes + (((4 * TermCount * LineStride) + Lead + LineFloats) * sizeof(float));

    public readonly void Execute(int part)
    {
        var rows = (void**)Scratch.Bytes(ScratchBytes);
        var lines = (float*)((byte*)rows + RowPointerBytes) + LinePadding + LineLead;
        var y = Pictures.Top + (part * BandRows);
        var end = Math.Min(y + BandRows, Pictures.Bottom);

        // Rows are looked at when they have just been read, and a picture that is not opaque is begun anew.
        for (; y < end; y += 4)
        {
            if (y + 4 > end)
                FilterLastRows(y, end, lines, rows);
            else if (Small != null && IsInside(y))
                FilterSmall(y, lines, rows);
            else
                FilterRows(y, 4, lines, rows);
            if (!Pictures.LooksOpaque(y, Math.Min(y + 4, end), Channels))
                return;
        }
    }

    private readonly void FilterLastRows(int y, int end, float* lines, void** rows)
    {
        for (; y < end; y++)
            FilterRows(y, 1, lines, rows);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void FilterRows(int y, int count, float* lines, void** rows)
    {
        FindRows(y, count, rows);
        for (var strip = 0; strip < Strips; strip++)
        {
            var x0 = Pictures.Left + Strip.Start(strip, Strips, Pictures.Right - Pictures.Left);
            var x1 = Pictures.Left + Strip.Start(strip + 1, Strips, Pictures.Right - Pictures.Left);
            var isLast = strip == Strips - 1;
            var c0 = strip == 0 ? FirstColumn : x0 + After;
            var c1 = isLast ? LastColumn : x1 + After;
            for (var t = 0; t < TermCount; t++)
            {
                var term = lines + (t * LineStride);
                SumColumns(t, rows + (t * (LargestSpan + 3)), count, c0, c1, term + ((c0 + Before - x0) * Channels));
                if (strip == 0)
                    Extend(t, term, count, Pictures.Left, Before - Pictures.Left, Before - Pictures.Left, 0);
                if (isLast)
                    Extend(t, term, count, Before, Pictures.Right + After - Width, Before - x0, Width + Before - x0);
            }

            for (var r = 0; r < count; r++)
            {
                var target = Pictures.Output + ((y + r) * Pictures.OutputRowBytes);
                SumRow(lines + (r * TermCount * LineStride), target, x0 * Channels, x1 * Channels, isLast);
            }

            if (!isLast)
                KeepOverlap(lines, count, x1 - x0);
        }

        Pictures.CopyAlpha(y, y + count, Channels);
    }

    // Rows that stand for what lies beyond the edge are not equally far apart.
    private readonly bool IsInside(int y)
    {
        var first = y + Terms[0].FirstRow;
        return first >= 0 && first + Terms[0].Span + 3 <= Height;
    }

    /// <summary>Four rows: a piece at each end in two passes, with the border, and what lies between in one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void FilterSmall(int y, float* lines, void** rows)
    {
        FindRows(y, 4, rows);
        var elements = Width * Channels;

        // The part between begins and ends where the output's cache lines do, and reads a vector more on either side. Two vectors at least
        // are left at each end, for which the row pass has vectors.
        const int Least = 2 * SmallFilterPass.V;
        var output = Pictures.Output + (y * Pictures.OutputRowBytes);
        var shift = (int)((nint)output / sizeof(float) % LineFloats);
        var from = ((Least + shift + LineFloats - 1) / LineFloats * LineFloats) - shift;
        var to = ((elements - Least + shift) / LineFloats * LineFloats) - shift;
        FilterEnd(y, lines, rows, 0, (from + Channels - 1) / Channels, 0, from);
        FilterEnd(y, lines, rows, to / Channels, Width, to, elements);
        SmallFilterTaps call;
        call.InputRowBytes = Pictures.InputRowBytes;
        call.Column = SmallWeights;
        call.Row = SmallWeights + 8;
        call.Offset = RowTaps.Offset;
        call.Input = (byte*)rows[0] + ((nint)from * Pictures.InputElementBytes);
        call.Target = (float*)output + from;
        call.TargetStride = Pictures.OutputRowBytes / sizeof(float);
        call.Count = to - from;
        Small(&call);
        Pictures.CopyAlpha(y, y + 4, Channels);
    }

    // Elements from .. to - 1 of four rows, which lie in pixels x0 .. x1 - 1 at one end of the image.
    private readonly void FilterEnd(int y, float* lines, void** rows, int x0, int x1, int from, int to)
    {
        var (isFirst, isLast) = (x0 == 0, x1 == Width);
        var (c0, c1) = (isFirst ? 0 : x0 - Before, isLast ? Width : x1 + After);
        SumColumns(0, rows, 4, c0, c1, lines + ((c0 + Before - x0) * Channels));
        if (isFirst)
            Extend(0, lines, 4, 0, Before, Before, 0);
        if (isLast)
            Extend(0, lines, 4, Before, After, Before - x0, Width + Before - x0);
        var call = RowTaps;
        call.Count = to - from;
        for (var r = 0; r < 4; r++)
        {
            call.Line = lines + (r * LineStride) + (from - (x0 * Channels));
            call.Target = Pictures.Output + ((y + r) * Pictures.OutputRowBytes) + ((nint)from * Pictures.OutputElementBytes);
            SmallEnd(&call);
        }
    }

    private readonly void FindRows(int y, int count, void** rows)
    {
        for (var t = 0; t < TermCount; t++)
        {
            var first = y + Terms[t].FirstRow;
            for (var i = 0; i < Terms[t].Span + count - 1; i++)
                rows[(t * (LargestSpan + 3)) + i] = InputRow(first + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly byte* InputRow(int y)
    {
        var source = (uint)y < (uint)Height ? y : Borders.Resolve(y, Height, Border);
        return source == Borders.Outside ? ConstantRow : Pictures.Input + (source * Pictures.InputRowBytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void SumColumns(int t, void** rows, int count, int c0, int c1, float* line)
    {
        ref readonly var term = ref Terms[t];
        ColumnTaps call;
        call.Start = (nint)c0 * Channels;
        call.Count = (nint)(c1 - c0) * Channels;
        call.AheadBytes = c1 < Width ? (nint)c1 * Channels * Pictures.InputElementBytes : 4 * Pictures.InputRowBytes;
        call.LineStride = TermCount * LineStride;
        call.Lines = line;
        if (count == 4 && term.FourLines != null)
        {
            call.Rows = rows;
            call.Weights = term.Weights;
            call.Taps = term.Span;
            term.FourLines(&call);
            return;
        }

        var picked = stackalloc void*[term.Taps];
        call.Rows = picked;
        call.Weights = term.RowWeights;
        call.Taps = term.Taps;
        for (var r = 0; r < count; r++)
        {
            for (var i = 0; i < term.Taps; i++)
                picked[i] = rows[r + term.Rows[i]];
            term.OneLine(&call);
            call.Lines += call.LineStride;
        }
    }

    // Elements start .. end - 1 of a row; line is that of element start. Streamed rows are cut where the output's cache lines
    // begin, of bytes where halves of them do, which is at most 31 elements before the strip's own ends: a line that is partly streamed and
    // partly not costs a trip to memory.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void SumRow(float* line, byte* row, int start, int end, bool isLast)
    {
        var from = start;
        var to = end;
        if (Streams)
        {
            var piece = Pictures.OutputElementBytes == sizeof(float) ? LineFloats : Lead;
            var shift = (int)((nint)row / Pictures.OutputElementBytes % piece);
            from -= (start + shift) % piece;
            to -= (end + shift) % piece;
            if (from < Pictures.Left * Channels)
            {
                // A block of vectors, at either end of the row: what overlaps the streamed part is summed again, to the same bits.
                from += piece;
                SumElements(line, row, start, start, Math.Min(start + Lead, end));
            }

            if (isLast && to < end)
                SumElements(line, row, start, Math.Max(end - Lead, start), end);
        }

        SumElements(line, row, start, from, to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void SumElements(float* line, byte* row, int start, int from, int to)
    {
        if (from >= to)
            return;
        var call = RowTaps;
        call.Line = line + (from - start);
        call.Target = row + ((nint)from * Pictures.OutputElementBytes);
        call.Count = to - from;
        Row(&call);
    }

    // Fills count pixels of border, none where it is below 0, from position target on; column c of the image is at position c + origin.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Extend(int t, float* line, int lineCount, int columns, int count, int origin, int target)
    {
        for (var r = 0; r < lineCount; r++)
        {
            for (var i = 0; i < count; i++)
            {
                var column = BorderColumns[columns + i];
                var to = line + ((target + i) * Channels);
                var from = line + ((column + origin) * Channels);
                for (var c = 0; c < Channels; c++)
                    to[c] = column == Borders.Outside ? Terms[t].BorderSum : from[c];
            }

            line += TermCount * LineStride;
        }
    }

    // The last kernelWidth - 1 pixels of a strip's lines are the first of the next one's, and those before them are what a streamed row
    // may still have to sum.
    private readonly void KeepOverlap(float* lines, int count, int pixels)
    {
        var overlap = ((Before + After) * Channels) + Lead;
        for (var i = 0; i < count * TermCount; i++)
        {
            var line = lines + (i * LineStride) - Lead;
            new ReadOnlySpan<float>(line + ((nint)pixels * Channels), overlap).CopyTo(new Span<float>(line, overlap));
        }
    }
}
