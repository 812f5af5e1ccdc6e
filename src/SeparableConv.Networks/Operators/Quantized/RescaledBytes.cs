using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>Makes bytes of runs of integers with one factor: clamp(round(number * factor) + zeroPoint), as TensorFlow Lite's reference kernels round.</summary>
internal sealed unsafe class RescaledBytes
{
    /// <summary>Numbers that are brought to bytes together: what a caller gathers at a time.</summary>
    public const int Chunk = 256;

    // A row of the requantizer's, four of the widest vectors.
    private const int Row = 64;

    private readonly Requantizer _requantizer;

    /// <param name="factor">What the numbers are multiplied by.</param>
    /// <param name="largest">A bound on their magnitude.</param>
    /// <param name="element">int8 or uint8.</param>
    /// <param name="zeroPoint">The byte that stands for 0.</param>
    /// <param name="clamp">The least and the largest byte.</param>
    public RescaledBytes(double factor, long largest, ElementType element, int zeroPoint, (int Min, int Max) clamp)
    {
        var bounds = new long[Row];
        Array.Fill(bounds, largest);
        _requantizer = new([factor], bounds, new(Requantization.FixedPoint, element == ElementType.Int8, zeroPoint, clamp.Min, clamp.Max), SimdWidths.Best);
    }

    /// <summary>Makes the bytes.</summary>
    /// <param name="numbers">As many as <see cref="Chunk"/>, of which some may be without meaning.</param>
    /// <param name="target">The bytes.</param>
    /// <param name="count">Bytes that are wanted.</param>
    public void Run(int* numbers, byte* target, int count)
    {
        var (rows, rest) = Math.DivRem(count, Row);
        _requantizer.Run(numbers, Row, rows, 0, Row, target, Row);
        if (rest == 0)
            return;
        var last = stackalloc byte[Row];
        _requantizer.Run(numbers + (rows * Row), Row, 1, 0, Row, last, Row);
        new Span<byte>(last, rest).CopyTo(new Span<byte>(target + (rows * Row), rest));
    }
}
