using SeparableConv.Networks.Formats.TFLite;

namespace SeparableConv.Networks;

/// <summary>
/// Reads networks from TensorFlow Lite files: float32, int8 and uint8 models, and those with int8 weights and float activations, whose
/// weights become float.
/// </summary>
/// <remarks>
/// Layout and types of inputs and outputs are the file's. Quantized operators compute what TensorFlow Lite's reference kernels compute,
/// bit for bit. Operators that are not supported are refused here, all of them in one message.
/// </remarks>
public static class TFLiteReader
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">What the file leaves open; the defaults where null.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">
    /// The file is no TensorFlow Lite model, is damaged, or uses what is not supported; one line says what.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Network Read(string path, TFLiteReadOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Read(File.ReadAllBytes(path), options);
    }

    /// <summary>Reads a file that is in memory already.</summary>
    /// <param name="file">All of its bytes; they are not needed after the call.</param>
    /// <param name="options">What the file leaves open; the defaults where null.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">
    /// It is no TensorFlow Lite model, is damaged, or uses what is not supported; one line says what.
    /// </exception>
    public static Network Read(ReadOnlyMemory<byte> file, TFLiteReadOptions? options = null) =>
        new TFLiteImporter(TFLiteModel.Read(file), file.Length, options ?? new()).Import();
}
