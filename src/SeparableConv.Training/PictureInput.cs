using System.Runtime.InteropServices;
using SeparableConv.Loops;

namespace SeparableConv.Training;

/// <summary>Writes pictures of a data set, channels last, into a network's input, which may have its channels first.</summary>
internal sealed unsafe class PictureInput
{
    private readonly bool _isChannelsFirst;
    private readonly int _pixels;
    private readonly int _channels;

    /// <exception cref="ArgumentException">The input does not take the pictures.</exception>
    public PictureInput(TensorType type, PictureDataSet data)
    {
        if (type.Element != ElementType.Float32)
            throw new ArgumentException($"The network's input is {type}; pictures are written as float32: take the float network.");
        var input = type.Shape;
        (_pixels, _channels) = (data.Height * data.Width, data.Channels);
        var last = input.Rank == 4 && input[1] == data.Height && input[2] == data.Width && input[3] == data.Channels;
        _isChannelsFirst = !last && input.Rank == 4
            && input[1] == data.Channels && input[2] == data.Height && input[3] == data.Width;
        if (!last && !_isChannelsFirst)
        {
            throw new ArgumentException(
                $"The network's input is {input} but the pictures are {data.Height}x{data.Width}x{data.Channels}; expected "
                + $"(N,{data.Height},{data.Width},{data.Channels}) or (N,{data.Channels},{data.Height},{data.Width}).");
        }
    }

    /// <summary>Writes pictures, (N, height, width, channels).</summary>
    public void Write(ReadOnlySpan<float> pictures, Span<byte> input)
    {
        var target = MemoryMarshal.Cast<byte, float>(input);
        if (!_isChannelsFirst)
        {
            pictures.CopyTo(target);
            return;
        }

        var length = _pixels * _channels;
        fixed (float* from = pictures, to = target)
        {
            for (var at = 0; at < pictures.Length; at += length)
                TransposeLoop.Run(from + at, _channels, to + at, _pixels, _channels, _pixels);
        }
    }
}
