using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// A dense filter over an image, cut into bands of rows. Strip by strip, a window of float lines rolls down the band: each
/// row of pixels is widened once, extended by its border, and read by every tap row while it is in cache.
/// </summary>
internal unsafe struct DenseBands : IParallelWork
{
    public byte* Input;
    public nint InputRowBytes;
    public int InputElementBytes;
    public byte* Output;
    public nint OutputRowBytes;
    public int OutputElementBytes;
    public int Height;
    public int Width;
    public int Channels;
    public int BandRows;

    /// <summary>Strips the width is cut into.</summary>
    public int Strips;

    /// <summary>Rows of the kernel.</summary>
    public int Span;

    /// <summary>The first row read, relative to the row written.</summary>
    public int FirstRow;

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

    /// <summary>Not null where the last channel is copied: (source, target, pixels, channels).</summary>
    public delegate*<byte*, byte*, int, int, void> KeepAlpha;

    // One more line than the kernel has rows, so that two output rows see all of theirs.
    private readonly int WindowLines => Span + 1;

    private readonly int PairTaps => Pair.Upper + Pair.Both + Pair.Lower;

    /// <summary>Bytes of scratch memory that <see cref="Execute"/> takes from its thread.</summary>
    public readonly nint ScratchBytes =>
        (WindowLines * LineStride * sizeof(float)) + (Math.Max(PairTaps, SingleTaps) * (nint)sizeof(nint));

    public readonly void Execute(int part)
    {
        var window = (float*)Scratch.Bytes(ScratchBytes);
        var offsets = (nint*)(window + (WindowLines * LineStride));
        var start = part * BandRows;
        var end = Math.Min(start + BandRows, Height);
        for (var strip = 0; strip < Strips; strip++)
        {
            var x0 = Strip.Start(strip, Strips, Width);
            var x1 = Strip.Start(strip + 1, Strips, Width);
            FilterStrip(start, end, x0, x1, window, offsets);
        }

        if (KeepAlpha == null)
            return;
        for (var y = start; y < end; y++)
            KeepAlpha(Input + (y * InputRowBytes), Output + (y * OutputRowBytes), Width, Channels);
    }

    private readonly void FilterStrip(int start, int end, int x0, int x1, float* window, nint* offsets)
    {
        var filled = 0;
        for (var y = start; y < end;)
        {
            var rows = TwoRows != null && y + 2 <= end ? 2 : 1;

            // Line i of the strip is row start + FirstRow + i of the image and lives in slot i modulo the window.
            for (; filled < y - start + Span + rows - 1; filled++)
                Fill(start + FirstRow + filled, x0, x1, window + (filled % WindowLines * LineStride));

            var target = Output + (y * OutputRowBytes) + ((nint)x0 * Channels * OutputElementBytes);
            var count = (nint)(x1 - x0) * Channels;
            if (rows == 2)
            {
                Locate(y - start, PairLines, PairColumns, PairTaps, offsets);
                var call = Pair;
                call.Window = window;
                call.Offsets = offsets;
                call.UpperTarget = target;
                call.LowerTarget = target + OutputRowBytes;
                call.Count = count;
                TwoRows(&call);
            }
            else
            {
                Locate(y - start, SingleLines, SingleColumns, SingleTaps, offsets);
                RowTaps call;
                call.Line = window;
                call.Offsets = offsets;
                call.Weights = SingleWeights;
                call.Taps = SingleTaps;
                call.Offset = Pair.Offset;
                call.Target = target;
                call.Count = count;
                OneRow(&call);
            }

            y += rows;
        }
    }

    private readonly void Locate(int firstLine, int* lines, int* columns, int taps, nint* offsets)
    {
        var first = firstLine % WindowLines;
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

        var row = Input + (source * InputRowBytes);
        var pixelBytes = Channels * InputElementBytes;
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
            Widen(row + ((nint)column * Channels * InputElementBytes), pixel, Channels);
    }
}
