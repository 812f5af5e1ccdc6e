using System.Globalization;

namespace SeparableConv.Separation;

/// <summary>Gathers the numbers of a kernel's text, rows of equal length.</summary>
/// <param name="name">A name for messages and for the kernel.</param>
internal sealed class KernelRows(string name)
{
    private readonly List<double> _values = [];
    private int _width = -1;
    private int _height;
    private int _inRow;

    /// <summary>Whether numbers were added since the last row's end.</summary>
    public bool HasOpenRow => _inRow > 0;

    /// <summary>Adds a number, or a fraction such as 1/16, to the row.</summary>
    /// <exception cref="InvalidDataException">It is none, is not finite, or is one too many.</exception>
    public void Add(ReadOnlySpan<char> text)
    {
        if (!TryParse(text, out var value))
        {
            throw new InvalidDataException(
                $"{name}: '{Shown(text)}' in row {_height + 1} is not a number; "
                + "separate numbers with spaces or commas and rows with ';' or line ends.");
        }

        if (!double.IsFinite(value))
        {
            throw new InvalidDataException(
                $"{name}: '{Shown(text)}' in row {_height + 1} is not a finite number; kernels hold finite numbers only.");
        }

        if (++_inRow > KernelLibrary.MaxSide)
        {
            throw new InvalidDataException(
                $"{name}: row {_height + 1} has more than {KernelLibrary.MaxSide} numbers; kernels end there.");
        }

        _values.Add(value);
    }

    /// <summary>Ends the row.</summary>
    /// <exception cref="InvalidDataException">It has more or fewer numbers than the first, or is one too many.</exception>
    public void EndRow()
    {
        if (_width < 0)
            _width = _inRow;
        if (_inRow != _width)
        {
            throw new InvalidDataException(
                $"{name}: row {_height + 1} has {_inRow} numbers but row 1 has {_width}; every row needs as many.");
        }

        if (++_height > KernelLibrary.MaxSide)
            throw new InvalidDataException($"{name}: more than {KernelLibrary.MaxSide} rows; kernels end there.");
        _inRow = 0;
    }

    /// <summary>Refuses an empty place.</summary>
    /// <param name="separator">The word for what stands beside it.</param>
    public void ThrowMissing(string separator) => throw new InvalidDataException(
        $"{name}: a number is missing beside a {separator} in row {_height + 1}; write 0 where you mean 0.");

    /// <summary>The kernel; its numbers count as doubles.</summary>
    /// <exception cref="InvalidDataException">There are none.</exception>
    public FilterKernel ToKernel()
    {
        if (_values.Count == 0)
            throw new InvalidDataException($"{name}: no numbers found; write rows such as \"1 2 1; 2 4 2; 1 2 1\".");
        return new FilterKernel(_values.ToArray(), _height, _width, FilterKernel.DoubleEpsilon, name);
    }

    /// <summary>A piece of a file for a message: not long, and on one line.</summary>
    public static string Shown(ReadOnlySpan<char> text)
    {
        const int Longest = 40;
        var shown = text[..Math.Min(Longest, text.Length)].ToString();
        var line = string.Concat(shown.Select(letter => char.IsControl(letter) || letter is '\u2028' or '\u2029' ? ' ' : letter));
        return text.Length > Longest ? line + "..." : line;
    }

    private static bool TryParse(ReadOnlySpan<char> text, out double value)
    {
        var bar = text.IndexOf('/');
        if (bar < 0)
            return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
        var isFraction = double.TryParse(text[..bar], NumberStyles.Float, CultureInfo.InvariantCulture, out value)
            & double.TryParse(text[(bar + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out var divisor);
        value /= divisor;
        return isFraction;
    }
}
