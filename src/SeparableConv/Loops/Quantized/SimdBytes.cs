using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

internal readonly partial struct Simd128
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector128<float> LoadBytes(byte* source, bool signed)
    {
        var bytes = Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<uint>(source));
        var shorts = signed ? Vector128.WidenLower(bytes.AsSByte()) : Vector128.WidenLower(bytes.AsByte()).AsInt16();
        return Vector128.ConvertToSingle(Vector128.WidenLower(shorts));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StoreBytes(Vector128<float> value, byte* target)
    {
        var integers = Vector128.ConvertToInt32Native(value);
        var shorts = Vector128.Narrow(integers, integers);
        Unsafe.WriteUnaligned(target, Vector128.Narrow(shorts, shorts).AsUInt32().ToScalar());
    }
}

internal readonly partial struct Simd256
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<float> LoadBytes(byte* source, bool signed)
    {
        if (!Avx2.IsSupported)
            return Vector256.Create(Simd128.LoadBytes(source, signed), Simd128.LoadBytes(source + 4, signed));
        return Vector256.ConvertToSingle(
            signed ? Avx2.ConvertToVector256Int32((sbyte*)source) : Avx2.ConvertToVector256Int32(source));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StoreBytes(Vector256<float> value, byte* target)
    {
        var integers = Vector256.ConvertToInt32Native(value);
        var shorts = Vector128.Narrow(integers.GetLower(), integers.GetUpper());
        Unsafe.WriteUnaligned(target, Vector128.Narrow(shorts, shorts).AsUInt64().ToScalar());
    }
}

internal readonly partial struct Simd512
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<float> LoadBytes(byte* source, bool signed)
    {
        if (!Avx512F.IsSupported)
            return Vector512.Create(Simd256.LoadBytes(source, signed), Simd256.LoadBytes(source + 8, signed));
        return Vector512.ConvertToSingle(
            signed
                ? Avx512F.ConvertToVector512Int32(Vector128.Load((sbyte*)source))
                : Avx512F.ConvertToVector512Int32(Vector128.Load(source)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StoreBytes(Vector512<float> value, byte* target)
    {
        if (Avx512F.IsSupported)
        {
            Avx512F.ConvertToVector128Byte(Vector512.ConvertToInt32Native(value)).Store(target);
            return;
        }

        Simd256.StoreBytes(value.GetLower(), target);
        Simd256.StoreBytes(value.GetUpper(), target + 8);
    }
}

internal readonly partial struct SimdScalar
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe float LoadBytes(byte* source, bool signed) => signed ? *(sbyte*)source : *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StoreBytes(float value, byte* target) => *target = (byte)(int)value;
}
