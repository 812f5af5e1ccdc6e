namespace SeparableConv.Imaging.Png;

/// <summary>A chunk of a PNG: where its data begin in the file, how many bytes they are, and its four letters.</summary>
internal readonly record struct PngChunk(PngChunkType Type, int Offset, int Length);
