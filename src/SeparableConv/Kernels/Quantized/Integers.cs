using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Kernels;

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

        var lows = Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(a, 16), 16) * Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(b, 16), 16);
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
        var even = MultiplyAddPairs(a & Vector128.Create(0x00FF00FF), Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(b.AsInt16(), 8), 8).AsInt32(), c);
        return MultiplyAddPairs(Vector128.ShiftRightLogical(a.AsUInt16(), 8).AsInt32(), Vector128.ShiftRightArithmetic(b.AsInt16(), 8).AsInt32(), even);
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
                Vector128.ShiftRightArithmetic((aLow * bLow) + rounding, 32), Vector128.ShiftRightArithmetic((aHigh * bHigh) + rounding, 32));
        }

        // The instruction multiplies even lanes; what is wanted of its products are their odd ones.
        var even = Sse41.Multiply(a, b) + rounding;
        var odd = Sse41.Multiply(Vector128.ShiftRightLogical(a.AsInt64(), 32).AsInt32(), Vector128.ShiftRightLogical(b.AsInt64(), 32).AsInt32()) + rounding;
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
        var odd = Avx2.Multiply(Vector256.ShiftRightLogical(a.AsInt64(), 32).AsInt32(), Vector256.ShiftRightLogical(b.AsInt64(), 32).AsInt32()) + rounding;
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
    public static Vector512<int> Order(Vector512<int> packed) => Vector512.Shuffle(packed.AsInt64(), Vector512.Create(0L, 2, 4, 6, 1, 3, 5, 7)).AsInt32();

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
        var odd = Avx512F.Multiply(Vector512.ShiftRightLogical(a.AsInt64(), 32).AsInt32(), Vector512.ShiftRightLogical(b.AsInt64(), 32).AsInt32()) + rounding;
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
    public static Vector512<int> OrderBytes(Vector512<int> packed) => Vector512.Shuffle(packed, Vector512.Create(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));

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

/// <summary>One lane: what runs where there are no vectors, and the width that every other one is tested against.</summary>
internal readonly unsafe struct IntegersScalar : IIntegerSimd<int>
{
    public static int Count => 1;

    public static int TileRows => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Broadcast(int value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Load(int* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(int value, int* target) => *target = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Add(int a, int b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int MultiplyAddPairs(int a, int b, int c) => c + ((short)a * (short)b) + ((a >> 16) * (b >> 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyAddPairs(int a, int b, int e, ref int c, ref int d) => (c, d) = (MultiplyAddPairs(a, b, c), MultiplyAddPairs(a, e, d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int MultiplyAddQuads(int a, int b, int c) =>
        c + ((byte)a * (sbyte)b) + ((byte)(a >> 8) * (sbyte)(b >> 8)) + ((byte)(a >> 16) * (sbyte)(b >> 16)) + ((byte)(a >> 24) * (sbyte)(b >> 24));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LoadShorts(byte* source, bool signed) => signed ? Join((sbyte)source[0], (sbyte)source[1]) : Join(source[0], source[1]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int BroadcastShort(int value) => Join(value, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int AddShorts(int a, int b) => Pack((short)a + (short)b, (a >> 16) + (b >> 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int SubtractShorts(int a, int b) => Join(a - b, (a >> 16) - (b >> 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ClampShorts(int value, int lower, int upper) =>
        Join(Math.Clamp((short)value, (short)lower, (short)upper), Math.Clamp(value >> 16, lower >> 16, upper >> 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int JoinLow(int a, int b) => Join(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int JoinHigh(int a, int b) => Join(a >> 16, b >> 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Pack(int low, int high) =>
        Join(Math.Clamp(low, short.MinValue, short.MaxValue), Math.Clamp(high, short.MinValue, short.MaxValue));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Order(int packed) => packed;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(int shorts, byte* target) => (target[0], target[1]) = ((byte)shorts, (byte)(shorts >> 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreHalfBytes(int shorts, byte* target) => *target = (byte)shorts;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int HighMultiply(int a, int b) => (int)((((long)a * b) + (1L << 31)) >> 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ShiftRight(int value, int counts) => value >> counts;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int DecrementBelow(int value, int limit) => value < limit ? value - 1 : value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PackBytes(int low, int high) =>
        Byte((short)low) | (Byte(low >> 16) << 8) | (Byte((short)high) << 16) | (Byte(high >> 16) << 24);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int OrderBytes(int packed) => packed;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ClampBytes(int value, int lower, int upper)
    {
        var clamped = 0;
        for (var shift = 0; shift < 32; shift += 8)
            clamped |= Math.Clamp((byte)(value >> shift), (byte)(lower >> shift), (byte)(upper >> shift)) << shift;
        return clamped;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Xor(int a, int b) => a ^ b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Scale(int value, int scale) => (int)MathF.Round(value * BitConverter.Int32BitsToSingle(scale));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Scale(int value, int scale, int lower, int upper)
    {
        var scaled = value * BitConverter.Int32BitsToSingle(scale);
        return (int)MathF.Round(Math.Clamp(scaled, BitConverter.Int32BitsToSingle(lower), BitConverter.Int32BitsToSingle(upper)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Byte(int value) => Math.Clamp(value, 0, 255);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Join(int low, int high) => (low & 0xFFFF) | (high << 16);
}
