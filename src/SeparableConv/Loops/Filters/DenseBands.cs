using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// A dense filter over an image, cut into bands of rows. Strip by strip, a window of float lines rolls down the band: each
/// row of pixels is widened once, extended by its border, and read by every tap row while it is in cache.
/// </summary>
internal unsafe struct DenseBands : IParallelWork
{
    public FilterPair Pictures;
    public int Height;
    public int Width;
    public int Channels;
    public int BandRows;

    /// <summary>Strips that the columns written are cut into.</summary>
    public int Strips;

    /// <summary>
    /// Whether every even row of the image is summed together with the next one. Where the kernel has zeros, both then sum their taps in
    /// another order than a single row, and so they do where a part of the image is written that has one of them alone.
    /// </summary>
    public bool IsPaired;

    /// <summary>Rows of the kernel.</summary>
    public int Span;

    /// <summary>The first row read, relative to the row written.</summary>
    public int FirstRow;

    /// <summary>Sums two rows; null where strips are too narrow for it.</summary>
    public delegate*<DenseTaps*, void> TwoRows;

    /// <summary>Sums a single row; it sees the window as one long line.</summary>
    public delegate*<RowTaps*, void> OneRow;

    public delegate*<void*, float*, nint, void> Widen;

    /// <summary>Weights and groups of the taps; offsets, window and targets are filled in here.</summary>
    public DenseTaps Pair;

    /// <summary>For each tap of the pair's three groups: its line, counted from the upper row's first.</summary>
    public int* PairLines;

    /// <summary>For each tap of the pair's three groups: how many floats right of the strip's extended start it reads.</summary>
    public int* PairColumns;

    /// <summary>The same for a single row.</summary>
    public int* SingleLines;
    public int* SingleColumns;
    public float* SingleWeights;
    public int SingleTaps;

    /// <summary>Pixels read left of the output pixel.</summary>
    public int Before;

    /// <summary>Pixels read right of the output pixel.</summary>
    public int After;

    /// <summary>Floats from one line to the next.</summary>
    public nint LineStride;

    public BorderMode Border;

    /// <summary>The border's constant.</summary>
    public float BorderValue;

    /// <summary>Source columns of the pixels left (Before of them) and right (After of them) of the image.</summary>
    public int* BorderColumns;

    // One more line than the kernel has rows, so that two output rows see all of theirs.
    private readonly int WindowLines => Span + 1;

    private readonly int PairTaps => Pair.Upper + Pair.Both + Pair.Lower;

    /// <summary>
    /// How many bands <see cref="Execute"/> can be asked for. Each begins on an even row, or where the part that is written begins.
    /// </summary>
    public readonly int Bands => (Pictures.Bottom - (Pictures.Top & ~1) + BandRows - 1) / BandRows;

    /// <summary>Bytes of scratch memory that <see cref="Execute"/> takes from its thread.</summary>
    public readonly nint ScratchBytes =>
        (WindowLines * LineStride * sizeof(float)) + (Math.Max(PairTaps, SingleTaps) * (nint)sizeof(nint));

    public readonly void Execute(int part)
    {
        var window = (float*)Scratch.Bytes(ScratchBytes);
        var offsets = (nint*)(window + (WindowLines * LineStride));
        var band = (Pictures.Top & ~1) + (part * BandRows);
        var start = Math.Max(Pictures.Top, band);
        var end = Math.Min(band + BandRows, Pictures.Bottom);
        for (var strip = 0; strip < Strips; strip++)
        {
            var x0 = Pictures.Left + Strip.Start(strip, Strips, Pictures.Right - Pictures.Left);
            var x1 = Pictures.Left + Strip.Start(strip + 1, Strips, Pictures.Right - Pictures.Left);
            FilterStrip(start, end, x0, x1, window, offsets);
        }

        Pictures.CopyAlpha(start, end, Channels);
    }

