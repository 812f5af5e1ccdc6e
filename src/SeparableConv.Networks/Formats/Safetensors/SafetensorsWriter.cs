using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace SeparableConv.Networks.Formats.Safetensors;

/// <summary>
/// Writes files: the same bits for the same content. Tensors of large elements come before those of small ones, then names decide, as in
/// the reference implementation; keys of the metadata are in order too.
/// </summary>
internal static class SafetensorsWriter
{
    // The header is filled with spaces up to a multiple of this, so that the data begins at one.
    private const int Alignment = 8;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    // By the bytes of UTF-8, as the reference implementation sorts; UTF-16 would put some characters elsewhere.
    private static readonly Comparer<(byte[] Key, byte[] Value)> ByKey =
        Comparer<(byte[] Key, byte[] Value)>.Create((a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key));

    /// <summary>Writes a file. Nothing is written before everything has been checked.</summary>
    /// <exception cref="ArgumentException">A name cannot be written, a tensor cannot be read again, or the header is too long.</exception>
    public static void Write(Stream stream, IEnumerable<SafetensorsTensor> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var sorted = tensors.Select(tensor => (Key: Encode(tensor.Name), Tensor: tensor)).ToArray();
        var names = new HashSet<string>();
        if (Array.Find(sorted, named => !names.Add(named.Tensor.Name)).Tensor is { } twice)
            throw new ArgumentException($"Two tensors are called '{OneLine.Of(twice.Name)}'; names must differ.");
        Array.Sort(sorted, (a, b) =>
        {
            var byType = SafetensorsTypes.Place(a.Tensor.Type.Element) - SafetensorsTypes.Place(b.Tensor.Type.Element);
            return byType != 0 ? byType : a.Key.AsSpan().SequenceCompareTo(b.Key);
        });

        var header = Header(sorted, metadata);
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (var (_, tensor) in sorted)
            stream.Write(tensor.Numbers().Bytes);
    }

    private static ReadOnlySpan<byte> Header(
        (byte[] Key, SafetensorsTensor Tensor)[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var text = new ArrayBufferWriter<byte>();
        text.Write("{"u8);
        if (metadata is { Count: > 0 })
            AppendMetadata(text, metadata);
        long offset = 0;
        foreach (var (key, tensor) in tensors)
        {
            var type = tensor.Type;
            if (type.Bytes > Array.MaxLength)
            {
                throw new ArgumentException(
                    $"Tensor '{OneLine.Of(tensor.Name)}' is {type}, {type.Bytes} bytes; one tensor can have {Array.MaxLength}: save it in "
                    + "parts.");
            }

            if (tensor.Name == SafetensorsHeader.MetadataKey)
                throw new ArgumentException($"A tensor is called '{tensor.Name}', which is the name of the metadata; give it another.");
            AppendComma(text);
            AppendString(text, key);
            var shape = string.Join(',', type.Shape.Lengths.ToArray());
            text.Write(Utf8.GetBytes(string.Create(
                CultureInfo.InvariantCulture,
                $$"""
                :{"dtype":"{{SafetensorsTypes.Name(type.Element)}}","shape":[{{shape}}],"data_offsets":[{{offset}},{{offset + type.Bytes}}]}
                """)));
            offset += type.Bytes;
        }

        text.Write("}"u8);
        while (text.WrittenCount % Alignment != 0)
            text.Write(" "u8);
        return text.WrittenCount <= SafetensorsHeader.MaxBytes ? text.WrittenSpan : throw new ArgumentException(
            $"Names, shapes and metadata take {text.WrittenCount} bytes; a safetensors file holds {SafetensorsHeader.MaxBytes} of them: "
            + "write several files.");
    }

    private static void AppendMetadata(ArrayBufferWriter<byte> text, IReadOnlyDictionary<string, string> metadata)
    {
        AppendString(text, Encode(SafetensorsHeader.MetadataKey));
        text.Write(":{"u8);
        var pairs = metadata.Select(pair => (Key: Encode(pair.Key), Value: Encode(pair.Value)));
        foreach (var (key, value) in pairs.Order(ByKey))
        {
            AppendComma(text);
            AppendString(text, key);
            text.Write(":"u8);
            AppendString(text, value);
        }

        text.Write("}"u8);
    }

    private static void AppendComma(ArrayBufferWriter<byte> text)
    {
        if (text.WrittenSpan[^1] != (byte)'{')
            text.Write(","u8);
    }

    // Only what JSON cannot have in a string is escaped, as the reference implementation does.
    private static void AppendString(ArrayBufferWriter<byte> text, ReadOnlySpan<byte> characters)
    {
        text.Write("\""u8);
        foreach (var character in characters)
        {
            switch (character)
            {
                case (byte)'"':
                    text.Write("\\\""u8);
                    break;
                case (byte)'\\':
                    text.Write("\\\\"u8);
                    break;
                case (byte)'\b':
                    text.Write("\\b"u8);
                    break;
                case (byte)'\t':
                    text.Write("\\t"u8);
                    break;
                case (byte)'\n':
                    text.Write("\\n"u8);
                    break;
                case (byte)'\f':
                    text.Write("\\f"u8);
                    break;
                case (byte)'\r':
                    text.Write("\\r"u8);
                    break;
                case < (byte)' ':
                    text.Write(Utf8.GetBytes($"\\u{character:x4}"));
                    break;
                default:
                    text.Write([character]);
                    break;
            }
        }

        text.Write("\""u8);
    }

    private static byte[] Encode(string text)
    {
        try
        {
            return Utf8.GetBytes(text);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException(
                $"The name or text '{OneLine.Of(text)}' has half of a surrogate pair at {e.Index}, which no file can hold; remove it.", e);
        }
    }
}
