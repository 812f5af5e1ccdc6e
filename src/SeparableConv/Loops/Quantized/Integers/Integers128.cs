using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

/// <summary>Four lanes: SSE and NEON.</summary>
internal readonly unsafe struct Integers128 : IIntegerSimd<Vector128<int>>
{
    public static int Count => Vector128<int>.Count;

    public static int TileRows => AdvSimd.IsSupported ? 12 : 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Broadcast(int value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Load(int* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<int> value, int* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Add(Vector128<int> a, Vector128<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> DecrementBelow(Vector128<int> value, Vector128<int> limit) => value + Vector128.LessThan(value, limit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> MultiplyAddPairs(Vector128<int> a, Vector128<int> b, Vector128<int> c)
    {
        if (AvxVnni.IsSupported)
            return AvxVnni.MultiplyWideningAndAdd(c, a.AsInt16(), b.AsInt16());
        if (Sse2.IsSupported)
            return c + Sse2.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16());
        if (AdvSimd.Arm64.IsSupported)
        {
            var low = AdvSimd.MultiplyWideningLower(a.AsInt16().GetLower(), b.AsInt16().GetLower());
            return c + AdvSimd.Arm64.AddPairwise(low, AdvSimd.MultiplyWideningUpper(a.AsInt16(), b.AsInt16()));
        }

        var lows = Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(a, 16), 16)
            * Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(b, 16), 16);
        return c + lows + (Vector128.ShiftRightArithmetic(a, 16) * Vector128.ShiftRightArithmetic(b, 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyAddPairs(Vector128<int> a, Vector128<int> b, Vector128<int> e, ref Vector128<int> c, ref Vector128<int> d)
    {
        if (!(Sse2.IsSupported && !AvxVnni.IsSupported))
        {
            (c, d) = (MultiplyAddPairs(a, b, c), MultiplyAddPairs(a, e, d));
            return;
        }

        var first = Sse2.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16());
        var second = Sse2.MultiplyAddAdjacent(a.AsInt16(), e.AsInt16());
        c += first;
        d += second;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> MultiplyAddQuads(Vector128<int> a, Vector128<int> b, Vector128<int> c)
    {
        if (AvxVnni.IsSupported)
            return AvxVnni.MultiplyWideningAndAdd(c, a.AsByte(), b.AsSByte());
        var even = MultiplyAddPairs(
            a & Vector128.Create(0x00FF00FF), Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(b.AsInt16(), 8), 8).AsInt32(), c);
        return MultiplyAddPairs(
            Vector128.ShiftRightLogical(a.AsUInt16(), 8).AsInt32(), Vector128.ShiftRightArithmetic(b.AsInt16(), 8).AsInt32(), even);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> BroadcastShort(int value) => Vector128.Create((short)value).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddShorts(Vector128<int> a, Vector128<int> b) => Vector128.AddSaturate(a.AsInt16(), b.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> SubtractShorts(Vector128<int> a, Vector128<int> b) => (a.AsInt16() - b.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> ClampShorts(Vector128<int> value, Vector128<int> lower, Vector128<int> upper) =>
        Vector128.Min(Vector128.Max(value.AsInt16(), lower.AsInt16()), upper.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> LoadShorts(byte* source, bool signed)
    {
        var bytes = Vector128.CreateScalarUnsafe(*(ulong*)source);
        return signed ? Vector128.WidenLower(bytes.AsSByte()).AsInt32() : Vector128.WidenLower(bytes.AsByte()).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> JoinLow(Vector128<int> a, Vector128<int> b) => Sse2.IsSupported
        ? Sse2.UnpackLow(a.AsInt16(), b.AsInt16()).AsInt32()
        : (Vector128.WidenLower(a.AsUInt16()) | Vector128.ShiftLeft(Vector128.WidenLower(b.AsUInt16()), 16)).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> JoinHigh(Vector128<int> a, Vector128<int> b) => Sse2.IsSupported
        ? Sse2.UnpackHigh(a.AsInt16(), b.AsInt16()).AsInt32()
        : (Vector128.WidenUpper(a.AsUInt16()) | Vector128.ShiftLeft(Vector128.WidenUpper(b.AsUInt16()), 16)).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Pack(Vector128<int> low, Vector128<int> high) => Vector128.NarrowWithSaturation(low, high).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Order(Vector128<int> packed) => packed;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(Vector128<int> shorts, byte* target) =>
        Vector128.Narrow(shorts.AsUInt16(), shorts.AsUInt16()).GetLower().Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreHalfBytes(Vector128<int> shorts, byte* target) =>
        *(uint*)target = Vector128.Narrow(shorts.AsUInt16(), shorts.AsUInt16()).AsUInt32().ToScalar();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> HighMultiply(Vector128<int> a, Vector128<int> b)
    {
        var rounding = Vector128.Create(1L << 31);
        if (!Sse41.IsSupported)
        {
            var (aLow, aHigh) = Vector128.Widen(a);
            var (bLow, bHigh) = Vector128.Widen(b);
            return Vector128.Narrow(
                Vector128.ShiftRightArithmetic((aLow * bLow) + rounding, 32),
                Vector128.ShiftRightArithmetic((aHigh * bHigh) + rounding, 32));
        }

        // The instruction multiplies even lanes; what is wanted of its products are their odd ones.
        var even = Sse41.Multiply(a, b) + rounding;
        var odd = Sse41.Multiply(
            Vector128.ShiftRightLogical(a.AsInt64(), 32).AsInt32(),
            Vector128.ShiftRightLogical(b.AsInt64(), 32).AsInt32()) + rounding;
        return Vector128.ConditionalSelect(
            Vector128.Create(-1, 0, -1, 0), Vector128.ShiftRightLogical(even, 32).AsInt32(), odd.AsInt32());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> ShiftRight(Vector128<int> value, Vector128<int> counts)
    {
        if (Avx2.IsSupported)
            return Avx2.ShiftRightArithmeticVariable(value, counts.AsUInt32());
        if (AdvSimd.IsSupported)
            return AdvSimd.ShiftArithmetic(value, -counts);
        return Vector128.Create(value[0] >> counts[0], value[1] >> counts[1], value[2] >> counts[2], value[3] >> counts[3]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> PackBytes(Vector128<int> low, Vector128<int> high)
    {
        if (Sse2.IsSupported)
            return Sse2.PackUnsignedSaturate(low.AsInt16(), high.AsInt16()).AsInt32();
        var (a, b) = (Vector128.Max(low.AsInt16(), default), Vector128.Max(high.AsInt16(), default));
        return Vector128.NarrowWithSaturation(a.AsUInt16(), b.AsUInt16()).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> OrderBytes(Vector128<int> packed) => packed;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> ClampBytes(Vector128<int> value, Vector128<int> lower, Vector128<int> upper) =>
        Vector128.Min(Vector128.Max(value.AsByte(), lower.AsByte()), upper.AsByte()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Xor(Vector128<int> a, Vector128<int> b) => a ^ b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Scale(Vector128<int> value, Vector128<int> scale) => Sse2.IsSupported
        ? Sse2.ConvertToVector128Int32(Vector128.ConvertToSingle(value) * scale.AsSingle())
        : Vector128.ConvertToInt32Native(Vector128.Round(Vector128.ConvertToSingle(value) * scale.AsSingle()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Scale(Vector128<int> value, Vector128<int> scale, Vector128<int> lower, Vector128<int> upper)
    {
        var scaled = Vector128.ConvertToSingle(value) * scale.AsSingle();
        scaled = Vector128.MinNative(Vector128.MaxNative(scaled, lower.AsSingle()), upper.AsSingle());
        return Sse2.IsSupported ? Sse2.ConvertToVector128Int32(scaled) : Vector128.ConvertToInt32Native(Vector128.Round(scaled));
    }
}
