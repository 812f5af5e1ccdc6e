using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

/// <summary>Sixteen lanes: AVX-512; elsewhere in halves, so that the width can be tested anywhere.</summary>
internal readonly unsafe struct Integers512 : IIntegerSimd<Vector512<int>>
{
    public static int Count => Vector512<int>.Count;

    public static int TileRows => Avx512F.IsSupported ? 14 : 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Broadcast(int value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Load(int* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<int> value, int* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Add(Vector512<int> a, Vector512<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> DecrementBelow(Vector512<int> value, Vector512<int> limit) => value + Vector512.LessThan(value, limit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> MultiplyAddPairs(Vector512<int> a, Vector512<int> b, Vector512<int> c) => Avx512BW.IsSupported
        ? c + Avx512BW.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16())
        : Vector512.Create(
            Integers256.MultiplyAddPairs(a.GetLower(), b.GetLower(), c.GetLower()),
            Integers256.MultiplyAddPairs(a.GetUpper(), b.GetUpper(), c.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyAddPairs(Vector512<int> a, Vector512<int> b, Vector512<int> e, ref Vector512<int> c, ref Vector512<int> d)
    {
        if (!Avx512BW.IsSupported)
        {
            (c, d) = (MultiplyAddPairs(a, b, c), MultiplyAddPairs(a, e, d));
            return;
        }

        var first = Avx512BW.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16());
        var second = Avx512BW.MultiplyAddAdjacent(a.AsInt16(), e.AsInt16());
        c += first;
        d += second;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> MultiplyAddQuads(Vector512<int> a, Vector512<int> b, Vector512<int> c)
    {
        return Vector512.Create(
            Integers256.MultiplyAddQuads(a.GetLower(), b.GetLower(), c.GetLower()),
            Integers256.MultiplyAddQuads(a.GetUpper(), b.GetUpper(), c.GetUpper()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> BroadcastShort(int value) => Vector512.Create((short)value).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddShorts(Vector512<int> a, Vector512<int> b) => Vector512.AddSaturate(a.AsInt16(), b.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> SubtractShorts(Vector512<int> a, Vector512<int> b) => (a.AsInt16() - b.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> ClampShorts(Vector512<int> value, Vector512<int> lower, Vector512<int> upper) =>
        Vector512.Min(Vector512.Max(value.AsInt16(), lower.AsInt16()), upper.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> LoadShorts(byte* source, bool signed)
    {
        if (!Avx512BW.IsSupported)
            return Vector512.Create(Integers256.LoadShorts(source, signed), Integers256.LoadShorts(source + 16, signed));
        return signed
            ? Avx512BW.ConvertToVector512Int16(Vector256.Load((sbyte*)source)).AsInt32()
            : Avx512BW.ConvertToVector512Int16(Vector256.Load(source)).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> JoinLow(Vector512<int> a, Vector512<int> b) => Avx512BW.IsSupported
        ? Avx512BW.UnpackLow(a.AsInt16(), b.AsInt16()).AsInt32()
        : Vector512.Create(Integers256.JoinLow(a.GetLower(), b.GetLower()), Integers256.JoinLow(a.GetUpper(), b.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> JoinHigh(Vector512<int> a, Vector512<int> b) => Avx512BW.IsSupported
        ? Avx512BW.UnpackHigh(a.AsInt16(), b.AsInt16()).AsInt32()
        : Vector512.Create(Integers256.JoinHigh(a.GetLower(), b.GetLower()), Integers256.JoinHigh(a.GetUpper(), b.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Pack(Vector512<int> low, Vector512<int> high) => Avx512BW.IsSupported
        ? Avx512BW.PackSignedSaturate(low, high).AsInt32()
        : Vector512.Create(Integers256.Pack(low.GetLower(), high.GetLower()), Integers256.Pack(low.GetUpper(), high.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Order(Vector512<int> packed) =>
        Vector512.Shuffle(packed.AsInt64(), Vector512.Create(0L, 2, 4, 6, 1, 3, 5, 7)).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(Vector512<int> shorts, byte* target)
    {
        if (Avx512BW.IsSupported)
        {
            Avx512BW.ConvertToVector256Byte(shorts.AsInt16()).Store(target);
            return;
        }

        Integers256.StoreBytes(shorts.GetLower(), target);
        Integers256.StoreBytes(shorts.GetUpper(), target + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreHalfBytes(Vector512<int> shorts, byte* target) => Integers256.StoreBytes(shorts.GetLower(), target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> HighMultiply(Vector512<int> a, Vector512<int> b)
    {
        if (!Avx512F.IsSupported)
        {
            return Vector512.Create(
                Integers256.HighMultiply(a.GetLower(), b.GetLower()), Integers256.HighMultiply(a.GetUpper(), b.GetUpper()));
        }

        // The instruction multiplies even lanes; what is wanted of its products are their odd ones.
        var rounding = Vector512.Create(1L << 31);
        var even = Avx512F.Multiply(a, b) + rounding;
        var odd = Avx512F.Multiply(
            Vector512.ShiftRightLogical(a.AsInt64(), 32).AsInt32(),
            Vector512.ShiftRightLogical(b.AsInt64(), 32).AsInt32()) + rounding;
        return Avx512F.PermuteVar16x32x2(
            even.AsInt32(), Vector512.Create(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31), odd.AsInt32());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> ShiftRight(Vector512<int> value, Vector512<int> counts) => Avx512F.IsSupported
        ? Avx512F.ShiftRightArithmeticVariable(value, counts.AsUInt32())
        : Vector512.Create(
            Integers256.ShiftRight(value.GetLower(), counts.GetLower()), Integers256.ShiftRight(value.GetUpper(), counts.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> PackBytes(Vector512<int> low, Vector512<int> high) => Avx512BW.IsSupported
        ? Avx512BW.PackUnsignedSaturate(low.AsInt16(), high.AsInt16()).AsInt32()
        : Vector512.Create(Integers256.PackBytes(low.GetLower(), high.GetLower()), Integers256.PackBytes(low.GetUpper(), high.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> OrderBytes(Vector512<int> packed) =>
        Vector512.Shuffle(packed, Vector512.Create(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> ClampBytes(Vector512<int> value, Vector512<int> lower, Vector512<int> upper) =>
        Vector512.Min(Vector512.Max(value.AsByte(), lower.AsByte()), upper.AsByte()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Xor(Vector512<int> a, Vector512<int> b) => a ^ b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Scale(Vector512<int> value, Vector512<int> scale) => Avx512F.IsSupported
        ? Avx512F.ConvertToVector512Int32(Vector512.ConvertToSingle(value) * scale.AsSingle())
        : Vector512.Create(Integers256.Scale(value.GetLower(), scale.GetLower()), Integers256.Scale(value.GetUpper(), scale.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Scale(Vector512<int> value, Vector512<int> scale, Vector512<int> lower, Vector512<int> upper)
    {
        if (!Avx512F.IsSupported)
        {
            return Vector512.Create(
                Integers256.Scale(value.GetLower(), scale.GetLower(), lower.GetLower(), upper.GetLower()),
                Integers256.Scale(value.GetUpper(), scale.GetUpper(), lower.GetUpper(), upper.GetUpper()));
        }

        var scaled = Vector512.ConvertToSingle(value) * scale.AsSingle();
        return Avx512F.ConvertToVector512Int32(Vector512.MinNative(Vector512.MaxNative(scaled, lower.AsSingle()), upper.AsSingle()));
    }
}
