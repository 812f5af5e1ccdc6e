using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using SeparableConv.Imaging.Png;

namespace SeparableConv.Tests.Imaging;

/// <summary>Writes PNG files chunk by chunk, right ones and wrong ones.</summary>
internal sealed class PngBuilder
{
    private readonly MemoryStream _file = new();

    public PngBuilder() => _file.Write(PngChunkReader.Signature);

    public PngBuilder Header(
        uint width, uint height, byte depth = 8, byte color = 0, byte compression = 0, byte filter = 0, byte interlace = 0)
    {
        var data = new byte[13];
        BinaryPrimitives.WriteUInt32BigEndian(data, width);
        BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(4), height);
        (data[8], data[9], data[10], data[11], data[12]) = (depth, color, compression, filter, interlace);
        return Chunk("IHDR", data);
    }

    public PngBuilder Chunk(string type, params byte[] data)
    {
        var letters = Encoding.ASCII.GetBytes(type);
        var number = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        _file.Write(number);
        _file.Write(letters);
        _file.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32.Compute(letters, data));
        _file.Write(number);
        return this;
    }

    /// <summary>One IDAT chunk of the rows, filter bytes included, deflated.</summary>
    public PngBuilder Data(params byte[] rows) => Chunk("IDAT", Deflate(rows));

    public byte[] End() => Chunk("IEND").Bytes();

    public byte[] Bytes() => _file.ToArray();

    public static byte[] Deflate(byte[] rows)
    {
        using var result = new MemoryStream();
        using (var zlib = new ZLibStream(result, CompressionLevel.Optimal))
            zlib.Write(rows);
        return result.ToArray();
    }
}
