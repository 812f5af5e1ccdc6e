using SeparableConv.Networks.Pictures;

namespace SeparableConv.Cli.Options;

/// <summary>The network that a training begins with, as it is typed: one that is built for the data, or one from a file.</summary>
/// <param name="Text">What was typed.</param>
/// <param name="Build">Builds it for (height, width, channels), a number of classes and a seed; null for a file.</param>
/// <param name="BuildTwin">The same architecture in another form; null where it has but one, or its width was typed.</param>
internal sealed record ModelChoice(
    string Text, Func<TensorShape, int, int, Network>? Build, Func<NetworkForm, TensorShape, int, int, Network>? BuildTwin = null)
{
    public const string Form = "mobilenet-v1[:W]|mobilenet-v2[:W]|mobilenet-v3-large[:W]|mobilenet-v3-small[:W]|ds-cnn[:F]|"
        + "cnn:standard[:F]|cnn:separable[:F]|cnn:residual[:F]|cnn:vgg[:F]|FILE";

    // Of smaller pictures a first stride of 2 would leave one pixel, or less, for the last layers.
    private const int SmallPicture = 40;
    private const int UsualFilters = 32;

    private static readonly string[] Extensions = [".onnx", ".tflite"];

    /// <summary>Whether it is read from a file.</summary>
    public bool IsFile => Build is null;

    /// <summary>Reads what was typed.</summary>
    /// <exception cref="FormatException">It is no network that is known.</exception>
    public static ModelChoice Parse(string text)
    {
        var parts = text.ToLowerInvariant().Split(':');
        if (Extensions.Contains(Path.GetExtension(text), StringComparer.OrdinalIgnoreCase) || File.Exists(text))
            return new(text, null);
        if (parts is ["cnn", "standard" or "separable" or "residual" or "vgg", ..] and { Length: <= 3 })
            return Twin(text, parts[1], parts.Length == 3 ? Filters(parts[2]) : null);
        return new(text, parts switch
        {
            ["mobilenet-v1"] => MobileNet1(1),
            ["mobilenet-v1", var width] => MobileNet1(Width(width)),
            ["mobilenet-v2"] => MobileNet2(1),
            ["mobilenet-v2", var width] => MobileNet2(Width(width)),
            ["mobilenet-v3-large"] => MobileNet3Large(1),
            ["mobilenet-v3-large", var width] => MobileNet3Large(Width(width)),
            ["mobilenet-v3-small"] => MobileNet3Small(1),
            ["mobilenet-v3-small", var width] => MobileNet3Small(Width(width)),
            ["ds-cnn"] => Keywords(64),
            ["ds-cnn", var filters] => Keywords(Filters(filters)),
            _ => throw new FormatException($"'{text}' is no network; use {Form.Replace("|", ", ", StringComparison.Ordinal)} (.onnx, "
                + ".tflite)."),
        });
    }

    /// <summary>What pictures a network takes.</summary>
    public static PictureLayout Layout(Network network) => network.Inputs is [var input] && PictureLayout.Of(input) is { } layout
        ? layout
        : throw new InputException(
            $"The network's inputs are {string.Join(", ", network.Inputs)}; one for pictures of 1 or 3 channels is expected.");

    private static Func<TensorShape, int, int, Network> MobileNet1(double width) => (picture, classes, seed) =>
        MobileNetV1.Create(picture, width, classes, FirstStrides(picture), seed: seed);

    private static Func<TensorShape, int, int, Network> MobileNet2(double width) => (picture, classes, seed) =>
        MobileNetV2.Create(picture, width, classes, FirstStrides(picture), seed: seed);

    private static Func<TensorShape, int, int, Network> MobileNet3Large(double width) => (picture, classes, seed) =>
        MobileNetV3.CreateLarge(picture, width, classes, FirstStrides(picture), seed: seed);

    private static Func<TensorShape, int, int, Network> MobileNet3Small(double width) => (picture, classes, seed) =>
        MobileNetV3.CreateSmall(picture, width, classes, FirstStrides(picture), seed: seed);

    private static Func<TensorShape, int, int, Network> Keywords(int filters) => (picture, classes, seed) =>
        DsCnn.Create(picture, filters, classes, seed: seed);

    private static ModelChoice Twin(string text, string kind, int? filters)
    {
        Func<NetworkForm, TensorShape, int, int, Network> build = kind switch
        {
            "residual" => (form, picture, classes, seed) =>
                SeparableResNet.Create(picture, form.Filters, classes, form.Convolutions, form.DepthMultiplier, seed),
            "vgg" => (form, picture, classes, seed) =>
                SmallVgg.Create(picture, form.Filters, classes, form.Convolutions, form.DepthMultiplier, seed),
            _ => (form, picture, classes, seed) =>
                SmallCnn.Create(picture, form.Filters, classes, form.Convolutions, form.DepthMultiplier, seed),
        };
        var convolutions = kind is "standard" or "vgg" ? Convolutions.Standard : Convolutions.Separable;
        var usual = new NetworkForm(convolutions, filters ?? UsualFilters, DepthMultiplier: 1);
        return new(text, (picture, classes, seed) => build(usual, picture, classes, seed), filters is null ? build : null);
    }

    private static int FirstStrides(TensorShape picture) => Math.Min(picture[0], picture[1]) <= SmallPicture ? 1 : 2;

    private static double Width(string text)
    {
        var width = OptionValues.Number(text, 0);
        return width is > 0 and <= 4 ? width : throw new FormatException($"The width '{text}' is out of range; give a number up to 4.");
    }

    private static int Filters(string text)
    {
        var filters = OptionValues.WholeNumber(text, 1);
        return filters <= 4096 ? filters : throw new FormatException($"{text} filters are too many; give up to 4096.");
    }
}
