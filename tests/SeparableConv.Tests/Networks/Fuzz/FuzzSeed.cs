using SeparableConv.Tests.Networks.Formats;

namespace SeparableConv.Tests.Networks.Fuzz;

/// <summary>A good model that damaged ones are made from.</summary>
/// <param name="Name">Where it comes from.</param>
/// <param name="Bytes">The file.</param>
/// <param name="Record">What the file was made from, where it was made here of FlatBuffers records.</param>
internal sealed record FuzzSeed(string Name, byte[] Bytes, FlatRecord? Record = null)
{
    /// <summary>Whether it is a TensorFlow Lite file; else it is an ONNX one.</summary>
    public bool IsTFLite => Record is not null || (Bytes.Length > 8 && Bytes.AsSpan(4, 4).SequenceEqual("TFL3"u8));
}
