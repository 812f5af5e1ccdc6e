using System.Text;
using System.Text.Json;

namespace DrawTraining;

/// <summary>Draws accuracy and loss over epochs as SVG, on a ground of its own: it is read on light pages and on dark ones.</summary>
internal static class CurvePlot
{
    private const int Width = 860;
    private const int Height = 320;
    private const int PlotWidth = 340;
    private const int PlotHeight = 210;
    private const int Top = 68;
    private const int Left = 50;
    private const string Learned = "#1f6fb4";
    private const string Unseen = "#d1491b";

    /// <summary>Draws the metrics of a training: a line of JSON for the whole, then one an epoch.</summary>
    public static string Draw(string[] metrics)
    {
        var lines = metrics.Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        var (run, epochs) = (lines[0], lines[1..]);
        var options = run.GetProperty("options");
        var svg = new StringBuilder();
        svg.Append(FormattableString.Invariant($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" "))
            .Append(FormattableString.Invariant($"width=\"{Width}\" height=\"{Height}\" "))
            .Append("font-family=\"sans-serif\" font-size=\"13\" fill=\"#333\">\n")
            .Append(FormattableString.Invariant($"<rect width=\"{Width}\" height=\"{Height}\" rx=\"8\" fill=\"#fff\"/>\n"));
        Write(svg, Left, 28, $"{options.GetProperty("model")}, {run.GetProperty("parameters").GetInt32():N0} parameters, "
            + $"on {options.GetProperty("data")}: {epochs[^1].GetProperty("validationAccuracy").GetDouble():P1} of pictures that it "
            + $"never learns from are right");
        Plot(svg, Left, "accuracy", epochs, "accuracy", "validationAccuracy", 1, 5, "P0");
        Plot(svg, 490, "loss", epochs, "loss", "validationLoss", 2.5, 5, "0.0");

        // In the corner where no curve of a training that succeeds comes by.
        var (right, bottom) = (Left + PlotWidth - 8, Top + PlotHeight);
        Write(svg, right, bottom - 36, "pictures it learns from", $"text-anchor=\"end\" fill=\"{Learned}\"");
        Write(svg, right, bottom - 14, "pictures it never learns from", $"text-anchor=\"end\" fill=\"{Unseen}\"");
        return svg.Append("</svg>\n").ToString();
    }

    // One plot from 0 to a top, with a line at each part of it.
    private static void Plot(
        StringBuilder svg,
        int left,
        string title,
        JsonElement[] epochs,
        string learned,
        string unseen,
        double top,
        int parts,
        string format)
    {
        var bottom = Top + PlotHeight;
        Write(svg, left, Top - 12, title, "font-weight=\"bold\"");
        for (var part = 0; part <= parts; part++)
        {
            var value = top * part / parts;
            var y = bottom - (PlotHeight * part / parts);
            svg.Append($"<path d=\"M{left} {y}h{PlotWidth}\" stroke=\"{(part == 0 ? "#888" : "#ddd")}\"/>\n");
            Write(svg, left - 6, y + 4, value.ToString(format, System.Globalization.CultureInfo.InvariantCulture), "text-anchor=\"end\"");
        }

        for (var epoch = 10; epoch <= epochs.Length; epoch += 10)
            Write(svg, X(epoch), bottom + 18, $"{epoch}", "text-anchor=\"middle\"");
        Write(svg, left, bottom + 18, "epoch");
        Curve(learned, Learned);
        Curve(unseen, Unseen);

        double X(int epoch) => left + ((double)PlotWidth * epoch / epochs.Length);

        void Curve(string name, string color)
        {
            var points = epochs.Select(epoch =>
            {
                var share = Math.Min(epoch.GetProperty(name).GetDouble() / top, 1);
                return FormattableString.Invariant($"{X(epoch.GetProperty("epoch").GetInt32()):0.0},{bottom - (PlotHeight * share):0.0}");
            });
            svg.Append("<polyline fill=\"none\" stroke-width=\"2\" stroke-linejoin=\"round\" ")
                .Append($"stroke=\"{color}\" points=\"{string.Join(' ', points)}\"/>\n");
        }
    }

    private static void Write(StringBuilder svg, double x, double y, FormattableString text) =>
        Write(svg, x, y, FormattableString.Invariant(text));

    private static void Write(StringBuilder svg, double x, double y, string text, string attributes = "") =>
        svg.Append(FormattableString.Invariant($"<text x=\"{x:0.#}\" y=\"{y}\" {attributes}>{text}</text>\n"));
}
