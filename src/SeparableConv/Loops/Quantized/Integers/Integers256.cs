using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

/// <summary>Eight lanes: AVX2.</summary>
internal readonly unsafe struct Integers256 : IIntegerSimd<Vector256<int>>
{
    public static int Count => Vector256<int>.Count;

    public static int TileRows => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Broadcast(int value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Load(int* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<int> value, int* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> a, Vector256<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> DecrementBelow(Vector256<int> value, Vector256<int> limit) => value + Vector256.LessThan(value, limit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MultiplyAddPairs(Vector256<int> a, Vector256<int> b, Vector256<int> c)
    {
        if (AvxVnni.IsSupported)
            return AvxVnni.MultiplyWideningAndAdd(c, a.AsInt16(), b.AsInt16());
        if (Avx2.IsSupported)
            return c + Avx2.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16());
        return Vector256.Create(
            Integers128.MultiplyAddPairs(a.GetLower(), b.GetLower(), c.GetLower()),
            Integers128.MultiplyAddPairs(a.GetUpper(), b.GetUpper(), c.GetUpper()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyAddPairs(Vector256<int> a, Vector256<int> b, Vector256<int> e, ref Vector256<int> c, ref Vector256<int> d)
    {
        if (!(Avx2.IsSupported && !AvxVnni.IsSupported))
        {
            (c, d) = (MultiplyAddPairs(a, b, c), MultiplyAddPairs(a, e, d));
            return;
        }

        var first = Avx2.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16());
        var second = Avx2.MultiplyAddAdjacent(a.AsInt16(), e.AsInt16());
        c += first;
        d += second;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MultiplyAddQuads(Vector256<int> a, Vector256<int> b, Vector256<int> c)
    {
        if (AvxVnni.IsSupported)
            return AvxVnni.MultiplyWideningAndAdd(c, a.AsByte(), b.AsSByte());
        return Vector256.Create(
            Integers128.MultiplyAddQuads(a.GetLower(), b.GetLower(), c.GetLower()),
            Integers128.MultiplyAddQuads(a.GetUpper(), b.GetUpper(), c.GetUpper()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> BroadcastShort(int value) => Vector256.Create((short)value).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddShorts(Vector256<int> a, Vector256<int> b) => Vector256.AddSaturate(a.AsInt16(), b.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> SubtractShorts(Vector256<int> a, Vector256<int> b) => (a.AsInt16() - b.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ClampShorts(Vector256<int> value, Vector256<int> lower, Vector256<int> upper) =>
        Vector256.Min(Vector256.Max(value.AsInt16(), lower.AsInt16()), upper.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LoadShorts(byte* source, bool signed)
    {
        if (Avx2.IsSupported)
            return (signed ? Avx2.ConvertToVector256Int16((sbyte*)source) : Avx2.ConvertToVector256Int16(source)).AsInt32();
        return Vector256.Create(Integers128.LoadShorts(source, signed), Integers128.LoadShorts(source + 8, signed));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> JoinLow(Vector256<int> a, Vector256<int> b) => Avx2.IsSupported
        ? Avx2.UnpackLow(a.AsInt16(), b.AsInt16()).AsInt32()
        : Vector256.Create(Integers128.JoinLow(a.GetLower(), b.GetLower()), Integers128.JoinLow(a.GetUpper(), b.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> JoinHigh(Vector256<int> a, Vector256<int> b) => Avx2.IsSupported
        ? Avx2.UnpackHigh(a.AsInt16(), b.AsInt16()).AsInt32()
        : Vector256.Create(Integers128.JoinHigh(a.GetLower(), b.GetLower()), Integers128.JoinHigh(a.GetUpper(), b.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Pack(Vector256<int> low, Vector256<int> high) => Avx2.IsSupported
        ? Avx2.PackSignedSaturate(low, high).AsInt32()
        : Vector256.Create(Integers128.Pack(low.GetLower(), high.GetLower()), Integers128.Pack(low.GetUpper(), high.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Order(Vector256<int> packed) => Avx2.IsSupported
        ? Avx2.Permute4x64(packed.AsInt64(), 0b11_01_10_00).AsInt32()
        : Vector256.Shuffle(packed.AsInt64(), Vector256.Create(0L, 2, 1, 3)).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(Vector256<int> shorts, byte* target)
    {
        var bytes = Vector256.Create((ushort)0xFF) & shorts.AsUInt16();
        Vector128.NarrowWithSaturation(bytes.GetLower(), bytes.GetUpper()).Store(target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreHalfBytes(Vector256<int> shorts, byte* target) => Integers128.StoreBytes(shorts.GetLower(), target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> HighMultiply(Vector256<int> a, Vector256<int> b)
    {
        if (!Avx2.IsSupported)
        {
            return Vector256.Create(
                Integers128.HighMultiply(a.GetLower(), b.GetLower()), Integers128.HighMultiply(a.GetUpper(), b.GetUpper()));
        }

        // The instruction multiplies even lanes; what is wanted of its products are their odd ones.
        var rounding = Vector256.Create(1L << 31);
        var even = Avx2.Multiply(a, b) + rounding;
        var odd = Avx2.Multiply(
            Vector256.ShiftRightLogical(a.AsInt64(), 32).AsInt32(),
            Vector256.ShiftRightLogical(b.AsInt64(), 32).AsInt32()) + rounding;
        return Avx2.Blend(Vector256.ShiftRightLogical(even, 32).AsInt32(), odd.AsInt32(), 0b10101010);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ShiftRight(Vector256<int> value, Vector256<int> counts) => Avx2.IsSupported
        ? Avx2.ShiftRightArithmeticVariable(value, counts.AsUInt32())
        : Vector256.Create(
            Integers128.ShiftRight(value.GetLower(), counts.GetLower()), Integers128.ShiftRight(value.GetUpper(), counts.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> PackBytes(Vector256<int> low, Vector256<int> high) => Avx2.IsSupported
        ? Avx2.PackUnsignedSaturate(low.AsInt16(), high.AsInt16()).AsInt32()
        : Vector256.Create(Integers128.PackBytes(low.GetLower(), high.GetLower()), Integers128.PackBytes(low.GetUpper(), high.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> OrderBytes(Vector256<int> packed) => Vector256.Shuffle(packed, Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ClampBytes(Vector256<int> value, Vector256<int> lower, Vector256<int> upper) =>
        Vector256.Min(Vector256.Max(value.AsByte(), lower.AsByte()), upper.AsByte()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Xor(Vector256<int> a, Vector256<int> b) => a ^ b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Scale(Vector256<int> value, Vector256<int> scale) => Avx.IsSupported
        ? Avx.ConvertToVector256Int32(Vector256.ConvertToSingle(value) * scale.AsSingle())
        : Vector256.ConvertToInt32Native(Vector256.Round(Vector256.ConvertToSingle(value) * scale.AsSingle()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Scale(Vector256<int> value, Vector256<int> scale, Vector256<int> lower, Vector256<int> upper)
    {
        var scaled = Vector256.ConvertToSingle(value) * scale.AsSingle();
        scaled = Vector256.MinNative(Vector256.MaxNative(scaled, lower.AsSingle()), upper.AsSingle());
        return Avx.IsSupported ? Avx.ConvertToVector256Int32(scaled) : Vector256.ConvertToInt32Native(Vector256.Round(scaled));
    }
}
