using SeparableConv.Imaging;
using SeparableConv.Networks.Formats;
using SeparableConv.Networks.Formats.Safetensors;

namespace SeparableConv.Networks;

/// <summary>
/// Tensors by name in a file of the safetensors format: a header of JSON, which says what there is, and the numbers behind it. Nothing in
/// such a file is run when it is read.
/// </summary>
/// <remarks>
/// Read and written are BOOL, U8, I8, U16, I16, U32, I32, U64, I64, F16, F32 and F64; BF16 is read as float32, without loss. What quantized
/// elements stand for is not in such a file. The weights of a network go to a file and back with <see cref="NetworkWeights"/>.
/// </remarks>
public sealed class SafetensorsFile
{
    private SafetensorsFile(IReadOnlyDictionary<string, TensorData> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        Tensors = tensors;
        Metadata = metadata;
    }

    /// <summary>The tensors by name, in the order of the file's data.</summary>
    public IReadOnlyDictionary<string, TensorData> Tensors { get; }

    /// <summary>What the writer of the file noted, text by text; may be empty.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Reads a file. It takes as much memory as its numbers do; those of BF16 take twice what they have in the file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>Its tensors and metadata.</returns>
    /// <exception cref="NetworkException">
    /// It is no safetensors file, is damaged, or has elements that are not supported; one line says what.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafetensorsFile Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var stream = File.OpenRead(path);
        return Read(stream, $"'{OneLine.Of(Path.GetFileName(path))}'");
    }

    /// <summary>Reads what a file would hold.</summary>
    /// <param name="stream">From where the stream stands to its end; it need not seek.</param>
    /// <returns>The tensors and metadata.</returns>
    /// <exception cref="NetworkException">
    /// It is no safetensors file, is damaged, or has elements that are not supported; one line says what.
    /// </exception>
    public static SafetensorsFile Read(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Read(stream, "The stream");
    }

    /// <summary>
    /// Writes a file. It is written under another name beside its place, brought to the disk, and then renamed: neither a failure, nor a
    /// full disk, nor a power cut loses the file that was there before.
    /// </summary>
    /// <param name="path">The file, which is replaced where it is there.</param>
    /// <param name="tensors">The tensors by name. The same ones give the same bits, in whatever order they are given.</param>
    /// <param name="metadata">What is to be noted, text by text; null for nothing.</param>
    /// <exception cref="ArgumentException">
    /// A name is <c>__metadata__</c> or no valid text, a tensor has more than 2 GB, or names and metadata have more than 100 MB.
    /// </exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(
        string path, IReadOnlyDictionary<string, TensorData> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        AtomicFile.Write(path, stream => Write(stream, tensors, metadata), toDisk: true);
    }

    /// <summary>Writes what a file would hold.</summary>
    /// <param name="stream">Where to; need not seek.</param>
    /// <param name="tensors">The tensors by name. The same ones give the same bits, in whatever order they are given.</param>
    /// <param name="metadata">What is to be noted, text by text; null for nothing.</param>
    /// <exception cref="ArgumentException">
    /// A name is <c>__metadata__</c> or no valid text, a tensor has more than 2 GB, or names and metadata have more than 100 MB; nothing
    /// has been written then.
    /// </exception>
    public static void Write(
        Stream stream, IReadOnlyDictionary<string, TensorData> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensors);
        SafetensorsWriter.Write(
            stream, tensors.Select(tensor => new SafetensorsTensor(tensor.Key, tensor.Value.Type, () => tensor.Value)), metadata);
    }

    private static SafetensorsFile Read(Stream stream, string what)
    {
        var reader = new SafetensorsReader(stream, what);
        var tensors = new OrderedDictionary<string, TensorData>();
        foreach (var (entry, data) in reader.ReadTensors())
            tensors.Add(entry.Name, data);
        return new SafetensorsFile(tensors, reader.Header.Metadata);
    }
}
