namespace SeparableConv.Networks.Pictures;

/// <summary>How pictures lie in a network's input.</summary>
/// <param name="Count">Pictures at once.</param>
/// <param name="Height">Rows of a picture.</param>
/// <param name="Width">Columns of a picture.</param>
/// <param name="Channels">1 for gray, 3 for colour.</param>
/// <param name="ChannelsFirst">Whether each channel is a plane of its own (ONNX), and not a sample of each pixel (TensorFlow).</param>
internal readonly record struct PictureLayout(int Count, int Height, int Width, int Channels, bool ChannelsFirst)
{
    /// <summary>
    /// Reads it from the input's shape: (N, height, width, channels), (N, channels, height, width), or the same without N. The dimension of
    /// 1 or 3 is the channels. Null where the input takes no pictures.
    /// </summary>
    public static PictureLayout? Of(Value input)
    {
        var lengths = input.Type.Shape.Lengths;
        if (lengths.Length is not (3 or 4) || lengths.Contains(0))
            return null;

        var count = lengths.Length == 4 ? lengths[0] : 1;
        var picture = lengths[^3..];
        var last = new PictureLayout(count, picture[0], picture[1], picture[2], ChannelsFirst: false);
        var first = new PictureLayout(count, picture[1], picture[2], picture[0], ChannelsFirst: true);
        return (last.Channels is 1 or 3, first.Channels is 1 or 3) switch
        {
            (true, false) => last,
            (false, true) => first,

            // Both readings are possible where a picture is 1 or 3 pixels high or wide; most pictures are square.
            (true, true) => last.Height == last.Width || first.Height != first.Width ? last : first,
            _ => null,
        };
    }
}
