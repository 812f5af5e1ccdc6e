using SeparableConv.Networks.Pictures;

namespace SeparableConv.Cli.Commands;

/// <summary>How pictures become a network's input: as <c>--mean</c> and <c>--std</c> say, or the model, or else as is usual.</summary>
/// <param name="Transform">What is done.</param>
/// <param name="Description">For people: what is done to pixels and who says so.</param>
internal sealed record PixelNumbers(PictureTransform Transform, string Description)
{
    /// <summary>Decides it for an input.</summary>
    /// <param name="input">The input that takes pictures.</param>
    /// <param name="mean">One number or one a channel, or null.</param>
    /// <param name="deviation">One number or one a channel, or null.</param>
    /// <param name="stored">What the model's own metadata says, or null.</param>
    /// <exception cref="InputException">There are more or fewer numbers than channels, or the input takes no picture.</exception>
    public static PixelNumbers For(Value input, double[]? mean, double[]? deviation, Normalization? stored = null)
    {
        var type = input.Type;
        if (type.Shape.Rank == 4 && type.Shape[0] != 1)
        {
            throw new InputException(
                $"The input '{input.Name}' takes {type.Shape[0]} pictures at once, {type}, and one is given; where the model leaves that "
                + $"open, --shape {input.Name}=1x... loads it for one.");
        }

        var layout = PictureLayout.Of(input) ?? throw new InputException(
            $"The input '{input.Name}' takes {type}, which is no picture of 1 or 3 channels; give a .npy tensor of that type and shape.");

        var isAsked = mean is not null || deviation is not null;
        var normalization = isAsked ? Asked(mean ?? [0], deviation ?? [1], layout.Channels) : stored ?? Normalization.UsualFor(input);
        if (normalization is null)
        {
            throw new InputException(
                $"The input '{input.Name}' takes {type}, and nothing says how pixels become such numbers; give --mean and --std, or a "
                + ".npy tensor.");
        }

        if (type.Element is ElementType.Bool or ElementType.UInt64)
            throw new InputException($"The input '{input.Name}' takes {type}, which pictures are not made into; give a .npy tensor.");

        var reason = true switch
        {
            _ when isAsked => ", as --mean and --std say",
            _ when stored is not null => ", as the model's metadata says; --mean and --std change it",
            _ when normalization == Normalization.Pixels && type.Quantization is { } quantization =>
                $": the network's input is quantized, {quantization}",
            _ when normalization == Normalization.Pixels => ": the network's input takes bytes",
            _ when normalization == Normalization.ImageNet => ", ImageNet's, as is usual for channels first; --mean and --std change it",
            _ => $", -1 to 1, as is usual for {(layout.ChannelsFirst ? "one channel" : "channels last")}; --mean and --std change it",
        };
        return new PixelNumbers(new PictureTransform(input, normalization), normalization + reason);
    }

    private static Normalization Asked(double[] mean, double[] deviation, int channels)
    {
        CheckCount("--mean", mean, channels);
        CheckCount("--std", deviation, channels);
        for (var c = 0; c < channels; c++)
        {
            var (m, d) = (mean[mean.Length == 1 ? 0 : c], deviation[deviation.Length == 1 ? 0 : c]);
            if (Normalization.Largest(m, d) is var most && !(most <= float.MaxValue))
            {
                throw new InputException(
                    $"{Normalization.Formula([m], [d])} is up to {Normalization.Text([most])}, more than a float holds; give --mean and "
                    + "--std between 0 and 255, as pixels are.");
            }
        }

        return new Normalization(mean, deviation);
    }

    private static void CheckCount(string option, double[] values, int channels)
    {
        if (values.Length != 1 && values.Length != channels)
        {
            throw new InputException(
                $"{option} has {values.Length} numbers but the network's pictures have {channels} "
                + $"{(channels == 1 ? "channel" : "channels")}; give one number, or one a channel.");
        }
    }
}
