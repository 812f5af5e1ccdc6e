using OxyPlot;

namespace SeparableConv.Cli.Output;

/// <summary>Draws plots as SVG that stands within a page.</summary>
internal static class SvgPlot
{
    private const int Width = 460;
    private const int Height = 300;

    /// <summary>Draws one; its title must be the only one of its kind on the page.</summary>
    public static string Draw(PlotModel model)
    {
        (model.DefaultFont, model.TitleFontSize) = ("sans-serif", 14);
        foreach (var legend in model.Legends)
            legend.LegendLineSpacing = 4;

        // Letters are taken for narrower ones than they are, and legends are cut off at their ends.
        foreach (var series in model.Series)
            series.Title += series.Title is null ? null : "     ";

        // Within a page there is no declaration of XML, and names are the page's.
        var svg = new SvgExporter { Width = Width, Height = Height, IsDocument = false }.ExportToString(model);
        var prefix = string.Concat(model.Title.Where(char.IsAsciiLetterOrDigit));
        return svg[svg.IndexOf("<svg", StringComparison.Ordinal)..]
            .Replace("id=\"", $"id=\"{prefix}-", StringComparison.Ordinal)
            .Replace("url(#", $"url(#{prefix}-", StringComparison.Ordinal);
    }
}
