namespace SeparableConv.Networks;

/// <summary>What a TensorFlow Lite file leaves open.</summary>
public sealed record TFLiteReadOptions
{
    /// <summary>
    /// The shapes of inputs, by their names, in the file's order (N, height, width, channels); needed only for inputs that
    /// are to have another shape than the file says. A length that the file leaves open, mostly the batch, is 1 otherwise. Where only a
    /// batch that the file fixes is another, it is changed by <see cref="Network.WithBatch"/>.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<int>> Shapes { get; init; } = new Dictionary<string, IReadOnlyList<int>>();

    /// <summary>
    /// Asked for the shape of an input that the file leaves open in some dimension and that <see cref="Shapes"/> has not; null where
    /// nothing is known of it. No one is asked by default.
    /// </summary>
    public Func<OpenInput, TensorShape?>? ShapeOf { get; init; }

    /// <summary>
    /// Whether convolutions and dense layers of floats with int8 weights are computed as TensorFlow Lite's dynamic-range kernels do: what
    /// a run gives them is itself brought to 8 bits, each image or row on a scale of its own. By default only the weights are
    /// approximate, and the layers are computed in floats.
    /// </summary>
    public bool DynamicRange { get; init; }

    /// <summary>
    /// The most bytes that a tensor between two operators may take; 256 MiB by default. A file of a few bytes can ask for any amount:
    /// a model that truly needs more is read with more.
    /// </summary>
    public long MaxTensorBytes { get; init; } = 256L << 20;
}
