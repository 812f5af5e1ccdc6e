using System.Runtime.CompilerServices;
using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>A filter that sums rectangles: sizes, place, border and what becomes of a sum.</summary>
internal unsafe struct BoxTaps
{
    public int Height;
    public int Width;
    public int Channels;

    /// <summary>Rows of the rectangle.</summary>
    public int Rows;

    /// <summary>Columns of the rectangle.</summary>
    public int Columns;

    /// <summary>Rows from the rectangle's first to the pixel's own; negative where it lies below.</summary>
    public int Above;

    /// <summary>Columns from the rectangle's first to the pixel's own.</summary>
    public int Before;

    public BorderMode Border;

    /// <summary>The border's constant.</summary>
    public double BorderValue;

    /// <summary>Multiplies every sum.</summary>
    public double Weight;

    /// <summary>Added to every product.</summary>
    public double Offset;

    /// <summary>Pixels written in one strip.</summary>
    public int StripPixels;

    /// <summary>The image's columns that stand for those from -Before on: Width + Columns - 1 of them.</summary>
    public int* BorderColumns;

    /// <summary>Elements of a line: those that a strip reads.</summary>
    public readonly int LineElements => (((StripPixels + Columns - 1) * Channels) + 63) / 64 * 64;

    /// <summary>Bytes of scratch memory: a line a row, one for what lies below, one for the sum of both, one of doubles.</summary>
    public readonly nint ScratchBytes => ((nint)Rows + 2 + 2) * LineElements * sizeof(int);
}

/// <summary>
/// Sums over rectangles in a time that does not depend on their rows, and for integers not on their columns. Bands have as many rows as the
/// rectangle. All windows of a band cross the boundary between two stretches of input rows: a window is what it has of the upper stretch,
/// summed from the boundary up, and what it has of the lower one, summed from the boundary down. So nothing is ever subtracted, no error
/// grows from row to row, and what is no number reaches no row that does not read it.
/// </summary>
internal unsafe struct BoxBands<TIn, TOut> : IParallelWork
    where TIn : unmanaged
    where TOut : unmanaged
{
    public BoxTaps Taps;
    public FilterPair Pictures;

    private readonly int Strips => ((Pictures.Right - Pictures.Left) + Taps.StripPixels - 1) / Taps.StripPixels;

    private readonly int FirstBand => Pictures.Top / Taps.Rows;

    /// <summary>How many parts there are: bands times strips.</summary>
    public readonly int Parts => (((Pictures.Bottom - 1) / Taps.Rows) - FirstBand + 1) * Strips;

    public readonly void Execute(int part)
    {
        if (typeof(TIn) == typeof(float))
            Execute<float>(part);
        else
            Execute<int>(part);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Execute<TSum>(int part)
        where TSum : unmanaged, System.Numerics.INumber<TSum>
    {
        var top = (FirstBand + (part / Strips)) * Taps.Rows;
        var (first, last) = (Math.Max(Pictures.Top, top) - top, Math.Min(Pictures.Bottom, top + Taps.Rows) - 1 - top);
        var x0 = Pictures.Left + (part % Strips * Taps.StripPixels);
        var x1 = Math.Min(x0 + Taps.StripPixels, Pictures.Right);
        var count = (x1 - x0 + Taps.Columns - 1) * Taps.Channels;
        var lines = (TSum*)Scratch.Bytes(Taps.ScratchBytes);
        var below = lines + ((nint)Taps.Rows * Taps.LineElements);
        var sums = below + Taps.LineElements;
        var boundary = top - Taps.Above + Taps.Rows;

        // Line j is the sum of the upper stretch's rows from j on.
        new Span<TSum>(below, count).Clear();
        var from = below;
        for (var j = Taps.Rows - 1; j >= first; j--)
        {
            var line = lines + ((nint)j * Taps.LineElements);
            AddRow(boundary - Taps.Rows + j, x0, x1, from, line);
            from = line;
        }

        for (var j = 0; j <= last; j++)
        {
            if (j > 0)
                AddRow(boundary + j - 1, x0, x1, below, below);
            if (j < first)
                continue;
            BoxPass.Add(lines + ((nint)j * Taps.LineElements), below, sums, count);
            var target = (TOut*)(Pictures.Output + ((top + j) * Pictures.OutputRowBytes)) + ((nint)x0 * Taps.Channels);
            BoxPass.SumRow(sums, (double*)(sums + Taps.LineElements), target, (x1 - x0) * Taps.Channels, Taps);
        }

        var strip = Pictures;
        (strip.Left, strip.Right) = (x0, x1);
        strip.CopyAlpha(top + first, top + last + 1, Taps.Channels);
    }

    // to = from + a row of the image, or what stands for it, over the columns that pixels x0 .. x1 - 1 read.
    private readonly void AddRow<TSum>(int y, int x0, int x1, TSum* from, TSum* to)
        where TSum : unmanaged, System.Numerics.INumber<TSum>
    {
        var channels = Taps.Channels;
        var source = Borders.Resolve(y, Taps.Height, Taps.Border);
        var pixels = x1 - x0 + Taps.Columns - 1;
        if (source == Borders.Outside)
        {
            AddConstant(from, to, pixels * channels);
            return;
        }

        // Position i of the line is column x0 - before + i; those from inside to outside - 1 lie in the image.
        var row = (TIn*)(Pictures.Input + (source * Pictures.InputRowBytes));
        var inside = Math.Clamp(Taps.Before - x0, 0, pixels);
        var outside = Math.Clamp(Taps.Width - x0 + Taps.Before, inside, pixels);
        AddBorder(row, x0, 0, inside, from, to);
        BoxPass.AddPixels(
            row + ((nint)(x0 - Taps.Before + inside) * channels),
            from + ((nint)inside * channels),
            to + ((nint)inside * channels),
            (outside - inside) * channels);
        AddBorder(row, x0, outside, pixels, from, to);
    }

    private readonly void AddBorder<TSum>(TIn* row, int x0, int start, int end, TSum* from, TSum* to)
        where TSum : unmanaged, System.Numerics.INumber<TSum>
    {
        for (var i = start; i < end; i++)
        {
            var column = Taps.BorderColumns[x0 + i];
            var at = (nint)i * Taps.Channels;
            if (column == Borders.Outside)
                AddConstant(from + at, to + at, Taps.Channels);
            else
                BoxPass.AddPixels(row + ((nint)column * Taps.Channels), from + at, to + at, Taps.Channels);
        }
    }

    private readonly void AddConstant<TSum>(TSum* from, TSum* to, int count)
        where TSum : unmanaged, System.Numerics.INumber<TSum>
    {
        var value = TSum.CreateTruncating(Taps.BorderValue);
        for (var i = 0; i < count; i++)
            to[i] = from[i] + value;
    }
}
