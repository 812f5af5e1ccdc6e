using System.Buffers.Binary;
using System.IO.Compression;
using SeparableConv.Imaging.Png;
using SeparableConv.Tests.Support.Fuzz;

namespace SeparableConv.Tests.Imaging.Fuzz;

/// <summary>Damages the chunks of a PNG file: their checksums stay right, and so does the compression of the pixels.</summary>
internal static class PngMutator
{
    private const int Overhead = 12;
    private static readonly string[] s_types = ["IHDR", "PLTE", "IDAT", "IEND", "tRNS", "eXIf", "gAMA", "iCCP", "pHYs", "ABCD", "abcd"];

    /// <summary>A damaged copy.</summary>
    public static byte[] Mutate(byte[] file, byte[] other, Random random)
    {
        var chunks = Chunks(file);
        for (var left = Edges.Times(random); left > 0 && chunks.Count > 0; left--)
            Once(chunks, other, random);
        var result = new PngBuilder();
        foreach (var (type, data) in chunks)
            result.Chunk(type, data);
        return result.Bytes();
    }

    private static void Once(List<(string Type, byte[] Data)> chunks, byte[] other, Random random)
    {
        var at = random.Next(chunks.Count);
        var (type, data) = chunks[at];
        switch (random.Next(10))
        {
            case 0:
                chunks.RemoveAt(at);
                break;
            case 1:
                chunks.Insert(random.Next(chunks.Count + 1), (type, data));
                break;
            case 2:
                chunks[at] = (s_types[random.Next(s_types.Length)], data);
                break;
            case 3 or 4 when type == "IHDR" && data.Length >= 8:
                var header = data.ToArray();
                BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4 * random.Next(2)), (uint)Edges.Integer(random, header[3]));
                chunks[at] = (type, header);
                break;
            case 3 or 4 when type == "iCCP" && data.Length > 3:
                chunks[at] = (type, [.. data[..3], .. PngBuilder.Deflate(ByteMutator.Mutate(Inflate(data[3..]), other, random))]);
                break;
            case 5 or 6 when type == "IDAT":
                chunks[at] = (type, PngBuilder.Deflate(ByteMutator.Mutate(Inflate(data), other, random)));
                break;
            default:
                chunks[at] = (type, ByteMutator.Mutate(data, other, random));
                break;
        }
    }

    private static List<(string Type, byte[] Data)> Chunks(byte[] file)
    {
        var chunks = new List<(string, byte[])>();
        for (var at = PngChunkReader.Signature.Length; at + Overhead <= file.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            chunks.Add((System.Text.Encoding.ASCII.GetString(file, at + 4, 4), file[(at + 8)..(at + 8 + length)]));
            at += Overhead + length;
        }

        return chunks;
    }

    // Of pixels in several chunks, and of damaged ones, as much as can be inflated.
    private static byte[] Inflate(byte[] data)
    {
        using var pixels = new MemoryStream();
        try
        {
            using var zlib = new ZLibStream(new MemoryStream(data), CompressionMode.Decompress);
            zlib.CopyTo(pixels);
        }
        catch (InvalidDataException)
        {
            return data;
        }

        return pixels.ToArray();
    }
}
