namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// A node's reader asks for numbers that are known only when the model runs. <see cref="OnnxNodeReader"/> catches it and leaves the node
/// to the run.
/// </summary>
internal sealed class OnnxRunTimeException(string message) : Exception(message);
