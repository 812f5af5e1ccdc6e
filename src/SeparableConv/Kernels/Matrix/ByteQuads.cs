using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Kernels;

/// <summary>
/// The operations of <see cref="MatrixTile"/> with four bytes in every 32 bits of the operands, unsigned in the left one and signed in the weights,
/// and a 32-bit integer in those of the sums: a*b + c is the four products and c, exact, the sum wrapping around; a + b adds sums. As with
/// <see cref="ShortPairs128"/>, bits that are no float only pass through loads, stores and broadcasts. AVX-VNNI does it in one
/// instruction; what stands beside it is for tests on other machines, which use pairs of 16-bit numbers instead.
/// </summary>
internal readonly struct ByteQuads128 : ITileSimd<Vector128<float>>
{
    public static int Count => Vector128<float>.Count;

    public static int TileRows => 6;

    public static Vector128<float> Zero => Vector128<float>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Broadcast(float value) => Vector128.Create(BitConverter.SingleToInt32Bits(value)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector128<float> Load(float* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(Vector128<float> value, float* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Add(Vector128<float> a, Vector128<float> b) => (a.AsInt32() + b.AsInt32()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c)
    {
        if (AvxVnni.IsSupported)
            return AvxVnni.MultiplyWideningAndAdd(c.AsInt32(), a.AsByte(), b.AsSByte()).AsSingle();
        var sums = Integers128.MultiplyAddPairs(Even(a).AsInt32(), EvenSigned(b).AsInt32(), c.AsInt32());
        return Integers128.MultiplyAddPairs(Odd(a).AsInt32(), OddSigned(b).AsInt32(), sums).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyAddBoth(Vector128<float> a, Vector128<float> b, Vector128<float> e, ref Vector128<float> c, ref Vector128<float> d) =>
        (c, d) = (MultiplyAdd(a, b, c), MultiplyAdd(a, e, d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Min(Vector128<float> a, Vector128<float> b) => b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Max(Vector128<float> a, Vector128<float> b) => b;

    private static Vector128<ushort> Even(Vector128<float> bytes) => bytes.AsUInt16() & Vector128.Create((ushort)0xFF);

    private static Vector128<ushort> Odd(Vector128<float> bytes) => Vector128.ShiftRightLogical(bytes.AsUInt16(), 8);

    private static Vector128<short> EvenSigned(Vector128<float> bytes) => Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(bytes.AsInt16(), 8), 8);

    private static Vector128<short> OddSigned(Vector128<float> bytes) => Vector128.ShiftRightArithmetic(bytes.AsInt16(), 8);
}

/// <inheritdoc cref="ByteQuads128"/>
internal readonly struct ByteQuads256 : ITileSimd<Vector256<float>>
{
    public static int Count => Vector256<float>.Count;

    public static int TileRows => 6;

    public static Vector256<float> Zero => Vector256<float>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Broadcast(float value) => Vector256.Create(BitConverter.SingleToInt32Bits(value)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<float> Load(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(Vector256<float> value, float* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => (a.AsInt32() + b.AsInt32()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c)
    {
        if (AvxVnni.IsSupported)
            return AvxVnni.MultiplyWideningAndAdd(c.AsInt32(), a.AsByte(), b.AsSByte()).AsSingle();
        return Vector256.Create(
            ByteQuads128.MultiplyAdd(a.GetLower(), b.GetLower(), c.GetLower()), ByteQuads128.MultiplyAdd(a.GetUpper(), b.GetUpper(), c.GetUpper()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyAddBoth(Vector256<float> a, Vector256<float> b, Vector256<float> e, ref Vector256<float> c, ref Vector256<float> d) =>
        (c, d) = (MultiplyAdd(a, b, c), MultiplyAdd(a, e, d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Min(Vector256<float> a, Vector256<float> b) => b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Max(Vector256<float> a, Vector256<float> b) => b;
}

/// <inheritdoc cref="ByteQuads128"/>
/// <remarks>For tests: <see cref="ByteQuadCode"/> is what multiplies 512 bits.</remarks>
internal readonly struct ByteQuads512 : ITileSimd<Vector512<float>>
{
    public static int Count => Vector512<float>.Count;

    public static int TileRows => 6;

    public static Vector512<float> Zero => Vector512<float>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Broadcast(float value) => Vector512.Create(BitConverter.SingleToInt32Bits(value)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(Vector512<float> value, float* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => (a.AsInt32() + b.AsInt32()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c)
    {
        return Vector512.Create(
            ByteQuads256.MultiplyAdd(a.GetLower(), b.GetLower(), c.GetLower()), ByteQuads256.MultiplyAdd(a.GetUpper(), b.GetUpper(), c.GetUpper()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyAddBoth(Vector512<float> a, Vector512<float> b, Vector512<float> e, ref Vector512<float> c, ref Vector512<float> d) =>
        (c, d) = (MultiplyAdd(a, b, c), MultiplyAdd(a, e, d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Min(Vector512<float> a, Vector512<float> b) => b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Max(Vector512<float> a, Vector512<float> b) => b;
}

/// <inheritdoc cref="ByteQuads128"/>
internal readonly struct ByteQuadsScalar : ITileSimd<float>
{
    public static int Count => 1;

    public static int TileRows => 6;

    public static float Zero => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Broadcast(float value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe float Load(float* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(float value, float* target) => *target = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float a, float b) => ShortPairsScalar.Add(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MultiplyAdd(float a, float b, float c)
    {
        var (x, w) = (BitConverter.SingleToInt32Bits(a), BitConverter.SingleToInt32Bits(b));
        var sum = BitConverter.SingleToInt32Bits(c) + ((byte)x * (sbyte)w) + ((byte)(x >> 8) * (sbyte)(w >> 8))
            + ((byte)(x >> 16) * (sbyte)(w >> 16)) + ((byte)(x >> 24) * (sbyte)(w >> 24));
        return BitConverter.Int32BitsToSingle(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyAddBoth(float a, float b, float e, ref float c, ref float d) => (c, d) = (MultiplyAdd(a, b, c), MultiplyAdd(a, e, d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Min(float a, float b) => b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(float a, float b) => b;
}
