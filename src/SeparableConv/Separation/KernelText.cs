using System.Buffers;
using System.Text;

namespace SeparableConv.Separation;

/// <summary>
/// Reads the rows of a kernel's text: as people type them, as NumPy saves them, and as spreadsheets do, in all countries.
/// </summary>
/// <remarks>
/// Numbers have spaces, tabs or commas between them, rows have ';' or line ends. Two other forms are recognized. Where every line of
/// several, or of a .csv file, has single numbers between semicolons, these stand between columns. A comma is a decimal comma where the
/// columns have semicolons or tabs between them; where it could be either, the text is refused.
/// </remarks>
internal static class KernelText
{
    private static readonly SearchValues<char> Blanks = SearchValues.Create(" \t");

    /// <summary>Reads a kernel.</summary>
    /// <exception cref="InvalidDataException">The text is no matrix of finite numbers, or can be read in two ways.</exception>
    public static FilterKernel Parse(string content, string name)
    {
        var lines = Lines(content, name);
        var rows = new KernelRows(name);
        if (HasSemicolonColumns(lines, name))
            AddSemicolonColumns(lines, rows, name);
        else
            AddRows(lines, rows, name);
        return rows.ToKernel();
    }

    private static List<string> Lines(string content, string name)
    {
        var lines = new List<string>();
        foreach (var line in content.AsSpan().TrimStart('\uFEFF').EnumerateLines())
        {
            var text = line.Trim();
            if (!text.IsEmpty && text[0] != '#')
                lines.Add(Unquoted(text, name));
        }

        return lines;
    }

    // A number between quotes has its comma there, and so for a decimal one.
    private static string Unquoted(ReadOnlySpan<char> line, string name)
    {
        if (!line.Contains('"'))
            return line.ToString();
        var text = new StringBuilder(line.Length);
        var isQuoted = false;
        foreach (var letter in line)
        {
            isQuoted ^= letter == '"';
            if (letter != '"')
                text.Append(isQuoted && letter == ',' ? '.' : letter);
        }

        return isQuoted ? throw new InvalidDataException($"{name}: a quote is open at the end of a line; close it.") : text.ToString();
    }

    private static bool HasSemicolonColumns(List<string> lines, string name)
    {
        if (lines.Count < 2 && !name.EndsWith(".csv", StringComparison.OrdinalIgnoreCase))
            return false;
        var several = false;
        foreach (var line in lines)
        {
            var cells = Cells(line);
            several |= cells.Length > 1;
            if (!Array.TrueForAll(cells, cell => cell.AsSpan().IndexOfAny(Blanks) < 0 && cell.AsSpan().Count(',') <= 1))
                return false;
        }

        return several;
    }

    // A semicolon at the end of a line has nothing behind it.
    private static string[] Cells(string line) =>
        Array.ConvertAll((line.EndsWith(';') ? line[..^1] : line).Split(';'), cell => cell.Trim());

    private static void AddSemicolonColumns(List<string> lines, KernelRows rows, string name)
    {
        var cells = lines.ConvertAll(Cells);
        var numbers = cells.SelectMany(row => row).ToList();
        if (numbers.TrueForAll(number => number.Contains(',')) && !numbers.Exists(IsSurelyDecimal))
            throw Ambiguous(name, numbers[0]);
        CheckPoints(numbers, name);
        foreach (var row in cells)
        {
            foreach (var cell in row)
            {
                if (cell.Length == 0)
                    rows.ThrowMissing("semicolon");
                rows.Add(cell.Replace(',', '.'));
            }

            rows.EndRow();
        }
    }

    private static void AddRows(List<string> lines, KernelRows rows, string name)
    {
        var texts = lines.SelectMany(line => line.Split(';')).Select(row => row.Trim()).Where(row => row.Length > 0).ToList();
        var hasDecimalCommas = HasDecimalCommas(texts, name);
        foreach (var row in texts)
        {
            if (hasDecimalCommas)
                AddNumbers(row.Replace(',', '.'), rows);
            else
                AddCommaColumns(row, rows);
            rows.EndRow();
        }
    }

    // Blanks alone between some numbers, and a comma alone between digits, cannot both stand between columns.
    private static bool HasDecimalCommas(List<string> rows, string name)
    {
        var isMixed = rows.Exists(row => row.AsSpan().IndexOfAny(Blanks) >= 0 && Tokens(row).Length > 1 && Tokens(row).Any(HasInnerComma));
        if (!isMixed || rows.Exists(row => Tokens(row).Any(token => !HasInnerComma(token) && token.Contains(','))))
            return false;

        var numbers = rows.SelectMany(Tokens).ToList();
        if (numbers.Exists(number => number.AsSpan().Count(',') > 1)
            || !(rows.Exists(row => row.Contains('\t')) || numbers.Exists(IsSurelyDecimal)))
            throw Ambiguous(name, numbers.Find(HasInnerComma)!);
        CheckPoints(numbers, name);
        return true;
    }

    private static string[] Tokens(string row) => row.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);

    private static bool HasInnerComma(string token) => token.IndexOf(',') > 0 && !token.EndsWith(',');

    // 0,5: few write a list that begins with zero without a blank.
    private static bool IsSurelyDecimal(string number) => number.TrimStart('-', '+').StartsWith("0,", StringComparison.Ordinal);

    private static void CheckPoints(List<string> numbers, string name)
    {
        var (comma, point) = (numbers.Find(number => number.Contains(',')), numbers.Find(number => number.Contains('.')));
        if (comma is not null && point is not null)
        {
            throw new InvalidDataException(
                $"{name}: '{KernelRows.Shown(comma)}' has a decimal comma and '{KernelRows.Shown(point)}' a point; write points.");
        }
    }

    // Any blanks separate numbers; a comma does too, but must have one on each side.
    private static void AddCommaColumns(string row, KernelRows rows)
    {
        foreach (var field in row.Split(','))
        {
            if (string.IsNullOrWhiteSpace(field))
                rows.ThrowMissing("comma");
            AddNumbers(field, rows);
        }
    }

    private static void AddNumbers(string row, KernelRows rows)
    {
        foreach (var token in Tokens(row))
            rows.Add(token);
    }

    private static InvalidDataException Ambiguous(string name, string number) => new(
        $"{name}: '{KernelRows.Shown(number)}' may be one number with a decimal comma or several; write points, and spaces between "
        + "numbers.");
}
