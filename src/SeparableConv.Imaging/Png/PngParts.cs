namespace SeparableConv.Imaging.Png;

/// <summary>
/// The chunks of a PNG that make its pixels, found and checked for order and number, and those that describe them. Other ancillary chunks
/// (text, time) are checked for damage only, and by a strict reader alone.
/// </summary>
internal sealed class PngParts
{
    private readonly List<PngChunk> _data = [];
    private readonly bool _isStrict;

    private PngParts(PngHeader header, bool isStrict) => (Header, _isStrict) = (header, isStrict);

    public PngHeader Header { get; }

    /// <summary>The IDAT chunks in order. Together they hold one zlib stream, which may be cut anywhere.</summary>
    public IReadOnlyList<PngChunk> Data => _data;

    /// <summary>Bytes in all IDAT chunks together.</summary>
    public long DataBytes { get; private set; }

    public PngChunk? Palette { get; private set; }

    public PngChunk? Transparency { get; private set; }

    public PngChunk? Exif { get; private set; }

    public PngMetadata Metadata { get; } = new();

    /// <summary>Reads a PNG's beginning up to its IHDR chunk, and checks the size that the chunk claims.</summary>
    /// <exception cref="InvalidDataException">The header is damaged or claims too many pixels.</exception>
    public static PngHeader ReadHeader(ReadOnlySpan<byte> file, long maxPixels)
    {
        var reader = new PngChunkReader(file, isStrict: false);
        return ReadHeader(file, ref reader, maxPixels);
    }

    /// <summary>Walks the whole file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="maxPixels">The most pixels that its header may claim.</param>
    /// <param name="isStrict">Whether chunks that do not matter to the pixels must be right too.</param>
    /// <exception cref="InvalidDataException">The file is damaged, or its header claims too many pixels.</exception>
    public static PngParts Read(ReadOnlySpan<byte> file, long maxPixels, bool isStrict)
    {
        var reader = new PngChunkReader(file, isStrict);
        var parts = new PngParts(ReadHeader(file, ref reader, maxPixels), isStrict);
        var previous = PngChunkType.Header;
        while (true)
        {
            var chunk = reader.Next();
            if (chunk.Type == PngChunkType.End)
            {
                parts.CheckComplete(chunk);
                return parts;
            }

            parts.Add(chunk, previous);
            previous = chunk.Type;
        }
    }

    private static PngHeader ReadHeader(ReadOnlySpan<byte> file, ref PngChunkReader reader, long maxPixels)
    {
        var chunk = reader.Next();
        if (chunk.Type != PngChunkType.Header)
            throw new InvalidDataException($"The first PNG chunk is {PngChunkReader.Name(chunk.Type)}; IHDR is expected.");

        var header = PngHeader.Parse(file.Slice(chunk.Offset, chunk.Length));
        ImageLimits.Check("PNG", header.Width, header.Height, header.StoredSamples, maxPixels);
        return header;
    }

    private void Add(PngChunk chunk, PngChunkType previous)
    {
        switch (chunk.Type)
        {
            case PngChunkType.Header:
                throw new InvalidDataException("The PNG has two IHDR chunks.");
            case PngChunkType.Palette:
                AddPalette(chunk);
                break;
            case PngChunkType.Transparency:
                AddTransparency(chunk);
                break;
            case PngChunkType.Exif:
                // Damaged or doubled metadata do not make a picture unreadable; the first block counts.
                Exif ??= chunk;
                break;
            case PngChunkType.Data:
                if (_data.Count > 0 && previous != PngChunkType.Data)
                {
                    throw new InvalidDataException(
                        $"PNG chunk {PngChunkReader.Name(previous)} stands between IDAT chunks, which must follow each other.");
                }

                _data.Add(chunk);
                DataBytes += chunk.Length;
                break;
            default:
                Metadata.Add(chunk);
                if (!PngChunkReader.IsAncillary(chunk.Type))
                {
                    throw new InvalidDataException(
                        $"PNG chunk {PngChunkReader.Name(chunk.Type)} is critical and unknown; this picture needs another reader.");
                }

                break;
        }
    }

    private void AddPalette(PngChunk chunk)
    {
        // Pictures of other colours only suggest a palette to screens of few colours.
        if (Header.Color != PngColor.Palette && !_isStrict)
            return;
        if (Palette is not null)
            throw new InvalidDataException("The PNG has two PLTE chunks.");
        if (_data.Count > 0)
            throw new InvalidDataException("PNG chunk PLTE stands after IDAT; it must stand before.");
        if (Transparency is not null)
            throw new InvalidDataException("PNG chunk PLTE stands after tRNS; it must stand before.");
        if (Header.Color is PngColor.Gray or PngColor.GrayAlpha)
            throw new InvalidDataException($"PNG chunk PLTE is not allowed with colour type {(int)Header.Color}.");
        if (chunk.Length % 3 != 0 || chunk.Length is < 3 or > 768)
            throw new InvalidDataException($"PNG chunk PLTE has {chunk.Length} bytes; 3 to 768 are expected, three for each colour.");

        Palette = chunk;
    }

    private void AddTransparency(PngChunk chunk)
    {
        if (TransparencyFlaw(chunk) is not { } flaw)
            Transparency = chunk;
        else if (_isStrict)
            throw new InvalidDataException(flaw);
    }

    // Why there is no transparency in a chunk; null where there is.
    private string? TransparencyFlaw(PngChunk chunk)
    {
        if (Transparency is not null)
            return "The PNG has two tRNS chunks.";
        if (_data.Count > 0)
            return "PNG chunk tRNS stands after IDAT; it must stand before.";
        if (Header.Color is PngColor.GrayAlpha or PngColor.Rgba)
            return $"PNG chunk tRNS is not allowed with colour type {(int)Header.Color}, which has alpha already.";
        var isRight = Header.Color switch
        {
            PngColor.Gray => chunk.Length == 2,
            PngColor.Rgb => chunk.Length == 6,
            _ => Palette is { } palette && chunk.Length >= 1 && chunk.Length <= palette.Length / 3,
        };
        return isRight
            ? null
            : $"PNG chunk tRNS has {chunk.Length} bytes; 2 are expected for gray, 6 for RGB, and at most one for each colour of PLTE, "
                + "which stands before it.";
    }

    private void CheckComplete(PngChunk end)
    {
        if (end.Length != 0 && _isStrict)
            throw new InvalidDataException($"PNG chunk IEND has {end.Length} bytes; none is expected.");
        if (_data.Count == 0)
            throw new InvalidDataException("The PNG has no IDAT chunk, and so no pixels.");
        if (Header.Color == PngColor.Palette && Palette is null)
            throw new InvalidDataException("The PNG has palette colours but no PLTE chunk.");
    }
}
