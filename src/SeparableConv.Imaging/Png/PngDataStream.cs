namespace SeparableConv.Imaging.Png;

/// <summary>
/// The bytes of all IDAT chunks as one stream to inflate. The last byte is handed out alone, and the stream remembers
/// whether it was taken and whether more was asked for: so the reader learns whether the compressed data ended exactly
/// where the chunks do, which the BCL's inflater does not tell.
/// </summary>
internal sealed class PngDataStream(byte[] file, IReadOnlyList<PngChunk> chunks, long totalBytes) : Stream
{
    private long _left = totalBytes;
    private int _chunk;
    private int _used;

    /// <summary>Whether the inflater wanted bytes behind the last one: its data are cut off.</summary>
    public bool RanDry { get; private set; }

    /// <summary>Whether the inflater finished without the last byte: other data follow its own.</summary>
    public bool HasLeftOver => _left > 0;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

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

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
