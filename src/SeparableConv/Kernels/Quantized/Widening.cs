using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Kernels;

/// <summary>Turns runs of bytes into 16-bit numbers less their zero point: what a product with 16-bit weights reads.</summary>
internal static unsafe class Widening
{
    /// <summary>Widens pixels. Where a pixel takes more room than it has channels, the number after its last channel becomes any number.</summary>
    /// <param name="input">What the bytes are.</param>
    /// <param name="source">The first pixel's first channel.</param>
    /// <param name="sourceStride">Bytes from one pixel to the next.</param>
    /// <param name="pixels">Pixels.</param>
    /// <param name="channels">Channels that are widened.</param>
    /// <param name="target">The first pixel.</param>
    /// <param name="targetStride">Numbers from one pixel to the next.</param>
    public static void Pixels(QuantizedInput input, byte* source, nint sourceStride, nint pixels, int channels, short* target, nint targetStride)
    {
        if (sourceStride == channels && targetStride == channels)
        {
            Run(input, source, target, pixels * channels);
            return;
        }

        nint pixel = 0;
        if (channels == 3 && targetStride == 4)
            pixel = Threes(input, source, sourceStride, pixels, target);
        for (; pixel < pixels; pixel++)
            Run(input, source + (pixel * sourceStride), target + (pixel * targetStride), channels);
    }

    /// <summary>Widens <paramref name="count"/> bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(QuantizedInput input, byte* source, short* target, nint count)
    {
        var zero = (short)input.ZeroPoint;
        if (Vector256.IsHardwareAccelerated && count >= 32)
        {
            // The last run overlaps the one before.
            for (nint i = 0; i < count; i += 32)
            {
                var at = Math.Min(i, count - 32);
                var bytes = Vector256.Load(source + at);
                var (low, high) = input.IsSigned ? Vector256.Widen(bytes.AsSByte()) : Unsigned(Vector256.Widen(bytes));
                (low - Vector256.Create(zero)).Store(target + at);
                (high - Vector256.Create(zero)).Store(target + at + 16);
            }

            return;
        }

        if (Vector128.IsHardwareAccelerated && count >= 8)
        {
            for (nint i = 0; i < count; i += 8)
            {
                var at = Math.Min(i, count - 8);
                var bytes = Vector128.CreateScalarUnsafe(*(ulong*)(source + at));
                var wide = input.IsSigned ? Vector128.WidenLower(bytes.AsSByte()) : Vector128.WidenLower(bytes.AsByte()).AsInt16();
                (wide - Vector128.Create(zero)).Store(target + at);
            }

            return;
        }

        for (nint i = 0; i < count; i++)
            target[i] = (short)((input.IsSigned ? (sbyte)source[i] : source[i]) - zero);
    }

    // Pictures: four bytes at once, of which the fourth is the next pixel's; all but the last pixel, behind which there may be nothing.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Threes(QuantizedInput input, byte* source, nint sourceStride, nint pixels, short* target)
    {
        nint pixel = 0;
        var zero = Vector128.Create((short)input.ZeroPoint);
        for (; pixel < pixels - 1; pixel++)
        {
            var bytes = Vector128.CreateScalarUnsafe(*(uint*)(source + (pixel * sourceStride)));
            var wide = input.IsSigned ? Vector128.WidenLower(bytes.AsSByte()) : Vector128.WidenLower(bytes.AsByte()).AsInt16();
            (wide - zero).GetLower().Store(target + (4 * pixel));
        }

        return pixel;
    }

    private static (Vector256<short> Low, Vector256<short> High) Unsigned((Vector256<ushort> Low, Vector256<ushort> High) wide) =>
        (wide.Low.AsInt16(), wide.High.AsInt16());
}
