using System.Text;
using Spectre.Console;

namespace SeparableConv.Cli.Output;

/// <summary>A table: with borders on a screen, aligned plain lines elsewhere. The first columns are text, the others are numbers.</summary>
internal sealed class TextTable(params string[] header)
{
    private readonly List<string[]> _rows = [];

    /// <summary>How many columns are text; one by default.</summary>
    public int TextColumns { get; init; } = 1;

    /// <summary>Adds a row with as many cells as the header has.</summary>
    public void Add(params string[] cells) => _rows.Add(cells);

    /// <summary>Prints it.</summary>
    public void Print(Terminal terminal)
    {
        // Cells that are cut to fit would hide numbers.
        var widths = Widths();
        if (terminal.IsInteractive && widths.Sum() + (3 * widths.Length) + 1 <= AnsiConsole.Profile.Width)
            PrintBordered();
        else
            PrintPlain(terminal.Output, widths);
    }

    private void PrintBordered()
    {
        var table = new Table().Border(TableBorder.Rounded);
        for (var c = 0; c < header.Length; c++)
        {
            var column = new TableColumn(Markup.Escape(header[c])).NoWrap();
            table.AddColumn(c < TextColumns ? column : column.RightAligned());
        }

        foreach (var row in _rows)
            table.AddRow(Array.ConvertAll(row, Markup.Escape));
        AnsiConsole.Write(table);
    }

    private int[] Widths()
    {
        var widths = new int[header.Length];
        foreach (var row in _rows.Prepend(header))
        {
            for (var c = 0; c < row.Length; c++)
                widths[c] = Math.Max(widths[c], row[c].Length);
        }

        return widths;
    }

    private void PrintPlain(TextWriter output, int[] widths)
    {
        foreach (var row in _rows.Prepend(header))
        {
            var line = new StringBuilder();
            for (var c = 0; c < row.Length; c++)
                line.Append(c == 0 ? "" : "  ").Append(c < TextColumns ? row[c].PadRight(widths[c]) : row[c].PadLeft(widths[c]));
            output.WriteLine(line.ToString().TrimEnd());
        }
    }
}
