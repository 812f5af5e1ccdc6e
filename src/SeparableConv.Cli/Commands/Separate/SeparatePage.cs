using System.Globalization;
using System.Text;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace SeparableConv.Cli.Commands;

/// <summary>
/// Writes the report on a separation: one page of HTML (well-formed XML too) that needs no other file and runs no script.
/// </summary>
internal static class SeparatePage
{
    private const int Examples = 16;
    private const int LeastPictureSide = 96;
    private static readonly OxyColor Color = OxyColor.FromRgb(0x1f, 0x77, 0xb4);
    private static readonly OxyColor ChosenColor = OxyColor.FromRgb(0xd6, 0x27, 0x28);

    /// <summary>Writes it.</summary>
    public static string Write(SeparateResult result)
    {
        var separation = result.Separation;
        var page = HtmlPage.Begin(result.Settings.Output ?? result.Settings.Model);
        page.Append(CultureInfo.InvariantCulture, $"<p class=\"large\">{HtmlPage.Encoded(result.Settings.GoalText)}: ")
            .Append(CultureInfo.InvariantCulture, $"{100.0 * result.Network.Macs / separation.MacsBefore:0.0} % of the ")
            .Append("multiply-accumulates, ")
            .Append(CultureInfo.InvariantCulture, $"{100.0 * result.Network.ParameterCount / separation.ParametersBefore:0.0} % of the ")
            .Append(
                CultureInfo.InvariantCulture,
                $"parameters, {separation.MillisecondsBefore / separation.MillisecondsAfter:0.00} times as fast</p>\n");
        page.Append("<table>");
        foreach (var (name, text) in result.Totals)
            HtmlPage.Row(page, name, text);
        HtmlPage.Row(page, "processor", MachineInfo.ProcessorName);
        page.Append("</table>\n<h2>Layers</h2>\n");
        HtmlPage.BeginTable(page, SeparateResult.Header);
        foreach (var row in result.Rows)
            HtmlPage.Row(page, row);
        page.Append("</table>\n<h2>Error against cost</h2>\n<div class=\"plots\">").Append(Curve(result)).Append("</div>\n");
        page.Append("<p>What other budgets are expected to lose, and what was chosen and measured.</p>\n<h2>Singular values</h2>\n")
            .Append("<p>Of each layer's weights, (taps, filters) of every channel, the largest first, over the largest: how fast they ")
            .Append("fall says how few depthwise kernels do.</p>\n<div class=\"plots\">");
        foreach (var layer in separation.Layers)
            page.Append(Spectrum(layer));
        page.Append("</div>\n");
        Pictures(page, result);
        return HtmlPage.End(page);
    }

    private static string Curve(SeparateResult result)
    {
        var model = new PlotModel { Title = "relative error of the scores, share of the MACs" };
        model.Legends.Add(new Legend { LegendPosition = LegendPosition.TopRight, LegendPlacement = LegendPlacement.Inside });
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Bottom, Minimum = 0, Maximum = 1 });
        model.Axes.Add(new LogarithmicAxis
        {
            Position = AxisPosition.Left,
            MinimumPadding = 0.1,
            MaximumPadding = 0.1,
            MajorGridlineStyle = LineStyle.Dot,
            LabelFormatter = Numbers.Short,
        });
        model.Series.Add(Points("expected", Color, 2.5, result.Separation.Curve.Where(point => point.Error > 0)));
        if (result.Separation.Error is > 0 and var error)
        {
            var share = (double)result.Network.Macs / result.Separation.MacsBefore;
            model.Series.Add(Points("chosen", ChosenColor, 5, [new(share, error)]));
        }

        return SvgPlot.Draw(model);
    }

    private static LineSeries Points(string title, OxyColor color, double size, IEnumerable<SeparationPoint> points)
    {
        var series = new LineSeries { Title = title, Color = color, MarkerType = MarkerType.Circle, MarkerSize = size, MarkerFill = color };
        series.Points.AddRange(points.Select(point => new DataPoint(point.MacsShare, point.Error)));
        return series;
    }

    private static string Spectrum(SeparatedLayer layer)
    {
        var model = new PlotModel { Title = Failure.OneLine(layer.Name) };
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Bottom, Minimum = 0 });
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Left, Minimum = 0, Maximum = 1, MajorGridlineStyle = LineStyle.Dot });
        var curve = new LineSeries { Color = Color };
        var values = layer.SingularValues;
        var step = Math.Max(1, values.Count / 256);
        for (var i = 0; i < values.Count; i += step)
            curve.Points.Add(new DataPoint(i + 1, values[i] / values[0]));
        model.Series.Add(curve);
        return SvgPlot.Draw(model);
    }

    // What both networks take the first pictures for.
    private static void Pictures(StringBuilder page, SeparateResult result)
    {
        if (result.Validation is not { } data || result.After is null)
            return;
        using var before = Classifier(result, result.Original);
        using var after = Classifier(result, result.Network);
        page.Append("<h2>Examples</h2>\n<div>");
        var pixels = new byte[data.PictureBytes];
        for (var i = 0; i < Math.Min(Examples, data.Count); i++)
        {
            data.Read(i, pixels);
            var image = Image.Create(data.Width, data.Height, data.Channels, pixels);
            using var png = new MemoryStream();
            ImageFile.Save(image, png, ".png");
            var side = Math.Max(LeastPictureSide, data.Width);
            page.Append(CultureInfo.InvariantCulture, $"<figure><img width=\"{side}\" alt=\"sample {i}\" src=\"data:image/png;base64,")
                .Append(Convert.ToBase64String(png.GetBuffer(), 0, (int)png.Length))
                .Append(CultureInfo.InvariantCulture, $"\"/><figcaption>{HtmlPage.Encoded(data.Classes[data.ClassOf(i)])}<br/>before ")
                .Append(HtmlPage.Encoded(Best(before, image)))
                .Append("<br/>now ")
                .Append(HtmlPage.Encoded(Best(after, image)))
                .Append("</figcaption></figure>\n");
        }

        page.Append("</div>\n");
    }

    private static PictureClassifier Classifier(SeparateResult result, Network network) => new(
        network.WithBatch(1),
        result.Validation!.Classes,
        result.Normalization,
        options: new CompileOptions { Threads = result.Settings.Threads });

    private static string Best(PictureClassifier classifier, Image image)
    {
        var best = classifier.Classify(image, 1)[0];
        return FormattableString.Invariant($"{best.Name}, {best.Score:0.000}");
    }
}
