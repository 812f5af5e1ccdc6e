using System.Globalization;

namespace SeparableConv.Cli.Commands;

/// <summary>Writes the report on a comparison for people: plots and the table.</summary>
internal static class ComparisonPage
{
    /// <summary>Writes it.</summary>
    public static string Write(ComparisonReport report)
    {
        var settings = report.Settings;
        var page = HtmlPage.Begin(settings.Training.Output);
        var what = HtmlPage.Encoded($"{settings.Training.Model.Text} on {settings.Training.Data.Text}");
        var pictures = Numbers.Count(report.Evaluated.Count);
        page.Append(CultureInfo.InvariantCulture, $"<p>{what}: ")
            .Append("standard convolutions beside depthwise separable ones, the same pictures and the same options for all. A mark is the ")
            .Append(CultureInfo.InvariantCulture, $"mean over {settings.Seeds} {(settings.Seeds == 1 ? "seed" : "seeds")}, ")
            .Append(CultureInfo.InvariantCulture, $"a line through it goes from the worst to the best; ")
            .Append(CultureInfo.InvariantCulture, $"accuracies are of {pictures} pictures.</p>\n<div class=\"plots\">")
            .Append(ComparisonPlot.Draw("parameters", report.Networks, network => network.Parameters))
            .Append(ComparisonPlot.Draw("multiply-accumulates a picture", report.Networks, network => network.Macs))
            .Append(ComparisonPlot.Draw("seconds of training", report.Networks, network => network.Seconds))
            .Append("</div>\n<h2>Networks</h2>\n");
        HtmlPage.BeginTable(page, ComparisonReport.Header);
        foreach (var row in report.Rows)
            HtmlPage.Row(page, row);
        page.Append(CultureInfo.InvariantCulture, $"</table>\n<p>{HtmlPage.Encoded(string.Join(' ', ComparisonReport.Legend))}</p>\n")
            .Append("<h2>Training</h2>\n<table>");
        foreach (var (name, value) in settings.Common)
            HtmlPage.Row(page, $"--{name}", value);
        HtmlPage.Row(page, "pictures to validate", report.Evaluated.ToString());
        HtmlPage.Row(page, "processor", MachineInfo.ProcessorName);
        page.Append("</table>\n");
        return HtmlPage.End(page);
    }
}
