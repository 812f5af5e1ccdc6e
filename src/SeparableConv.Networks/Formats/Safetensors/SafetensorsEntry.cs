namespace SeparableConv.Networks.Formats.Safetensors;

/// <summary>What a file's header says of one tensor.</summary>
/// <param name="Name">Its name, unique in the file.</param>
/// <param name="Type">What it is when it has been read.</param>
/// <param name="IsBrainFloat">Whether the file has the upper halves of its numbers alone.</param>
/// <param name="Begin">Its first byte, counted from the end of the header.</param>
/// <param name="End">The first byte that is not its own.</param>
internal sealed record SafetensorsEntry(string Name, TensorType Type, bool IsBrainFloat, long Begin, long End)
{
    /// <summary>Bytes that it takes in the file.</summary>
    public long StoredBytes => IsBrainFloat ? Type.Bytes / 2 : Type.Bytes;
}
