using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Loops;

/// <summary>
/// Pixels of bytes between four others, as TensorFlow Lite's two bilinear kernels compute them: int8 with 10 bits after the binary point,
/// rounded half away from zero, uint8 in single precision and cut off.
/// </summary>
/// <remarks>Vectors of 256 bits, which hold eight channels.</remarks>
internal static unsafe class ByteMix
{
    /// <summary>Bits of a fixed-point weight.</summary>
    public const int FractionBits = 10;

    private const int One = 1 << FractionBits;
    private const int Half = 1 << ((2 * FractionBits) - 1);
    private const int Lanes = 8;

    /// <summary>The four pixels around a place.</summary>
    internal readonly struct Corners(byte* topLeft, byte* bottomLeft, byte* topRight, byte* bottomRight)
    {
        public byte* TopLeft => topLeft;

        public byte* BottomLeft => bottomLeft;

        public byte* TopRight => topRight;

        public byte* BottomRight => bottomRight;
    }

    /// <summary>
    /// (a*(1-down)*(1-across) + b*down*(1-across) + c*(1-down)*across + d*down*across) / 2^20 of int8; weights are 0 to 2^10.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fixed(in Corners corners, int down, int across, byte* y, int channels)
    {
        var (a, b) = ((One - down) * (One - across), down * (One - across));
        var (c, d) = ((One - down) * across, down * across);
        var (weightA, weightB, weightC, weightD) = (Vector256.Create(a), Vector256.Create(b), Vector256.Create(c), Vector256.Create(d));
        var i = 0;
        while (i <= channels - Lanes)
        {
            var sum = (Signed(corners.TopLeft + i) * weightA) + (Signed(corners.BottomLeft + i) * weightB)
                + (Signed(corners.TopRight + i) * weightC) + (Signed(corners.BottomRight + i) * weightD);
            var sign = sum >> 31;
            var rounded = (((sum ^ sign) - sign) + Vector256.Create(Half)) >> (2 * FractionBits);
            Store((rounded ^ sign) - sign, y + i);
            i = Next(i, channels);
        }

        for (; i < channels; i++)
        {
            var sum = ((sbyte)corners.TopLeft[i] * a) + ((sbyte)corners.BottomLeft[i] * b)
                + ((sbyte)corners.TopRight[i] * c) + ((sbyte)corners.BottomRight[i] * d);
            y[i] = (byte)((sum + (sum > 0 ? Half : -Half)) / (One * One));
        }
    }

    /// <summary>The same of uint8 in single precision, each product and each sum rounded, the result cut off.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Single(in Corners corners, float down, float across, byte* y, int channels)
    {
        var (below, above) = (Vector256.Create(down), Vector256.Create(1 - down));
        var (right, left) = (Vector256.Create(across), Vector256.Create(1 - across));
        var i = 0;
        while (i <= channels - Lanes)
        {
            var sum = (Unsigned(corners.TopLeft + i) * above * left) + (Unsigned(corners.BottomLeft + i) * below * left);
            sum += Unsigned(corners.TopRight + i) * above * right;
            sum += Unsigned(corners.BottomRight + i) * below * right;
            Store(Vector256.ConvertToInt32Native(Vector256.Truncate(sum)), y + i);
            i = Next(i, channels);
        }

        for (; i < channels; i++)
        {
            y[i] = (byte)((corners.TopLeft[i] * (1 - down) * (1 - across)) + (corners.BottomLeft[i] * down * (1 - across))
                + (corners.TopRight[i] * (1 - down) * across) + (corners.BottomRight[i] * down * across));
        }
    }

    // The last vector moves left over its neighbour.
    private static int Next(int i, int channels)
    {
        i += Lanes;
        return i < channels && i > channels - Lanes && channels >= Lanes ? channels - Lanes : i;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Signed(byte* source) =>
        Widened(Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<long>(source)).AsSByte()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Unsigned(byte* source) => Vector256.ConvertToSingle(
        Widened(Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<long>(source)).AsByte()).AsInt16()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Widened(Vector128<short> shorts)
    {
        var (low, high) = Vector128.Widen(shorts);
        return Vector256.Create(low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<int> value, byte* target)
    {
        var shorts = Vector128.Narrow(value.GetLower(), value.GetUpper());
        Unsafe.WriteUnaligned(target, Vector128.Narrow(shorts, shorts).AsUInt64().ToScalar());
    }
}
