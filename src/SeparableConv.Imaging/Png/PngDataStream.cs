namespace SeparableConv.Imaging.Png;

/// <summary>
/// The bytes of all IDAT chunks as one stream to inflate. The last byte is handed out alone, and the stream remembers
/// whether it was taken and whether more was asked for: so the reader learns whether the compressed data ended exactly
/// where the chunks do, which the BCL's inflater does not tell.
/// </summary>
internal sealed class PngDataStream(byte[] file, IReadOnlyList<PngChunk> chunks, long totalBytes) : ReadOnlyStream
{
    private long _left = totalBytes;
    private int _chunk;
    private int _used;

    /// <summary>Whether the inflater asked for bytes behind the last one, which says that the compressed data are cut off.</summary>
    public bool RanDry { get; private set; }

    /// <summary>
    /// Whether the inflater finished without taking the last byte, which says that other data follow the compressed ones.
    /// </summary>
    public bool HasLeftOver => _left > 0;

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
            return 0;

        if (_left == 0)
        {
            RanDry = true;
            return 0;
        }

        while (_used == chunks[_chunk].Length)
        {
            _chunk++;
            _used = 0;
        }

        var chunk = chunks[_chunk];
        var count = (int)Math.Min(Math.Min(buffer.Length, chunk.Length - _used), Math.Max(1, _left - 1));
        file.AsSpan(chunk.Offset + _used, count).CopyTo(buffer);
        _used += count;
        _left -= count;
        return count;
    }
}