    private readonly void FilterStrip(int start, int end, int x0, int x1, float* window, nint* offsets)
    {
        var filled = 0;
        for (var y = start; y < end;)
        {
            var isPaired = IsPaired && (y | 1) < Height;
            var rows = isPaired && TwoRows != null && (y & 1) == 0 && y + 2 <= end ? 2 : 1;

            // Line i of the strip is row start + FirstRow + i of the image and lives in slot i modulo the window.
            for (; filled < y - start + Span + rows - 1; filled++)
                Fill(start + FirstRow + filled, x0, x1, window + (filled % WindowLines * LineStride));

            var target = Pictures.Output + (y * Pictures.OutputRowBytes) + ((nint)x0 * Channels * Pictures.OutputElementBytes);
            var count = (nint)(x1 - x0) * Channels;
            if (rows == 2)
            {
                Locate(y - start, PairLines, PairColumns, PairTaps, offsets);
                var call = Pair;
                call.Window = window;
                call.Offsets = offsets;
                call.UpperTarget = target;
                call.LowerTarget = target + Pictures.OutputRowBytes;
                call.Count = count;
                TwoRows(&call);
            }
            else
            {
                RowTaps call;
                if (!isPaired)
                {
                    Locate(y - start, SingleLines, SingleColumns, SingleTaps, offsets);
                    call.Weights = SingleWeights;
                }
                else if ((y & 1) == 0)
                {
                    Locate(y - start, PairLines, PairColumns, SingleTaps, offsets);
                    call.Weights = Pair.UpperWeights;
                }
                else
                {
                    Locate(y - 1 - start, PairLines + Pair.Upper, PairColumns + Pair.Upper, SingleTaps, offsets);
                    call.Weights = Pair.LowerWeights;
                }

                call.Line = window;
                call.Offsets = offsets;
                call.Taps = SingleTaps;
                call.Offset = Pair.Offset;
                call.Target = target;
                call.Count = count;
                OneRow(&call);
            }

            y += rows;
        }
    }

    // The first line is -1 for the lower row of a pair whose upper one is not written; its own taps begin a line further down.
    private readonly void Locate(int firstLine, int* lines, int* columns, int taps, nint* offsets)
    {
        var first = (firstLine + WindowLines) % WindowLines;
        for (var i = 0; i < taps; i++)
        {
            var slot = first + lines[i];
            offsets[i] = ((slot < WindowLines ? slot : slot - WindowLines) * LineStride) + columns[i];
        }
    }

    // line position 0 is column x0 - Before of the image.
    private readonly void Fill(int y, int x0, int x1, float* line)
    {
        var source = Borders.Resolve(y, Height, Border);
        var total = x1 - x0 + Before + After;
        if (source == Borders.Outside)
        {
            new Span<float>(line, total * Channels).Fill(BorderValue);
            return;
        }

        var row = Pictures.Input + (source * Pictures.InputRowBytes);
        var pixelBytes = Channels * Pictures.InputElementBytes;
        var c0 = Math.Max(0, x0 - Before);
        var c1 = Math.Min(Width, x1 + After);
        Widen(row + ((nint)c0 * pixelBytes), line + ((c0 - x0 + Before) * (nint)Channels), (nint)(c1 - c0) * Channels);
        for (var column = x0 - Before; column < 0; column++)
            FillBorderPixel(BorderColumns[column + Before], row, line + ((column - x0 + Before) * (nint)Channels));
        for (var column = Width; column < x1 + After; column++)
            FillBorderPixel(BorderColumns[Before + column - Width], row, line + ((column - x0 + Before) * (nint)Channels));
    }

    private readonly void FillBorderPixel(int column, byte* row, float* pixel)
    {
        if (column == Borders.Outside)
            new Span<float>(pixel, Channels).Fill(BorderValue);
        else
            Widen(row + ((nint)column * Channels * Pictures.InputElementBytes), pixel, Channels);
    }
}
