using System.Globalization;
using System.Net;
using System.Text;

namespace SeparableConv.Cli.Output;

/// <summary>The frame of a report: one page of HTML (well-formed XML too) that needs no other file and runs no script.</summary>
internal static class HtmlPage
{
    private const string Style =
        "body{font:15px/1.45 sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222;background:#fff}"
        + "table{border-collapse:collapse;margin:.5em 0}td,th{padding:.15em .6em;text-align:right;font-weight:normal}"
        + "th{color:#555}th:first-child,td:first-child{text-align:left}.confusion td{min-width:1.6em;border:1px solid #eee}"
        + "figure{display:inline-block;margin:0 1em 1em 0;font-size:13px}figcaption{max-width:10em}"
        + "img{image-rendering:pixelated;display:block}.plots svg{margin-right:1em}.large{font-size:1.6em}";

    /// <summary>Begins a page that is headed by the name of a file.</summary>
    public static StringBuilder Begin(string path) => new StringBuilder()
        .Append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>")
        .Append(CultureInfo.InvariantCulture, $"<title>{Encoded(path)}</title><style>{Style}</style></head><body>\n")
        .Append(CultureInfo.InvariantCulture, $"<h1>{Encoded(Path.GetFileName(path))}</h1>\n");

    /// <summary>Ends it.</summary>
    public static string End(StringBuilder page) => page.Append("</body></html>\n").ToString();

    /// <summary>Adds a row to a table.</summary>
    public static void Row(StringBuilder page, params ReadOnlySpan<string> cells) => Row(page, "td", cells);

    /// <summary>Begins a table with its header.</summary>
    public static void BeginTable(StringBuilder page, params ReadOnlySpan<string> header)
    {
        page.Append("<table>");
        Row(page, "th", header);
    }

    /// <summary>Text with all that HTML gives a meaning to spelled out, in one line.</summary>
    public static string Encoded(string text) => WebUtility.HtmlEncode(Failure.OneLine(text));

    private static void Row(StringBuilder page, string kind, ReadOnlySpan<string> cells)
    {
        page.Append("<tr>");
        foreach (var cell in cells)
            page.Append(CultureInfo.InvariantCulture, $"<{kind}>{Encoded(cell)}</{kind}>");
        page.Append("</tr>\n");
    }
}
