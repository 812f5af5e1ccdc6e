using SeparableConv.Imaging;

namespace SeparableConv.Tests.Imaging;

/// <summary>Bytes that arrive a few at a time and whose number is not known beforehand, as from another program.</summary>
internal sealed class Pipe(byte[] bytes) : ReadOnlyStream
{
    private int _position;

    public override int Read(Span<byte> buffer)
    {
        var count = Math.Min(Math.Min(buffer.Length, 7), bytes.Length - _position);
        bytes.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }
}
