using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// What the quantized layers with weights share: inputs are x, int8 or uint8 with one scale; weights, int8 or uint8 with one scale or
/// one an output channel; and, where there is one, an int32 bias in the scale of the sums. The output is
/// clamp(round(sum * inputScale * weightScale / outputScale) + zeroPoint).
/// </summary>
/// <remarks>
/// The factor is computed as the formats' own runtimes compute it, to the last bit: TensorFlow Lite multiplies the two scales as doubles
/// in convolutions, and as floats in dense layers with one scale (<see cref="MultipliesScalesAsFloats"/>); ONNX Runtime computes it in
/// floats.
/// </remarks>
internal abstract class QuantizedLayerOperator : Operator
{
    /// <param name="element">The output's element type, int8 or uint8.</param>
    /// <param name="output">The output's scale and zero point.</param>
    /// <param name="clampMin">The least output: a fused activation's bound, or that of the element type.</param>
    /// <param name="clampMax">The largest output.</param>
    /// <param name="rounding">TensorFlow Lite's or ONNX's.</param>
    protected QuantizedLayerOperator(ElementType element, Quantization output, int clampMin, int clampMax, Requantization rounding) =>
        (Element, Output, ClampMin, ClampMax, Rounding) = (element, output, clampMin, clampMax, rounding);

    public ElementType Element { get; }

    public Quantization Output { get; }

    public int ClampMin { get; }

    public int ClampMax { get; }

    public Requantization Rounding { get; }

    internal override InputRole RoleOf(int input, TensorType type) => input > 0 ? InputRole.Parameter : InputRole.Data;

    internal override Step Prepare(Node node)
    {
        var (weights, bias) = (node.Inputs[1]!, node.Inputs.Count > 2 ? node.Inputs[2] : null);
        if (weights.Constant is null || bias is { IsConstant: false })
            return new ForwardStep(this);
        return Create(node.Inputs[0]!.Type, weights.Type, weights.Constant.Bytes, bias is null ? default : bias.Constant!.Span<int>());
    }

    internal override void Forward(ForwardContext context)
    {
        var (x, weights) = (context.Inputs[0], context.Inputs[1]);
        var bias = context.Optional(2).Span<int>();
        Create(x.Type, weights.Type, weights.Bytes(), bias).Run(context);
    }

    /// <summary>The step with its weights packed.</summary>
    private protected abstract Step Create(TensorType input, TensorType weights, ReadOnlySpan<byte> weightBytes, ReadOnlySpan<int> bias);

    /// <summary>Whether TensorFlow Lite multiplies the scales of input and weights as floats.</summary>
    private protected virtual bool MultipliesScalesAsFloats(TensorType input, TensorType weights) => false;

    /// <summary>Checks everything but shapes.</summary>
    /// <exception cref="ArgumentException">A type, a zero point or the clamp does not fit.</exception>
    private protected void CheckTypes(ReadOnlySpan<TensorType?> inputs, int outChannels)
    {
        var input = OperatorChecks.Required(inputs, 0, "input");
        var weights = OperatorChecks.Required(inputs, 1, "weights");
        CheckQuantization(input, "input", 1);
        CheckQuantization(weights, "weight tensor", outChannels);
        OperatorChecks.Bias(inputs, 2, outChannels, ElementType.Int32);
        CheckQuantization(new TensorType(Element, default, Output), "output", 1);
        var (least, most) = Range(Element);
        if (ClampMin < least || ClampMax > most || ClampMin > ClampMax)
            throw new ArgumentException($"The output is clamped to {ClampMin} .. {ClampMax}; expected a range inside {least} .. {most}.");
        foreach (var factor in Factors(input, weights))
        {
            if (!double.IsFinite(factor))
            {
                throw new ArgumentException(
                    "Input scale times weight scale over output scale is no finite number; the scales are damaged.");
            }
        }
    }

    /// <summary>The layer's numbers for its loop; the types have passed <see cref="CheckTypes"/>.</summary>
    private protected QuantizedLayer Layer(
        TensorType input, TensorType weights, ReadOnlySpan<byte> weightBytes, int outChannels, ReadOnlySpan<int> bias)
    {
        return new()
        {
            Weights = LessZeroPoint(weights, weightBytes, outChannels),
            Bias = bias,
            Input = new(input.Element == ElementType.Int8, input.Quantization!.ZeroPoint),
            Factors = Factors(input, weights),
            Output = new(Rounding, Element == ElementType.Int8, Output.ZeroPoint, ClampMin, ClampMax),
        };
    }

    /// <summary>Weights less their zero points, of which there is one, or one an output channel.</summary>
    internal static short[] LessZeroPoint(TensorType weights, ReadOnlySpan<byte> bytes, int outChannels)
    {
        var zeroPoints = weights.Quantization!.ZeroPoints;
        var numbers = new short[bytes.Length];
        for (var i = 0; i < numbers.Length; i++)
        {
            var zeroPoint = zeroPoints[zeroPoints.Length == 1 ? 0 : i % outChannels];
            numbers[i] = (short)(QuantizedTypes.Value(bytes[i], weights.Element) - zeroPoint);
        }

        return numbers;
    }

    /// <summary>
    /// Checks that a tensor is of quantized bytes, with one scale or one a channel, and that they can hold their zero points.
    /// </summary>
    /// <exception cref="ArgumentException">It is not.</exception>
    internal static void CheckQuantization(TensorType type, string what, int channels)
    {
        if (!type.Element.IsByte() || type.Quantization is not { } quantization)
        {
            throw new ArgumentException(
                $"The {what} is {type}{(type.Quantization is null ? " without a scale" : "")}; expected quantized int8 or uint8.");
        }

        if (!quantization.IsPerTensor && quantization.Scales.Length != channels)
        {
            throw new ArgumentException(
                $"The {what} has {quantization.Scales.Length} scales; "
                + $"expected one{(channels > 1 ? $", or one for each of {channels} channels" : "")}.");
        }

        var (least, most) = Range(type.Element);
        foreach (var zeroPoint in quantization.ZeroPoints)
        {
            if (zeroPoint < least || zeroPoint > most)
            {
                throw new ArgumentException(
                    $"The {what} has zero point {zeroPoint}; "
                    + $"expected {least} .. {most}, as its elements are {type.Element.ToString().ToLowerInvariant()}.");
            }
        }
    }

    private static (int Least, int Most) Range(ElementType element) => element == ElementType.Int8 ? (-128, 127) : (0, 255);

    private double[] Factors(TensorType input, TensorType weights)
    {
        var scales = weights.Quantization!.Scales;
        var (inputScale, outputScale) = (input.Quantization!.Scale, Output.Scale);
        var factors = new double[scales.Length];
        for (var i = 0; i < factors.Length; i++)
        {
            var asFloats = inputScale * scales[i];
            factors[i] = Rounding == Requantization.Float ? asFloats / outputScale
                : MultipliesScalesAsFloats(input, weights) ? (double)asFloats / outputScale
                : (double)inputScale * scales[i] / outputScale;
        }

        return factors;
    }
}
