using System.Diagnostics;
using System.Text;
using SeparableConv.Imaging;
using SeparableConv.Networks;
using SeparableConv.Training;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace TrainScreen;

/// <summary>The live screen: curves above, pictures and what the network takes them for below.</summary>
internal sealed class Screen
{
    private const int CurveHeight = 6;
    private const int MostPictures = 6;
    private const int FrameWidth = 4;

    // Letters between columns.
    private const int Gap = 2;
    private const double DrawSeconds = 0.2;

    private readonly TrainingStep _step;
    private readonly PictureDataSet _unseen;
    private readonly Normalization _normalization;
    private readonly int[] _samples;
    private readonly Image<byte>[] _images;
    private readonly Markup[] _drawn;
    private readonly List<double> _losses = [];
    private readonly List<double> _accuracies = [];

    /// <summary>Chooses pictures, as many as the screen is wide enough for.</summary>
    public Screen(TrainingStep step, PictureDataSet unseen, Normalization normalization)
    {
        (_step, _unseen, _normalization) = (step, unseen, normalization);

        // Classes take turns: so these are as many classes as pictures.
        var count = Math.Clamp(AnsiConsole.Profile.Width / (unseen.Width + Gap), 1, MostPictures);
        _samples = [.. Enumerable.Range(0, count).Select(i => i * unseen.Classes.Count / count)];
        _images = [.. _samples.Select(Read)];
        _drawn = [.. _images.Select(Draw)];
    }

    /// <summary>Has all steps made, and draws every now and then.</summary>
    public void Show(IEnumerable<Moment> moments, int steps)
    {
        var whole = Stopwatch.StartNew();
        var sinceDrawn = Stopwatch.StartNew();
        AnsiConsole.Live(Text.Empty).Start(live =>
        {
            foreach (var moment in moments)
            {
                _losses.Add(moment.Loss);
                _accuracies.Add(moment.Accuracy);
                if (sinceDrawn.Elapsed.TotalSeconds < DrawSeconds && moment.Step < steps)
                    continue;
                var speed = moment.Step * _step.BatchSize / whole.Elapsed.TotalSeconds;
                var header = FormattableString.Invariant($"step {moment.Step:N0} of {steps:N0}, {speed:N0} pictures a second; Ctrl-C ends");
                live.UpdateTarget(new Rows(new Text(header), Curves(steps), Pictures()));
                sinceDrawn.Restart();
            }
        });
    }

    private Grid Curves(int steps)
    {
        // Without any knowledge all classes are equally likely: that loss is the upper edge.
        var chance = Math.Log(_step.Classes);
        return new Grid().AddColumns(2).AddRow(
            Framed(_losses, steps, chance, Color.DodgerBlue1, $"loss {Recent(_losses):0.000}"),
            Framed(_accuracies, steps, 1, Color.Green, $"accuracy {Recent(_accuracies):P1}"));
    }

    private Panel Framed(List<double> values, int steps, double top, Color color, FormattableString header)
    {
        var width = (_samples.Length * (_unseen.Width + Gap) / 2) - FrameWidth - Gap;
        return new Panel(new Text(Curve.Draw(values, steps, top, width, CurveHeight), color))
        {
            Header = new PanelHeader(FormattableString.Invariant(header)),
            Border = BoxBorder.Rounded,
        };
    }

    private Grid Pictures()
    {
        using var classifier = new PictureClassifier(_step.ToNetwork().WithBatch(1), _unseen.Classes, _normalization);
        var guesses = _samples.Select((sample, i) =>
        {
            var best = classifier.Classify(_images[i], top: 1)[0];
            var color = best.Index == _unseen.ClassOf(sample) ? "green" : "red";
            return new Markup(FormattableString.Invariant($"[{color}]{best.Name} {best.Score:P0}[/]"));
        });
        return new Grid().AddColumns(_samples.Length)
            .AddRow([.. _drawn.Cast<IRenderable>()])
            .AddRow([.. guesses.Cast<IRenderable>()]);
    }

    private Image<byte> Read(int sample)
    {
        var pixels = new byte[_unseen.PictureBytes];
        _unseen.Read(sample, pixels);
        return Image.Create(_unseen.Width, _unseen.Height, _unseen.Channels, pixels);
    }

    // A letter shows two pixels, one above the other: the upper half block in front of the lower pixel's colour.
    private static Markup Draw(Image<byte> image)
    {
        var text = new StringBuilder();
        for (var y = 0; y + 1 < image.Height; y += 2)
        {
            for (var x = 0; x < image.Width; x++)
                text.Append($"[{Rgb(image, x, y)} on {Rgb(image, x, y + 1)}]▀[/]");
            text.Append('\n');
        }

        return new Markup(text.ToString().TrimEnd('\n'));
    }

    private static string Rgb(Image<byte> image, int x, int y) =>
        image.Row(y).Slice(x * 3, 3) is [var red, var green, var blue] ? $"rgb({red},{green},{blue})" : "";

    private static double Recent(List<double> values) => values.TakeLast(50).Average();
}
