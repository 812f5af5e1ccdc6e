namespace SeparableConv.Loops;

/// <summary>How bytes stand for numbers: real = (byte - ZeroPoint) * Scale, in single precision.</summary>
/// <param name="IsSigned">Whether the bytes are signed.</param>
/// <param name="Scale">Finite and above 0.</param>
/// <param name="ZeroPoint">The byte that stands for 0.</param>
internal readonly record struct LinearByte(bool IsSigned, float Scale, int ZeroPoint);
