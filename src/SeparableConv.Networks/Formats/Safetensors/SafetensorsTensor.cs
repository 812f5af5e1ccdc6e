namespace SeparableConv.Networks.Formats.Safetensors;

/// <summary>A tensor that is to be written.</summary>
/// <param name="Name">Its name, unique in the file.</param>
/// <param name="Type">Its type and shape.</param>
/// <param name="Numbers">Gives its numbers when it is its turn: only then do those that must be turned need memory.</param>
internal sealed record SafetensorsTensor(string Name, TensorType Type, Func<TensorData> Numbers);
