using System.Diagnostics;

namespace SeparableConv.Loops;

/// <summary>What every quantized loop is made of: numbers less their zero points, and how sums become bytes.</summary>
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

    /// <summary>A bound on the magnitude of a channel's sums: |bias| + sum |w| * the largest |x|, where <c>Weights[i]</c> belongs to channel i % channels.</summary>
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
