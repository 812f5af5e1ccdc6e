using Google.Protobuf;
using SeparableConv.Imaging;
using SeparableConv.Networks.Formats.Onnx;
using SeparableConv.Networks.Rewriting;

namespace SeparableConv.Networks;

/// <summary>Writes networks as ONNX files of opset 19, which ONNX Runtime and other tools run with the same result.</summary>
/// <remarks>
/// Inputs and outputs keep the network's own layout: those of a network that was read from ONNX are (N, C, H, W) again, those of one
/// that was built are (N, H, W, C), with a transpose behind the input. Fused activations become nodes of their own.
/// </remarks>
public static class OnnxWriter
{
    /// <summary>
    /// Writes a file. It is written under another name beside its place and then renamed, so that a failure leaves no half of one.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="path">The file, which is replaced where it is there.</param>
    /// <exception cref="NetworkException">The network has an operator that ONNX has not, or is larger than 2 GB.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(Network network, string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        AtomicFile.Write(path, stream => Write(network, stream));
    }

    /// <summary>Writes to a stream.</summary>
    /// <param name="network">The network.</param>
    /// <param name="stream">Where to.</param>
    /// <exception cref="NetworkException">The network has an operator that ONNX has not, or is larger than 2 GB.</exception>
    public static void Write(Network network, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(stream);
        new OnnxModelWriter(PassList.Exporting.Run(network)).Write().WriteTo(stream);
    }
}
