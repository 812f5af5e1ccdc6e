using SeparableConv.Networks;

namespace SeparableConv.Cli.Commands;

/// <summary>How a picture lies in a network's input.</summary>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
/// <param name="Channels">1 for gray, 3 for colour.</param>
/// <param name="ChannelsFirst">Whether each channel is a plane of its own (ONNX), and not a sample of each pixel (TensorFlow).</param>
internal sealed record PictureLayout(int Height, int Width, int Channels, bool ChannelsFirst)
{
    /// <summary>Reads it from the input's shape: the dimension of 1 or 3 is the channels.</summary>
    /// <exception cref="InputException">The input takes no single picture.</exception>
    public static PictureLayout Of(Value input)
    {
        var lengths = input.Type.Shape.Lengths;
        if (lengths.Length == 4 && lengths[0] != 1)
            throw new InputException($"The input '{input.Name}' takes {lengths[0]} pictures at once, {input.Type}, and one is given; where the model leaves that open, --shape {input.Name}=1x... loads it for one.");

        var picture = lengths.Length == 4 ? lengths[1..] : lengths;
        if (picture.Length != 3 || picture.Contains(0))
            throw NoPicture(input);
        var last = new PictureLayout(picture[0], picture[1], picture[2], ChannelsFirst: false);
        var first = new PictureLayout(picture[1], picture[2], picture[0], ChannelsFirst: true);
        return (last.Channels is 1 or 3, first.Channels is 1 or 3) switch
        {
            (true, false) => last,
            (false, true) => first,

            // Both readings are possible where a picture is 1 or 3 pixels high or wide; most pictures are square.
            (true, true) => last.Height == last.Width || first.Height != first.Width ? last : first,
            _ => throw NoPicture(input),
        };
    }

    private static InputException NoPicture(Value input) => new(
        $"The input '{input.Name}' takes {input.Type}, which is no picture of 1 or 3 channels; give a .npy tensor of that type and shape.");
}
