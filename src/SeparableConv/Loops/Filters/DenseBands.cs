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

    /// <summary>Rows of the kernel.</summary>
    public int Span;

    /// <summary>The first row read, relative to the row written.</summary>
    public int FirstRow;

    /// <summary>Sums four rows; null where strips are too narrow for it.</summary>
    public delegate*<DenseTaps*, void> FourRows;

    /// <summary>Sums a single row; it sees the window as one long line.</summary>
    public delegate*<RowTaps*, void> OneRow;

    public delegate*<void*, float*, nint, nint, void> Widen;

    /// <summary>The taps of four rows; offsets, window and target are filled in here.</summary>
    public DenseTaps Four;

    /// <summary>For each of them its line, counted from the first row's first.</summary>
    public int* FourLines;

    /// <summary>For each of them how many floats right of the strip's extended start it reads.</summary>
    public int* FourColumns;

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

    // As many lines as four rows read.
    private readonly int WindowLines => Span + 3;

    /// <summary>Bytes of scratch memory that <see cref="Execute"/> takes from its thread.</summary>
    public readonly nint ScratchBytes =>
        (WindowLines * LineStride * sizeof(float)) + (Math.Max(Four.Taps, SingleTaps) * (nint)sizeof(nint));

    public readonly void Execute(int part)
    {
        var window = (float*)Scratch.Bytes(ScratchBytes);
        var offsets = (nint*)(window + (WindowLines * LineStride));
        var start = Pictures.Top + (part * BandRows);
        var end = Math.Min(start + BandRows, Pictures.Bottom);
        if (!Pictures.LooksOpaque(start, end, Channels))
            return;
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
            var rows = FourRows != null && y + 4 <= end ? 4 : 1;

            // Line i of the strip is row start + FirstRow + i of the image and lives in slot i modulo the window.
            for (; filled < y - start + Span + rows - 1; filled++)
                Fill(start + FirstRow + filled, x0, x1, window + (filled % WindowLines * LineStride));

            var target = Pictures.Output + (y * Pictures.OutputRowBytes) + ((nint)x0 * Channels * Pictures.OutputElementBytes);
            var count = (nint)(x1 - x0) * Channels;
            if (rows == 4)
            {
                Locate(y - start, FourLines, FourColumns, Four.Taps, offsets);
                var call = Four;
                call.Window = window;
                call.Offsets = offsets;
                call.Target = target;
                call.TargetRowBytes = Pictures.OutputRowBytes;
                call.Count = count;
                FourRows(&call);
            }
            else
            {
                Locate(y - start, SingleLines, SingleColumns, SingleTaps, offsets);
                RowTaps call = default;
                call.Line = window;
                call.Offsets = offsets;
                call.Weights = SingleWeights;
                call.Taps = SingleTaps;
                call.Offset = Four.Offset;
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

        var row = Pictures.Input + (source * Pictures.InputRowBytes);
        var pixelBytes = Channels * Pictures.InputElementBytes;
        var c0 = Math.Max(0, x0 - Before);
        var c1 = Math.Min(Width, x1 + After);
        var ahead = y + 4 < Height ? 4 * Pictures.InputRowBytes : 0;
        Widen(row + ((nint)c0 * pixelBytes), line + ((c0 - x0 + Before) * (nint)Channels), (nint)(c1 - c0) * Channels, ahead);
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
            Widen(row + ((nint)column * Channels * Pictures.InputElementBytes), pixel, Channels, 0);
    }
}
