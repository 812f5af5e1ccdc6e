using SeparableConv.Networks.Graph;

namespace SeparableConv.Networks;

/// <summary>All that is known of a tensor before there is one.</summary>
/// <param name="Element">What its elements are.</param>
/// <param name="Shape">Its lengths; images are (N, height, width, channels).</param>
/// <param name="Quantization">What the elements stand for, where they are quantized; else null.</param>
public sealed record TensorType(ElementType Element, TensorShape Shape, Quantization? Quantization = null)
{
    /// <summary>Bytes that its elements take.</summary>
    public long Bytes => Shape.ElementCount * Element.Size();

    /// <summary>For example <c>float32 (1,224,224,3)</c>.</summary>
    /// <returns>Element type and shape.</returns>
    public override string ToString() => $"{Element.ToString().ToLowerInvariant()} {Shape}";
}
