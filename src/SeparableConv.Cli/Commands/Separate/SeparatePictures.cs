using SeparableConv.Cli.Options;
using SeparableConv.Networks.Pictures;

namespace SeparableConv.Cli.Commands;

/// <summary>The pictures of a separation: those that layers are fitted by, and those that judge.</summary>
/// <param name="Training">Pictures to fit and to learn from.</param>
/// <param name="Validation">Those that judge, or null where no labels are known.</param>
/// <param name="Normalization">How samples become numbers.</param>
/// <param name="CalibrationCount">How many of them the calibration takes.</param>
/// <param name="Settings">What was asked.</param>
internal sealed record SeparatePictures(
    PictureDataSet Training, PictureDataSet? Validation, Normalization Normalization, int CalibrationCount, SeparateSettings Settings)
{
    /// <summary>Reads them; null where none were given.</summary>
    /// <exception cref="InputException">They cannot be read, or do not suit the network.</exception>
    public static SeparatePictures? Load(SeparateSettings settings, Network network, Terminal terminal)
    {
        if (settings.Data is null && settings.Calibration is null)
            return null;
        var layout = ModelChoice.Layout(network);
        var pixels = PixelNumbers.For(network.Inputs[0], settings.Mean, settings.Deviation, Normalization.Of(network));
        var normalization = pixels.Transform.Normalization;
        var (training, validation) = settings.Data is null
            ? (null, null)
            : settings.Validation.Split(settings.Data.Load(layout, settings.IsStrict));
        var calibration = settings.Calibration?.LoadPictures(layout, settings.IsStrict) ?? training!;
        var count = Math.Min(settings.Samples, calibration.Count);
        if (!settings.Json)
        {
            var output = terminal.Output;
            RunReport.Line(output, "pictures", $"{Numbers.Count(count)} of {(settings.Calibration ?? settings.Data!).Text} to calibrate by"
                + (validation is null ? "" : $", {Numbers.Count(validation.Count)} to judge by"));
            RunReport.Line(output, "pixels", pixels.Description);
        }

        return new(calibration, validation, normalization, count, settings);
    }

    /// <summary>How well a network does on the pictures that judge; null where there are none.</summary>
    public Evaluation? Evaluate(Network network, CancellationToken cancellation) => Validation is null
        ? null
        : Evaluation.Run(network, Validation, Normalization, Settings.Threads, cancellation);

    /// <summary>Gives a separation the pictures.</summary>
    public NetworkSeparation Calibrate(NetworkSeparation separation) =>
        separation.Calibrate(Training, Normalization, CalibrationCount, Settings.Seed);
}
