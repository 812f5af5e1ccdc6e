using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Kernels;

/// <summary>Four lanes: SSE and NEON.</summary>
internal readonly unsafe struct Integers128 : IIntegerSimd<Vector128<int>>
{
    public static int Count => Vector128<int>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Broadcast(int value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Load(int* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<int> value, int* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Add(Vector128<int> a, Vector128<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Subtract(Vector128<int> a, Vector128<int> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Min(Vector128<int> a, Vector128<int> b) => Vector128.Min(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Max(Vector128<int> a, Vector128<int> b) => Vector128.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> JoinPairs(Vector128<int> low, Vector128<int> high) =>
        (low & Vector128.Create(0xFFFF)) | Vector128.ShiftLeft(high, 16);

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
    public static Vector128<int> LoadBytes(byte* source) =>
        Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)source).AsByte())).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> LoadSignedBytes(byte* source) =>
        Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)source).AsSByte()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(Vector128<int> value, byte* target)
    {
        var shorts = Vector128.Narrow(value.AsUInt32(), value.AsUInt32());
        *(uint*)target = Vector128.Narrow(shorts, shorts).AsUInt32().ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreShorts(Vector128<int> value, short* target) =>
        Vector128.Narrow(value, value).GetLower().Store(target);

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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Broadcast(int value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Load(int* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<int> value, int* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> a, Vector256<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Subtract(Vector256<int> a, Vector256<int> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Min(Vector256<int> a, Vector256<int> b) => Vector256.Min(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Max(Vector256<int> a, Vector256<int> b) => Vector256.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> JoinPairs(Vector256<int> low, Vector256<int> high) =>
        (low & Vector256.Create(0xFFFF)) | Vector256.ShiftLeft(high, 16);

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
    public static Vector256<int> LoadBytes(byte* source) => Avx2.IsSupported
        ? Avx2.ConvertToVector256Int32(source)
        : Vector256.Create(Integers128.LoadBytes(source), Integers128.LoadBytes(source + 4));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LoadSignedBytes(byte* source) => Avx2.IsSupported
        ? Avx2.ConvertToVector256Int32((sbyte*)source)
        : Vector256.Create(Integers128.LoadSignedBytes(source), Integers128.LoadSignedBytes(source + 4));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(Vector256<int> value, byte* target)
    {
        var shorts = Vector128.Narrow(value.GetLower().AsUInt32(), value.GetUpper().AsUInt32());
        Vector128.Narrow(shorts, shorts).GetLower().Store(target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreShorts(Vector256<int> value, short* target) => Vector128.Narrow(value.GetLower(), value.GetUpper()).Store(target);

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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Broadcast(int value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Load(int* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<int> value, int* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Add(Vector512<int> a, Vector512<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Subtract(Vector512<int> a, Vector512<int> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Min(Vector512<int> a, Vector512<int> b) => Vector512.Min(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Max(Vector512<int> a, Vector512<int> b) => Vector512.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> JoinPairs(Vector512<int> low, Vector512<int> high) =>
        (low & Vector512.Create(0xFFFF)) | Vector512.ShiftLeft(high, 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> DecrementBelow(Vector512<int> value, Vector512<int> limit) => value + Vector512.LessThan(value, limit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> MultiplyAddPairs(Vector512<int> a, Vector512<int> b, Vector512<int> c) => Avx512BW.IsSupported
        ? c + Avx512BW.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16())
        : Vector512.Create(
            Integers256.MultiplyAddPairs(a.GetLower(), b.GetLower(), c.GetLower()),
            Integers256.MultiplyAddPairs(a.GetUpper(), b.GetUpper(), c.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> LoadBytes(byte* source) => Avx512F.IsSupported
        ? Avx512F.ConvertToVector512Int32(Vector128.Load(source))
        : Vector512.Create(Integers256.LoadBytes(source), Integers256.LoadBytes(source + 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> LoadSignedBytes(byte* source) => Avx512F.IsSupported
        ? Avx512F.ConvertToVector512Int32(Vector128.Load((sbyte*)source))
        : Vector512.Create(Integers256.LoadSignedBytes(source), Integers256.LoadSignedBytes(source + 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(Vector512<int> value, byte* target)
    {
        if (Avx512F.IsSupported)
        {
            Avx512F.ConvertToVector128Byte(value).Store(target);
            return;
        }

        Integers256.StoreBytes(value.GetLower(), target);
        Integers256.StoreBytes(value.GetUpper(), target + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreShorts(Vector512<int> value, short* target)
    {
        if (Avx512F.IsSupported)
        {
            Avx512F.ConvertToVector256Int16(value).Store(target);
            return;
        }

        Integers256.StoreShorts(value.GetLower(), target);
        Integers256.StoreShorts(value.GetUpper(), target + 8);
    }

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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Broadcast(int value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Load(int* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(int value, int* target) => *target = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Add(int a, int b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Subtract(int a, int b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Min(int a, int b) => Math.Min(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Max(int a, int b) => Math.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int MultiplyAddPairs(int a, int b, int c) => c + ((short)a * (short)b) + ((a >> 16) * (b >> 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int JoinPairs(int low, int high) => (low & 0xFFFF) | (high << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LoadBytes(byte* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LoadSignedBytes(byte* source) => *(sbyte*)source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(int value, byte* target) => *target = (byte)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreShorts(int value, short* target) => *target = (short)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int HighMultiply(int a, int b) => (int)((((long)a * b) + (1L << 31)) >> 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ShiftRight(int value, int counts) => value >> counts;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int DecrementBelow(int value, int limit) => value < limit ? value - 1 : value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Scale(int value, int scale, int lower, int upper)
    {
        var scaled = value * BitConverter.Int32BitsToSingle(scale);
        return (int)MathF.Round(Math.Clamp(scaled, BitConverter.Int32BitsToSingle(lower), BitConverter.Int32BitsToSingle(upper)));
    }
}
