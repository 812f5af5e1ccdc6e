using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SeparableConv.Imaging.Png;

/// <summary>Filters and deflates an image, a row at a time.</summary>
internal static class PngEncoder
{
    private const int LeastSearchingLevel = 4;

    public static void Encode<T>(Image<T> image, Stream output, int level)
        where T : unmanaged, INumber<T>
    {
        output.Write(PngChunkReader.Signature);
        using var chunks = new PngChunkWriter(output);
        WriteHeader(chunks, image);
        PngMetadata.Write(chunks, image.Metadata);

        // On filtered photographs a search for anything but runs costs twice the time and gains nothing; flat or repeating
        // pictures do gain from it.
        var deflate = new ZLibCompressionOptions
        {
            CompressionLevel = level,
            CompressionStrategy = level < LeastSearchingLevel
                ? ZLibCompressionStrategy.RunLengthEncoding
                : ZLibCompressionStrategy.Filtered,
        };
        using (var zlib = new ZLibStream(chunks, deflate, leaveOpen: true))
            WriteRows(zlib, image);

        chunks.FinishData();
        chunks.WriteChunk(PngChunkType.End, []);
    }

    private static void WriteHeader(PngChunkWriter chunks, Image image)
    {
        var color = image.Channels switch
        {
            1 => PngColor.Gray,
            2 => PngColor.GrayAlpha,
            3 => PngColor.Rgb,
            _ => PngColor.Rgba,
        };
        Span<byte> header = stackalloc byte[PngHeader.Length];
        header.Clear();
        BinaryPrimitives.WriteInt32BigEndian(header, image.Width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], image.Height);
        header[8] = image.Type == ElementType.UInt16 ? (byte)16 : (byte)8;
        header[9] = (byte)color;
        chunks.WriteChunk(PngChunkType.Header, header);
    }

    private static void WriteRows<T>(ZLibStream zlib, Image<T> image)
        where T : unmanaged, INumber<T>
    {
        var rowBytes = checked(image.Width * image.Channels * Unsafe.SizeOf<T>());
        var distance = image.Channels * Unsafe.SizeOf<T>();

        // Zeros in front of a row are the left neighbours of its first pixel, so that no filter needs a special case.
        var row = new byte[distance + rowBytes];
        var above = new byte[distance + rowBytes];
        var filtered = new byte[1 + rowBytes];
        for (var y = 0; y < image.Height; y++)
        {
            FileBytes(image.Row(y), row.AsSpan(distance));
            var filter = PngFilterChooser.Choose(row, above, distance);
            filtered[0] = (byte)filter;
            PngFilterChooser.Apply(filter, row, above, distance, filtered.AsSpan(1));
            zlib.Write(filtered);
            (row, above) = (above, row);
        }
    }

    private static void FileBytes<T>(Span<T> samples, Span<byte> bytes)
        where T : unmanaged, INumber<T>
    {
        if (typeof(T) == typeof(ushort) && BitConverter.IsLittleEndian)
            BinaryPrimitives.ReverseEndianness(MemoryMarshal.Cast<T, ushort>(samples), MemoryMarshal.Cast<byte, ushort>(bytes));
        else
            MemoryMarshal.AsBytes(samples).CopyTo(bytes);
    }
}
