namespace SeparableConv.Networks.Operators;

/// <summary>Checks that gradients of several families make.</summary>
internal static class GradientChecks
{
    /// <summary>A gradient and a second input of its type and shape.</summary>
    /// <returns>The type of both, without scales.</returns>
    /// <exception cref="ArgumentException">One is missing or they differ.</exception>
    public static TensorType SameShape(ReadOnlySpan<TensorType?> inputs, string first, string second)
    {
        var (gradient, value) = (OperatorChecks.Required(inputs, 0, first), OperatorChecks.Required(inputs, 1, second));
        OperatorChecks.SameElement(gradient, value);
        return gradient.Shape == value.Shape
            ? gradient with { Quantization = null }
            : throw new ArgumentException($"The {first} is {gradient.Shape} and the {second} {value.Shape}; both must have one shape.");
    }
}
