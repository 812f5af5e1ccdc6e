using System.Globalization;
using SeparableConv.Networks.Pictures;

namespace SeparableConv.Networks;

/// <summary>
/// How a picture's samples become the numbers that a network was trained on: (sample - mean) / deviation. Samples count from 0 (black)
/// to 255 (white) whatever their type: a 16-bit sample is divided by 257, a float of 0 to 1 is multiplied by 255.
/// </summary>
/// <remarks>For an input that is quantized the number is then brought to its scale and zero point, rounded and saturated.</remarks>
public sealed class Normalization
{
    private const string MeanKey = "mean";
    private const string DeviationKey = "std";

    private readonly double[] _mean;
    private readonly double[] _deviation;

    /// <summary>A mean and a deviation, each one number for all channels or one number a channel.</summary>
    /// <param name="mean">What is taken from every sample, 0 to 255.</param>
    /// <param name="deviation">What every sample less the mean is divided by; not 0.</param>
    /// <exception cref="ArgumentException">
    /// There is no number, a deviation is 0, both have several numbers but not as many, or results are beyond float.
    /// </exception>
    public Normalization(ReadOnlySpan<double> mean, ReadOnlySpan<double> deviation)
    {
        if (mean.IsEmpty || deviation.IsEmpty || (mean.Length != deviation.Length && mean.Length > 1 && deviation.Length > 1))
        {
            throw new ArgumentException(
                $"The normalization has {mean.Length} means and {deviation.Length} deviations; give one number, or one a channel, of "
                + "each.");
        }

        if (deviation.Contains(0))
        {
            throw new ArgumentException(
                "The normalization has a deviation of 0, and samples are divided by it; give numbers other than 0.");
        }

        (_mean, _deviation) = (mean.ToArray(), deviation.ToArray());
        for (var c = 0; c < Math.Max(mean.Length, deviation.Length); c++)
        {
            var largest = Largest(MeanOf(c), DeviationOf(c));
            if (!(largest <= float.MaxValue))
            {
                throw new ArgumentException(
                    $"{Formula([MeanOf(c)], [DeviationOf(c)])} is up to {Text([largest])}, more than a float holds; give means and "
                    + "deviations between 0 and 255, as pixels are.");
            }
        }
    }

    private Normalization(bool keepsPixels)
        : this([0], [1]) => KeepsPixels = keepsPixels;

    /// <summary>From -1 to 1: (sample - 127.5) / 127.5, usual for networks made with TensorFlow and Keras.</summary>
    public static Normalization MinusOneToOne { get; } = new([127.5], [127.5]);

    /// <summary>From 0 to 1: sample / 255.</summary>
    public static Normalization ZeroToOne { get; } = new([0], [255]);

    /// <summary>
    /// By mean and deviation of ImageNet's training pictures, 123.675 116.28 103.53 and 58.395 57.12 57.375 (torchvision's 0.485 0.456
    /// 0.406 and 0.229 0.224 0.225 of 255); usual for networks made with PyTorch.
    /// </summary>
    public static Normalization ImageNet { get; } = new([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]);

    /// <summary>
    /// Samples as they are. An input of integers gets them by their order alone: black is its lowest number, so that an int8 is the sample
    /// less 128, whatever scale the network gives it. A float is 0 to 255.
    /// </summary>
    public static Normalization Pixels { get; } = new(keepsPixels: true);

    /// <summary>One number for all channels, or one a channel.</summary>
    public ReadOnlySpan<double> Mean => _mean;

    /// <summary>One number for all channels, or one a channel.</summary>
    public ReadOnlySpan<double> Deviation => _deviation;

    /// <summary>Whether integers get samples by their order alone: <see cref="Pixels"/>.</summary>
    internal bool KeepsPixels { get; }

    /// <summary>
    /// What is usual for an input: <see cref="Pixels"/> for bytes, quantized or not; <see cref="ImageNet"/> for other numbers where
    /// pictures are in colour and channels come first; <see cref="MinusOneToOne"/> for all others.
    /// </summary>
    /// <param name="input">An input that takes pictures.</param>
    /// <returns>The normalization; null for integers that nothing says how to make of samples, and for what takes no pictures.</returns>
    public static Normalization? UsualFor(Value input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var type = input.Type;
        if (PictureLayout.Of(input) is not { } layout)
            return null;
        if (type.Element == ElementType.UInt8 || (type.Element == ElementType.Int8 && type.Quantization is not null))
            return Pixels;
        if (!type.Element.IsFloat() && type.Quantization is null)
            return null;
        return layout is { ChannelsFirst: true, Channels: 3 } ? ImageNet : MinusOneToOne;
    }

    /// <summary>
    /// What a network's metadata says: <c>mean</c> and <c>std</c>, numbers with commas between for samples of 0 to 255, as
    /// <see cref="ToMetadata"/> writes them.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <returns>The normalization; null where the two are not both there, or are no such numbers.</returns>
    public static Normalization? Of(Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (Parse(network.Metadata.GetValueOrDefault(MeanKey)) is not { } mean
            || Parse(network.Metadata.GetValueOrDefault(DeviationKey)) is not { } deviation)
            return null;
        try
        {
            return new(mean, deviation);
        }
        catch (ArgumentException)
        {
            // Notes of somebody else, who means something else by the words.
            return null;
        }
    }

    /// <summary>The notes that tell a network's users how to make numbers of pictures; see <see cref="Of"/>.</summary>
    /// <returns>Text by text, for <see cref="Network.WithMetadata"/>.</returns>
    public IReadOnlyDictionary<string, string> ToMetadata() =>
        new Dictionary<string, string> { [MeanKey] = Text(_mean), [DeviationKey] = Text(_deviation) };

    /// <summary>For example <c>(pixel - 127.5) / 127.5</c>.</summary>
    /// <returns>The formula.</returns>
    public override string ToString() => KeepsPixels ? "pixels as they are" : Formula(_mean, _deviation);

    internal static string Formula(ReadOnlySpan<double> mean, ReadOnlySpan<double> deviation) =>
        $"(pixel - {Text(mean)}) / {Text(deviation)}";

    /// <summary>Numbers with commas between.</summary>
    internal static string Text(ReadOnlySpan<double> values) =>
        string.Join(',', Array.ConvertAll(values.ToArray(), value => value.ToString(CultureInfo.InvariantCulture)));

    /// <summary>How far from 0 the number of any sample can be.</summary>
    internal static double Largest(double mean, double deviation) =>
        Math.Max(Math.Abs(mean / deviation), Math.Abs((255 - mean) / deviation));

    private static double[]? Parse(string? text)
    {
        if (text is null)
            return null;
        var parts = text.Split(',');
        var numbers = new double[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!double.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i]))
                return null;
        }

        return numbers;
    }

    internal double MeanOf(int channel) => _mean[_mean.Length == 1 ? 0 : channel];

    internal double DeviationOf(int channel) => _deviation[_deviation.Length == 1 ? 0 : channel];

    /// <summary>Throws where numbers a channel do not suit so many channels.</summary>
    internal void Check(int channels)
    {
        foreach (var (what, count) in ((string, int)[])[("means", _mean.Length), ("deviations", _deviation.Length)])
        {
            if (count != 1 && count != channels)
            {
                throw new ArgumentException(
                    $"The normalization has {count} {what} but the network's pictures have {channels} "
                    + $"{(channels == 1 ? "channel" : "channels")}; give one number, or one a channel.");
            }
        }
    }
}
