namespace SeparableConv.Networks;

/// <summary>What the caller tells of a model's inputs, whatever the format of its file.</summary>
public sealed record ModelReadOptions
{
    /// <summary>
    /// The shapes of inputs, by their names, in the file's own layout: for what the file leaves open, or for another batch than it has.
    /// A batch that nothing is said of is 1.
    /// </summary>
    public IReadOnlyDictionary<string, TensorShape> Shapes { get; init; } = new Dictionary<string, TensorShape>();

    /// <summary>
    /// Values of inputs, by their names; they give the shapes as well. An ONNX input that decides on shapes, such as the second one of
    /// Reshape, becomes a constant, so that the network no longer has it as an input. All other inputs stay inputs.
    /// </summary>
    public IReadOnlyDictionary<string, TensorData> Values { get; init; } = new Dictionary<string, TensorData>();

    /// <summary>
    /// Asked for the shape of an input that the file leaves open in some dimension and that is in neither <see cref="Shapes"/> nor
    /// <see cref="Values"/>; null where nothing is known of it. No one is asked by default.
    /// </summary>
    public Func<OpenInput, TensorShape?>? ShapeOf { get; init; }

    /// <summary>
    /// For TensorFlow Lite models with int8 weights and float activations: see <see cref="TFLiteReadOptions.DynamicRange"/>. It means
    /// nothing for others.
    /// </summary>
    public bool DynamicRange { get; init; }
}
