namespace SeparableConv.Loops;

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
