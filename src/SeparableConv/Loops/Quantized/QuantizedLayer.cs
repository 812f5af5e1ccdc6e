using System.Diagnostics;

namespace SeparableConv.Loops;

/// <summary>The numbers of a layer that every quantized loop is made from: weights, bias, and how sums become bytes.</summary>
internal readonly ref struct QuantizedLayer
{
    /// <summary>The weights less their zero point, from -255 to 255, in the order that the loop wants them.</summary>
    public required ReadOnlySpan<short> Weights { get; init; }

    /// <summary>One number an output channel, in the scale of the sums; or none.</summary>
    public ReadOnlySpan<int> Bias { get; init; }

    /// <summary>The bytes that are read.</summary>
    public required QuantizedInput Input { get; init; }

    /// <summary>input scale * weight scale / output scale: one for all output channels, or one each.</summary>
    public required ReadOnlySpan<double> Factors { get; init; }

    /// <summary>The bytes that are written.</summary>
    public required QuantizedOutput Output { get; init; }

    /// <summary>
    /// A bound on the magnitude of a channel's sums: |bias| + sum |w| * the largest |x|, where <c>Weights[i]</c> belongs to channel i %
    /// channels.
    /// </summary>
    public long[] LargestSums(int channels)
    {
        Debug.Assert(Weights.Length % channels == 0, "The last dimension of the weights is the output channel.");
        var (least, most) = Input.IsSigned ? (-128, 127) : (0, 255);
        var largest = Math.Max(Math.Abs(least - Input.ZeroPoint), Math.Abs(most - Input.ZeroPoint));
        var sums = new long[channels];
        for (var first = 0; first < Weights.Length; first += channels)
        {
            var row = Weights.Slice(first, channels);
            for (var c = 0; c < channels; c++)
                sums[c] += Math.Abs((int)row[c]) * largest;
        }

        for (var c = 0; c < Bias.Length; c++)
            sums[c] += Math.Abs((long)Bias[c]);
        return sums;
    }
}

/// <summary>What the bytes that a quantized loop reads stand for: byte - ZeroPoint, times a scale that is part of the factors.</summary>
/// <param name="IsSigned">Whether the bytes are signed.</param>
/// <param name="ZeroPoint">The byte that stands for 0; padding reads as that.</param>
internal readonly record struct QuantizedInput(bool IsSigned, int ZeroPoint);

/// <summary>What becomes of the sums of a quantized loop: clamp(round(sum * factor) + ZeroPoint, ClampMin, ClampMax).</summary>
/// <param name="Rounding">How the product is rounded.</param>
/// <param name="IsSigned">Whether the output's bytes are signed.</param>
/// <param name="ZeroPoint">The byte that stands for 0.</param>
/// <param name="ClampMin">The least output, inside the range of the bytes.</param>
/// <param name="ClampMax">The largest output.</param>
internal sealed record QuantizedOutput(Requantization Rounding, bool IsSigned, int ZeroPoint, int ClampMin, int ClampMax);

/// <summary>How a 32-bit sum is brought to the scale of its output.</summary>
internal enum Requantization
{
    /// <summary>
    /// By a 31-bit mantissa and a shift, each rounded: TensorFlow Lite's reference kernels (<see cref="FixedPointMultiplier"/>).
    /// </summary>
    FixedPoint,

    /// <summary>By a float, rounded once, half to even: ONNX's QLinearConv.</summary>
    Float,

    /// <summary>Not at all: the output is the sums themselves, in 32 bits: ONNX's ConvInteger.</summary>
    None,
}
