using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace SeparableConv.Cli.Commands;

/// <summary>Draws what became of loss and accuracy from epoch to epoch, as SVG that stands within a page.</summary>
internal static class LearningCurves
{
    private static readonly OxyColor TrainingColor = OxyColor.FromRgb(0x1f, 0x77, 0xb4);
    private static readonly OxyColor ValidationColor = OxyColor.FromRgb(0xd6, 0x27, 0x28);

    /// <summary>Draws two curves over epochs.</summary>
    /// <param name="title">What is drawn.</param>
    /// <param name="epochs">The figures.</param>
    /// <param name="training">Of an epoch's figures the one on pictures that are learned from.</param>
    /// <param name="validation">The one on the others; null where there are none.</param>
    public static string Draw(
        string title, IReadOnlyList<EpochFigures> epochs, Func<EpochFigures, double?> training, Func<EpochFigures, double?> validation)
    {
        var model = new PlotModel { Title = title };
        model.Legends.Add(new Legend { LegendPosition = LegendPosition.TopRight, LegendPlacement = LegendPlacement.Inside });
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Bottom, Title = "epoch", MinimumMajorStep = 1 });
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Left, MajorGridlineStyle = LineStyle.Dot });
        model.Series.Add(Curve("training", TrainingColor, epochs, training));
        if (epochs.Any(epoch => validation(epoch) is not null))
            model.Series.Add(Curve("validation", ValidationColor, epochs, validation));

        return SvgPlot.Draw(model);
    }

    private static LineSeries Curve(
        string name, OxyColor color, IReadOnlyList<EpochFigures> epochs, Func<EpochFigures, double?> of)
    {
        var curve = new LineSeries { Title = name, Color = color };

        // A line needs two points: one epoch is seen by its mark.
        if (epochs.Count <= 30)
            (curve.MarkerType, curve.MarkerSize, curve.MarkerFill) = (MarkerType.Circle, 2.5, color);
        foreach (var epoch in epochs)
        {
            if (of(epoch) is { } value)
                curve.Points.Add(new DataPoint(epoch.Epoch, value));
        }

        return curve;
    }
}
