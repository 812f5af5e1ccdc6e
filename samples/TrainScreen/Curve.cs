using System.Text;

namespace TrainScreen;

/// <summary>Draws numbers over steps in Braille letters, each of which has two columns of four dots.</summary>
internal static class Curve
{
    private const int DotColumns = 2;
    private const int DotRows = 4;
    private const char Blank = '\u2800';

    // The bit of a dot in its letter: the left column from the top, then the right one.
    private static readonly int[,] Bits = { { 0x01, 0x02, 0x04, 0x40 }, { 0x08, 0x10, 0x20, 0x80 } };

    /// <summary>Draws a curve; what there is no step of yet stays empty.</summary>
    /// <param name="values">A number a step, so far.</param>
    /// <param name="steps">Steps of the whole training, which the width stands for.</param>
    /// <param name="top">The number at the upper edge; 0 is at the lower one.</param>
    /// <param name="width">Letters in a line.</param>
    /// <param name="height">Lines.</param>
    public static string Draw(List<double> values, int steps, double top, int width, int height)
    {
        var letters = new char[height, width];
        var (columns, rows) = (width * DotColumns, height * DotRows);
        var before = -1;
        for (var x = 0; x < columns; x++)
        {
            // A column is the mean of its steps: a single batch says little.
            var first = (int)((long)x * steps / columns);
            var last = Math.Max(first + 1, (int)((long)(x + 1) * steps / columns));
            if (last > values.Count)
                break;
            var mean = values.GetRange(first, last - first).Average();
            var y = (int)Math.Round((rows - 1) * (1 - Math.Clamp(mean / top, 0, 1)));

            // From the column before upwards or downwards without a gap.
            var (from, to) = before < 0 ? (y, y) : (Math.Min(y, before + 1), Math.Max(y, before - 1));
            for (var dot = from; dot <= to; dot++)
                letters[dot / DotRows, x / DotColumns] |= (char)Bits[x % DotColumns, dot % DotRows];
            before = y;
        }

        var text = new StringBuilder();
        for (var line = 0; line < height; line++)
        {
            for (var column = 0; column < width; column++)
                text.Append((char)(Blank + letters[line, column]));
            text.Append('\n');
        }

        return text.ToString().TrimEnd('\n');
    }
}
