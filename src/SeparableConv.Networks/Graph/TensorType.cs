namespace SeparableConv.Networks;

/// <summary>What a tensor is, apart from its numbers: element type, shape, and what quantized elements stand for.</summary>
/// <param name="Element">What its elements are.</param>
/// <param name="Shape">Its lengths; images are (N, height, width, channels).</param>
/// <param name="Quantization">What the elements stand for, where they are quantized; else null.</param>
public sealed record TensorType(ElementType Element, TensorShape Shape, Quantization? Quantization = null)
{
    /// <summary>
    /// Whether the shape is known only when the network has run, as where the number of objects that are found is a length:
    /// <see cref="InferenceSession.OutputType"/> tells it then, and <see cref="Shape"/> is (0). No other type is so.
    /// </summary>
    public bool HasOpenShape { get; init; }

    /// <summary>Bytes that its elements take.</summary>
    public long Bytes => Shape.ElementCount * Element.Size();

    /// <summary>
    /// Reads elements as numbers. Where they are quantized with one scale, these are the real numbers that they stand for: scale *
    /// (element - zero point).
    /// </summary>
    /// <param name="memory">The elements, as they lie in memory.</param>
    /// <param name="numbers">Receives a number an element; true is 1.</param>
    /// <exception cref="ArgumentException">There are more or fewer bytes or numbers than the shape has elements.</exception>
    public void ReadNumbers(ReadOnlySpan<byte> memory, Span<double> numbers)
    {
        if (memory.Length != Bytes || numbers.Length != Shape.ElementCount)
        {
            throw new ArgumentException(
                $"A tensor {this} has {Shape.ElementCount} elements in {Bytes} bytes; {memory.Length} bytes and room for {numbers.Length} "
                + "numbers were given.");
        }

        Element.Convert(memory, numbers);
        if (Quantization is not { IsPerTensor: true } quantization)
            return;
        foreach (ref var number in numbers)
            number = (number - quantization.ZeroPoint) * quantization.Scale;
    }

    /// <summary>
    /// For example <c>float32 (1,224,224,3)</c>; <c>float32 (?)</c> where the shape is known only when the network has run.
    /// </summary>
    /// <returns>Element type and shape.</returns>
    public override string ToString() => $"{Element.ToString().ToLowerInvariant()} {(HasOpenShape ? "(?)" : Shape)}";

    /// <summary>The type of something whose shape is known only when the network has run.</summary>
    internal static TensorType Open(ElementType element) => new(element, new TensorShape(0)) { HasOpenShape = true };
}
