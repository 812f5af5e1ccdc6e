using System.Numerics.Tensors;

namespace SeparableConv.Networks;

/// <summary>What the caller tells of an ONNX file's inputs: shapes and values that the file leaves open.</summary>
public sealed record OnnxReadOptions
{
    /// <summary>
    /// The shapes of inputs, by their names, in ONNX's order (N, C, H, W). Needed for inputs that have an unknown length in any
    /// dimension but the first, which is 1 where nothing is said. A first length that the file fixes is changed by
    /// <see cref="Network.WithBatch"/>.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<int>> Shapes { get; init; } = new Dictionary<string, IReadOnlyList<int>>();

    /// <summary>
    /// Asked for the shape of an input that the file leaves open in some dimension and that <see cref="Shapes"/> has not; null where
    /// nothing is known of it. No one is asked by default.
    /// </summary>
    public Func<OpenInput, TensorShape?>? ShapeOf { get; init; }

    /// <summary>
    /// The most bytes that constants may take which the file does not store, but says how to compute, such as weights that are all alike:
    /// 2 GiB by default. A model that needs more is refused. A run may take as much again for what it computes node by node, since shapes
    /// depend on numbers there. Lower it where files come from strangers.
    /// </summary>
    public long MaxConstantBytes { get; init; } = 2L << 30;

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
