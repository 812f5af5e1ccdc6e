using SeparableConv.Networks.Formats;

namespace SeparableConv.Networks;

/// <summary>Reads networks from ONNX and TensorFlow Lite files. The first bytes of a file tell its format, not its name.</summary>
public static class ModelFile
{
    // A FlatBuffers file tells what it is in bytes 4 to 7.
    private const int MarkAt = 4;
    private static ReadOnlySpan<byte> TFLiteMark => "TFL3"u8;

    /// <summary>Reads an ONNX or a TensorFlow Lite file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shapes">
    /// Shapes of inputs by name, in the file's own layout: for what the file leaves open, or for another batch than it has.
    /// </param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">It is neither, is damaged, or uses what is not supported; one line says what.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Network Load(string path, IReadOnlyDictionary<string, TensorShape>? shapes = null) =>
        Load(path, new ModelReadOptions { Shapes = shapes ?? new Dictionary<string, TensorShape>() });

    /// <summary>Reads an ONNX or a TensorFlow Lite file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">What the file leaves open.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">It is neither, is damaged, or uses what is not supported; one line says what.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Network Load(string path, ModelReadOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(options);
        Span<byte> start = stackalloc byte[MarkAt + TFLiteMark.Length];
        using (var file = File.OpenRead(path))
            start = start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];

        var lengths = new Dictionary<string, IReadOnlyList<int>>();
        foreach (var (name, shape) in options.Shapes)
            lengths[name] = shape.Lengths.ToArray();
        if (start.Length > MarkAt && start[MarkAt..].SequenceEqual(TFLiteMark))
        {
            var network = TFLiteReader.Read(
                path, new TFLiteReadOptions { Shapes = lengths, ShapeOf = options.ShapeOf, DynamicRange = options.DynamicRange });
            CheckNames(network, options.Values.Keys);
            return network;
        }

        if (start.IsEmpty || !IsModelField(start[0]))
        {
            throw new NetworkException(
                $"'{Path.GetFileName(path)}' is neither an ONNX nor a TensorFlow Lite model; "
                + $"its first bytes are those of {(start.IsEmpty ? "an empty file" : "something else")}.");
        }

        return OnnxReader.Read(path, new OnnxReadOptions { Shapes = lengths, Values = options.Values, ShapeOf = options.ShapeOf });
    }

    // No input of TensorFlow Lite's decides on shapes here, so that all values are left to the run.
    private static void CheckNames(Network network, IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            if (network.Inputs.All(input => input.Name != name))
            {
                throw new NetworkException(
                    $"The network has no input '{OneLine.Of(name)}'; it has "
                    + $"{string.Join(", ", network.Inputs.Take(8).Select(input => $"'{input.Name}' {input.Type}"))}.");
            }
        }
    }

    // ONNX has no mark. But a message begins with the tag of one of its fields: number * 8 + wire type, 0 for numbers, 2 for bytes.
    private static bool IsModelField(byte tag) =>
        tag is 0x08 or 0x12 or 0x1A or 0x22 or 0x28 or 0x32 or 0x3A or 0x42 or 0x72 or 0xA2 or 0xCA;
}
