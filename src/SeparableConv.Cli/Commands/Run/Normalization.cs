using System.Globalization;
using SeparableConv.Networks;

namespace SeparableConv.Cli.Commands;

/// <summary>
/// From a picture's samples, 0 to 255 whatever their type, to what a network wants: (sample - mean) / deviation, and for a
/// quantized input the number that stands for it.
/// </summary>
/// <param name="Mean">One a channel.</param>
/// <param name="Deviation">One a channel, not 0.</param>
/// <param name="Description">For people: what is done and who says so.</param>
internal sealed record Normalization(double[] Mean, double[] Deviation, string Description)
{
    // Of ImageNet's training pictures, as torchvision has them: 0.485 0.456 0.406 and 0.229 0.224 0.225 of 255.
    private static readonly double[] ImageNetMean = [123.675, 116.28, 103.53];
    private static readonly double[] ImageNetDeviation = [58.395, 57.12, 57.375];

    /// <summary>Whether samples become quantized numbers by their order alone: the lowest stands for black, the highest for white.</summary>
    public bool IsRaw { get; private init; }

    /// <summary>What the options say, or else the network's input.</summary>
    /// <param name="input">The input that takes pictures.</param>
    /// <param name="layout">How they lie in it.</param>
    /// <param name="mean">One number or one a channel, or null.</param>
    /// <param name="deviation">The same.</param>
    /// <exception cref="InputException">There are more or fewer numbers than channels, or the input takes no picture without them.</exception>
    public static Normalization Of(Value input, PictureLayout layout, double[]? mean, double[]? deviation)
    {
        if (mean is not null || deviation is not null)
        {
            var means = EachChannel("--mean", mean ?? [0], layout.Channels);
            var deviations = EachChannel("--std", deviation ?? [1], layout.Channels);
            for (var c = 0; c < means.Length; c++)
            {
                if (Math.Max(Math.Abs(means[c] / deviations[c]), Math.Abs((255 - means[c]) / deviations[c])) is var most && !(most <= float.MaxValue))
                    throw new InputException($"(pixel - {Text([means[c]])}) / {Text([deviations[c]])} is up to {Text([most])}, more than a float holds; give --mean and --std between 0 and 255, as pixels are.");
            }

            return new Normalization(means, deviations, $"{Formula(mean ?? [0], deviation ?? [1])}, as --mean and --std say");
        }

        var zeros = EachChannel("", [0], layout.Channels);
        var ones = EachChannel("", [1], layout.Channels);
        var type = input.Type;
        if (type.Element is ElementType.UInt8 or ElementType.Int8 && type.Quantization is not null)
            return new Normalization(zeros, ones, $"pixels as they are: the network's input is quantized, {type.Quantization}") { IsRaw = true };
        if (type.Element == ElementType.UInt8)
            return new Normalization(zeros, ones, "pixels as they are: the network's input takes bytes") { IsRaw = true };
        if (type.Element is not (ElementType.Float16 or ElementType.Float32 or ElementType.Float64) && type.Quantization is null)
            throw new InputException($"The input '{input.Name}' takes {type}, and nothing says how pixels become such numbers; give --mean and --std, or a .npy tensor.");

        if (layout is { ChannelsFirst: true, Channels: 3 })
            return new Normalization(ImageNetMean, ImageNetDeviation, $"{Formula(ImageNetMean, ImageNetDeviation)}, ImageNet's, as is usual for channels first; --mean and --std change it");
        return new Normalization(
            EachChannel("", [127.5], layout.Channels),
            EachChannel("", [127.5], layout.Channels),
            $"{Formula([127.5], [127.5])}, -1 to 1, as is usual for {(layout.ChannelsFirst ? "one channel" : "channels last")}; --mean and --std change it");
    }

    private static double[] EachChannel(string option, double[] values, int channels)
    {
        if (values.Length != 1 && values.Length != channels)
            throw new InputException($"{option} has {values.Length} numbers but the network's pictures have {channels} {(channels == 1 ? "channel" : "channels")}; give one number, or one a channel.");
        var each = new double[channels];
        for (var c = 0; c < channels; c++)
            each[c] = values[values.Length == 1 ? 0 : c];
        return each;
    }

    private static string Formula(double[] mean, double[] deviation) => $"(pixel - {Text(mean)}) / {Text(deviation)}";

    private static string Text(double[] values) => string.Join(',', Array.ConvertAll(values, value => value.ToString(CultureInfo.InvariantCulture)));
}
