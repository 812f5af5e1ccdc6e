using System.Buffers.Binary;
using System.IO.Compression;

namespace SeparableConv.Imaging.Png;

/// <summary>Colour profile, other colour chunks and resolution of a PNG (chunks iCCP, gAMA, cHRM, sRGB, cICP and pHYs).</summary>
/// <remarks>The first chunk of a type counts. Damaged ones are passed over: a picture is readable without them.</remarks>
internal sealed class PngMetadata
{
    // iCCP: a name of 1 to 79 letters, a zero, the method of compression.
    private const int LongestName = 79;
    private const int SizeBytes = 9;
    private const byte Metre = 1;

    private readonly List<PngChunk> _colors = [];
    private PngChunk? _profile;
    private PngChunk? _size;

    /// <summary>Keeps a chunk in mind where it is one of these.</summary>
    public void Add(PngChunk chunk)
    {
        if (chunk.Type == PngChunkType.Profile)
            _profile ??= chunk;
        else if (chunk.Type == PngChunkType.PhysicalSize)
            _size ??= chunk;
        else if (PngColorChunks.Takes(chunk) && !_colors.Exists(other => other.Type == chunk.Type))
            _colors.Add(chunk);
    }

    /// <summary>Reads the chunks.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="channels">The picture's channels: a profile of gray is none for colours.</param>
    public ImageMetadata Read(ReadOnlySpan<byte> file, int channels)
    {
        var colors = new List<(PngChunkType, byte[])>();
        foreach (var chunk in _colors)
            colors.Add((chunk.Type, Data(file, chunk).ToArray()));
        return new ImageMetadata
        {
            Profile = _profile is { } profile ? ReadProfile(Data(file, profile), channels) : null,
            Resolution = _size is { } size ? ReadResolution(Data(file, size)) : null,
            PngColors = colors.Count > 0 ? new PngColorChunks(colors) : null,
        };
    }

    /// <summary>Writes the chunks, which stand before the palette and the pixels.</summary>
    public static void Write(PngChunkWriter chunks, ImageMetadata metadata)
    {
        foreach (var (type, data) in metadata.PngColors?.Chunks ?? [])
        {
            // A file has one of both, and the profile says more.
            if (type != PngChunkType.StandardRgb || metadata.Profile is null)
                chunks.WriteChunk(type, data);
        }

        if (metadata.Profile is { } profile)
            WriteProfile(chunks, profile);
        if (metadata.Resolution is { } resolution)
            WriteResolution(chunks, resolution);
    }

    private static ReadOnlySpan<byte> Data(ReadOnlySpan<byte> file, PngChunk chunk) => file.Slice(chunk.Offset, chunk.Length);

    private static ColorProfile? ReadProfile(ReadOnlySpan<byte> data, int channels)
    {
        var name = data[..Math.Min(data.Length, LongestName + 1)].IndexOf((byte)0);
        if (name < 0 || data.Length < name + 2 || data[name + 1] != 0)
            return null;
        var profile = Inflate(data[(name + 2)..].ToArray());
        return profile is null ? null : ColorProfile.Find(profile, channels);
    }

    // Memory grows as bytes come, and not beyond what a profile may have.
    private static byte[]? Inflate(byte[] data)
    {
        const int FirstPiece = 4096;
        try
        {
            using var zlib = new ZLibStream(new MemoryStream(data), CompressionMode.Decompress);
            var profile = new byte[FirstPiece];
            for (var filled = 0; ;)
            {
                filled += zlib.ReadAtLeast(profile.AsSpan(filled), profile.Length - filled, throwOnEndOfStream: false);
                if (filled < profile.Length)
                    return profile[..filled];
                if (filled > ColorProfile.MaxBytes)
                    return null;
                Array.Resize(ref profile, 2 * filled);
            }
        }
        catch (IOException)
        {
            return null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static void WriteProfile(PngChunkWriter chunks, ColorProfile profile)
    {
        using var data = new MemoryStream();
        data.Write("ICC profile\0\0"u8);
        using (var zlib = new ZLibStream(data, CompressionLevel.Optimal, leaveOpen: true))
            zlib.Write(profile.Data);
        chunks.WriteChunk(PngChunkType.Profile, data.ToArray());
    }

    private static Resolution? ReadResolution(ReadOnlySpan<byte> data) => data.Length == SizeBytes && data[8] == Metre
        ? Resolution.OfMetres(BinaryPrimitives.ReadUInt32BigEndian(data), BinaryPrimitives.ReadUInt32BigEndian(data[4..]))
        : null;

    private static void WriteResolution(PngChunkWriter chunks, Resolution resolution)
    {
        Span<byte> data = stackalloc byte[SizeBytes];
        var (horizontal, vertical) = resolution.PerMetre;
        BinaryPrimitives.WriteInt32BigEndian(data, Whole(horizontal));
        BinaryPrimitives.WriteInt32BigEndian(data[4..], Whole(vertical));
        data[8] = Metre;
        chunks.WriteChunk(PngChunkType.PhysicalSize, data);
    }

    private static int Whole(double perMetre) => (int)Math.Clamp(Math.Round(perMetre), 1, int.MaxValue);
}
