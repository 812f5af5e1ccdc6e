using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace SeparableConv.Cli.Commands;

/// <summary>Draws accuracies over what networks cost, a curve for each kind of convolution, as SVG that stands within a page.</summary>
internal static class ComparisonPlot
{
    private static readonly OxyColor[] Colors =
    [
        OxyColor.FromRgb(0x44, 0x44, 0x44), OxyColor.FromRgb(0xd6, 0x27, 0x28), OxyColor.FromRgb(0x1f, 0x77, 0xb4),
        OxyColor.FromRgb(0x2c, 0xa0, 0x2c), OxyColor.FromRgb(0x94, 0x67, 0xbd), OxyColor.FromRgb(0xff, 0x7f, 0x0e),
    ];

    /// <summary>Draws it.</summary>
    /// <param name="costName">What is counted.</param>
    /// <param name="networks">The networks.</param>
    /// <param name="cost">The count of one, above 0; the axis is logarithmic.</param>
    public static string Draw(string costName, IReadOnlyList<ComparedNetwork> networks, Func<ComparedNetwork, double> cost)
    {
        var model = new PlotModel { Title = $"accuracy in %, {costName}" };
        model.Legends.Add(new Legend { LegendPosition = LegendPosition.BottomRight, LegendPlacement = LegendPlacement.Inside });
        model.Axes.Add(new LogarithmicAxis
        {
            Position = AxisPosition.Bottom,
            MinimumPadding = 0.05,
            MaximumPadding = 0.05,
            LabelFormatter = Label,
        });
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Left, MajorGridlineStyle = LineStyle.Dot });
        var kinds = networks.GroupBy(network => network.Form.Kind).ToArray();
        for (var k = 0; k < kinds.Length; k++)
        {
            var color = Colors[k % Colors.Length];
            var curve = new LineSeries
            {
                Title = kinds[k].Key,
                Color = color,
                MarkerType = MarkerType.Circle,
                MarkerSize = 3,
                MarkerFill = color,
            };
            var spread = new LineSeries { Color = color, StrokeThickness = 1 };
            foreach (var network in kinds[k])
            {
                var x = cost(network);
                curve.Points.Add(new DataPoint(x, 100 * network.Accuracy));
                spread.Points.AddRange([new(x, 100 * network.Least), new(x, 100 * network.Most), DataPoint.Undefined]);
            }

            model.Series.Add(spread);
            model.Series.Add(curve);
        }

        return SvgPlot.Draw(model);
    }

    // 20000 is 20k, 300000000 is 300M.
    private static string Label(double value) => value switch
    {
        >= 0.999e6 => Numbers.Short(value / 1e6) + "M",
        >= 0.999e3 => Numbers.Short(value / 1e3) + "k",
        _ => Numbers.Short(value),
    };
}
