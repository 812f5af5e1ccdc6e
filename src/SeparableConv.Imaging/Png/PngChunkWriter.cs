using System.Buffers.Binary;

namespace SeparableConv.Imaging.Png;

/// <summary>A stream whose bytes become IDAT chunks of one size; other chunks are written between.</summary>
internal sealed class PngChunkWriter(Stream output) : Stream
{
    private const int ChunkBytes = 64 * 1024;

    private readonly byte[] _buffer = new byte[ChunkBytes];
    private int _used;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Writes one whole chunk.</summary>
    public void WriteChunk(PngChunkType type, ReadOnlySpan<byte> data)
    {
        Span<byte> head = stackalloc byte[8];
        BinaryPrimitives.WriteInt32BigEndian(head, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(head[4..], (uint)type);
        Span<byte> check = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(check, Crc32.Compute(head[4..], data));
        output.Write(head);
        output.Write(data);
        output.Write(check);
    }

    /// <summary>Writes what is held back as the last IDAT chunk.</summary>
    public void FinishData()
    {
        if (_used > 0)
            WriteChunk(PngChunkType.Data, _buffer.AsSpan(0, _used));
        _used = 0;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var count = Math.Min(buffer.Length, ChunkBytes - _used);
            buffer[..count].CopyTo(_buffer.AsSpan(_used));
            buffer = buffer[count..];
            _used += count;
            if (_used == ChunkBytes)
                FinishData();
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    // The deflater flushes when it ends; chunks are cut by size alone.
    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
