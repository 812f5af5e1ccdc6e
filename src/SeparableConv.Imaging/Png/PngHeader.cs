using System.Buffers.Binary;

namespace SeparableConv.Imaging.Png;

/// <summary>A PNG's IHDR chunk, checked.</summary>
internal readonly record struct PngHeader(int Width, int Height, int BitDepth, PngColor Color, bool Interlaced)
{
    /// <summary>Bytes of the chunk's data.</summary>
    public const int Length = 13;

    /// <summary>Samples a pixel in the file: a palette index counts as one.</summary>
    public int StoredSamples => Color switch
    {
        PngColor.GrayAlpha => 2,
        PngColor.Rgb => 3,
        PngColor.Rgba => 4,
        _ => 1,
    };

    /// <summary>Distance in bytes to the pixel on the left as the filters see it, at least 1.</summary>
    public int FilterDistance => Math.Max(1, StoredSamples * BitDepth / 8);

    /// <summary>Bytes of a row of this many pixels, without its filter byte.</summary>
    public long RowBytes(int width) => ((long)width * StoredSamples * BitDepth + 7) / 8;

    /// <summary>Bytes that the compressed data must inflate to: the rows of every pass, each behind its filter byte.</summary>
    public Int128 RawBytes()
    {
        Int128 total = 0;
        foreach (var pass in PngPass.All(Interlaced))
        {
            var (width, height) = pass.SizeIn(Width, Height);
            if (width > 0)
                total += (Int128)height * (RowBytes(width) + 1);
        }

        return total;
    }

    /// <summary>Reads the 13 bytes of IHDR.</summary>
    /// <exception cref="InvalidDataException">A field has a value that PNG does not define.</exception>
    public static PngHeader Parse(ReadOnlySpan<byte> data)
    {
        if (data.Length != Length)
            throw new InvalidDataException($"PNG header chunk IHDR has {data.Length} bytes; {Length} are expected.");

        var width = BinaryPrimitives.ReadUInt32BigEndian(data);
        var height = BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
        if (width is 0 or > int.MaxValue || height is 0 or > int.MaxValue)
            throw new InvalidDataException($"PNG header claims {width}x{height} pixels; sides from 1 to {int.MaxValue} are expected.");

        int depth = data[8];
        var color = (PngColor)data[9];
        var allowed = color switch
        {
            PngColor.Gray => depth is 1 or 2 or 4 or 8 or 16,
            PngColor.Palette => depth is 1 or 2 or 4 or 8,
            PngColor.Rgb or PngColor.GrayAlpha or PngColor.Rgba => depth is 8 or 16,
            _ => throw new InvalidDataException($"PNG colour type {data[9]} does not exist; 0, 2, 3, 4 or 6 is expected."),
        };
        if (!allowed)
            throw new InvalidDataException($"PNG bit depth {depth} is not allowed with colour type {data[9]}.");

        if (data[10] != 0)
            throw new InvalidDataException($"PNG compression method {data[10]} does not exist; 0 is expected.");
        if (data[11] != 0)
            throw new InvalidDataException($"PNG filter method {data[11]} does not exist; 0 is expected.");
        if (data[12] > 1)
            throw new InvalidDataException($"PNG interlace method {data[12]} does not exist; 0 or 1 is expected.");

        return new PngHeader((int)width, (int)height, depth, color, data[12] == 1);
    }
}

/// <summary>PNG's colour types, numbered as in the file.</summary>
internal enum PngColor : byte
{
    Gray = 0,
    Rgb = 2,
    Palette = 3,
    GrayAlpha = 4,
    Rgba = 6,
}
