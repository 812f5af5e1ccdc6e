using System.Buffers.Binary;
using System.Text;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Files made by hand: a header of any text, and data behind it.</summary>
internal static class SafetensorsBytes
{
    /// <summary>A file whose length of the header is right.</summary>
    public static byte[] Made(string header, params byte[] data) => Made((ulong)Encoding.UTF8.GetByteCount(header), header, data);

    /// <summary>A file that says what it likes of its header's length.</summary>
    public static byte[] Made(ulong length, string header, params byte[] data)
    {
        var start = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(start, length);
        return [.. start, .. Encoding.UTF8.GetBytes(header), .. data];
    }

    /// <summary>The text that a header has for one tensor.</summary>
    public static string Entry(string name, string dtype, string shape, string offsets) =>
        $$"""
        "{{name}}":{"dtype":"{{dtype}}","shape":[{{shape}}],"data_offsets":[{{offsets}}]}
        """;

    /// <summary>What is written for some tensors.</summary>
    public static byte[] Of(Dictionary<string, TensorData> tensors, Dictionary<string, string>? metadata = null)
    {
        var stream = new MemoryStream();
        SafetensorsFile.Write(stream, tensors, metadata);
        return stream.ToArray();
    }

    /// <summary>The header's text of a file, with the spaces that fill it.</summary>
    public static string HeaderOf(byte[] file) =>
        Encoding.UTF8.GetString(file.AsSpan(sizeof(ulong), (int)BinaryPrimitives.ReadUInt64LittleEndian(file)));
}
