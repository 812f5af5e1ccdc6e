using System.Numerics.Tensors;

namespace SeparableConv.Networks;

/// <summary>What the caller tells of an ONNX file's inputs: shapes and values that the file leaves open.</summary>
public sealed record OnnxReadOptions
{
    /// <summary>
    /// The shapes of inputs, by their names, in ONNX's order (N, C, H, W). Needed for inputs that have an unknown length in any
    /// dimension but the first, which is 1 where nothing is said.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<int>> Shapes { get; init; } = new Dictionary<string, IReadOnlyList<int>>();

    /// <summary>
    /// Values of inputs, by their names; they give the shapes as well. An input that decides on shapes, such as the second one of
    /// ONNX's Reshape, becomes a constant, so that the network no longer has it as an input. All other inputs stay inputs.
    /// </summary>
    internal IReadOnlyDictionary<string, TensorData> Values { get; init; } = new Dictionary<string, TensorData>();

    /// <summary>The same options with the value of an input that decides on shapes or other things that a network fixes.</summary>
    /// <typeparam name="T">The .NET type of its elements.</typeparam>
    /// <param name="input">The input's name.</param>
    /// <param name="value">Its value.</param>
    /// <returns>The options.</returns>
    public OnnxReadOptions WithValue<T>(string input, in ReadOnlyTensorSpan<T> value)
        where T : unmanaged
    {
        ArgumentException.ThrowIfNullOrEmpty(input);
        var values = new T[checked((int)value.FlattenedLength)];
        value.FlattenTo(values);
        var shape = new int[value.Rank];
        for (var i = 0; i < shape.Length; i++)
            shape[i] = checked((int)value.Lengths[i]);
        return this with { Values = new Dictionary<string, TensorData>(Values) { [input] = TensorData.Create(values, shape) } };
    }
}
