namespace SeparableConv.Imaging.Png;

/// <summary>The chunks by which a PNG describes its colours other than by an ICC profile, as they stood in the file.</summary>
/// <param name="Chunks">Their types and data, none of a type twice.</param>
internal sealed record PngColorChunks(IReadOnlyList<(PngChunkType Type, byte[] Data)> Chunks)
{
    /// <summary>Whether a chunk is one of them, with as many bytes as its type has.</summary>
    public static bool Takes(PngChunk chunk) => chunk.Length == chunk.Type switch
    {
        PngChunkType.Gamma => 4,
        PngChunkType.Chromaticities => 32,
        PngChunkType.StandardRgb => 1,
        PngChunkType.CodingIndependent => 4,
        _ => -1,
    };
}
