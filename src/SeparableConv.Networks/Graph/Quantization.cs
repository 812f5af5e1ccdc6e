namespace SeparableConv.Networks;

/// <summary>
/// What quantized numbers stand for: real = scale * (q - zeroPoint), with one scale for the whole tensor or one for each
/// index along an axis.
/// </summary>
public sealed class Quantization
{
    private readonly float[] _scales;
    private readonly int[] _zeroPoints;

    /// <summary>One scale and zero point for the whole tensor.</summary>
    /// <param name="scale">Above 0 and finite.</param>
    /// <param name="zeroPoint">The number that stands for 0.</param>
    /// <exception cref="ArgumentException">The scale is not above 0 and finite.</exception>
    public Quantization(float scale, int zeroPoint)
        : this([scale], [zeroPoint], 0)
    {
    }

    /// <summary>A scale and zero point for each index along an axis.</summary>
    /// <param name="scales">Above 0 and finite.</param>
    /// <param name="zeroPoints">As many as scales.</param>
    /// <param name="axis">The dimension they run along.</param>
    /// <exception cref="ArgumentException">There is no scale, one is not above 0 and finite, or the numbers of both differ.</exception>
    public Quantization(ReadOnlySpan<float> scales, ReadOnlySpan<int> zeroPoints, int axis)
    {
        if (scales.IsEmpty || scales.Length != zeroPoints.Length)
            throw new ArgumentException(
                $"Quantization has {scales.Length} scales and {zeroPoints.Length} zero points; give as many of both, at least one.");
        foreach (var scale in scales)
        {
            if (!float.IsFinite(scale) || scale <= 0)
                throw new ArgumentException(FormattableString.Invariant($"Quantization has scale {scale}; a scale is finite and above 0."));
        }

        _scales = scales.ToArray();
        _zeroPoints = zeroPoints.ToArray();
        Axis = axis;
    }

    /// <summary>One for the whole tensor, or one for each index along <see cref="Axis"/>.</summary>
    public ReadOnlySpan<float> Scales => _scales;

    /// <summary>As many as <see cref="Scales"/>.</summary>
    public ReadOnlySpan<int> ZeroPoints => _zeroPoints;

    /// <summary>The dimension along which scales and zero points run, where there is more than one.</summary>
    public int Axis { get; }

    /// <summary>Whether one scale serves the whole tensor.</summary>
    public bool IsPerTensor => _scales.Length == 1;

    /// <summary>The first scale: the only one where <see cref="IsPerTensor"/>.</summary>
    public float Scale => _scales[0];

    /// <summary>The first zero point: the only one where <see cref="IsPerTensor"/>.</summary>
    public int ZeroPoint => _zeroPoints[0];

    /// <inheritdoc/>
    public override string ToString() => IsPerTensor
        ? FormattableString.Invariant($"scale {Scale}, zero point {ZeroPoint}")
        : $"{_scales.Length} scales along dimension {Axis}";
}
