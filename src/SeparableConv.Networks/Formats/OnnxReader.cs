using Google.Protobuf;
using SeparableConv.Networks.Formats;
using SeparableConv.Networks.Formats.Onnx;
using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Networks;

/// <summary>Reads networks from ONNX files: opsets 6 to 26 of the default domain, with every shape settled and constants folded.</summary>
/// <remarks>
/// Inputs and outputs keep ONNX's layout (N, C, H, W); in between images are (N, H, W, C), and transposes stand where one meets
/// the other. Quantized constants stay bytes, with a node of the network that dequantizes them, where a layer can use the bytes. A model
/// with anything that is not supported is refused here; one message names all such operators.
/// </remarks>
public static class OnnxReader
{
    /// <summary>Reads a file. Tensors that it keeps in other files are looked for in its own folder and nowhere else.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">Shapes that the file leaves open; null where it leaves none.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">
    /// The file is no ONNX model, is damaged, or uses what is not supported; one line says what.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Network Read(string path, OnnxReadOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var stream = File.OpenRead(path);
        return Read(
            stream, options ?? new(), new ExternalData(Path.GetDirectoryName(Path.GetFullPath(path))!), $"'{Path.GetFileName(path)}'");
    }

    /// <summary>Reads a model that is complete in itself.</summary>
    /// <param name="stream">The model, from where the stream stands to its end.</param>
    /// <param name="options">Shapes that the model leaves open; null where it leaves none.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">It is no ONNX model, is damaged, or uses what is not supported; one line says what.</exception>
    public static Network Read(Stream stream, OnnxReadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Read(stream, options ?? new(), null, "The stream");
    }

    private static Network Read(Stream stream, OnnxReadOptions options, ExternalData? external, string what)
    {
        ModelProto model;
        try
        {
            model = ModelProto.Parser.WithDiscardUnknownFields(true).ParseFrom(stream);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or OverflowException)
        {
            throw new NetworkException($"{what} is no ONNX model, or is damaged: {OneLine.Clean(e.Message)}", e);
        }

        if (model.Graph is null)
            throw new NetworkException($"{what} is no ONNX model: it has no graph.");
        return new OnnxModelReader(model, options, external).Read();
    }
}
