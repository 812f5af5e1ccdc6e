using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

/// <summary>
/// An element that is written past the caches. As the pixel type of a pass it stands for <typeparamref name="T"/>: a large result then
/// costs one trip to memory, not two, since a line is not read before it is overwritten. At 3840x2160x1 floats on an Emerald Rapids core
/// that takes Sobel from 6.9 to 2.9 ms and a 7x7 Gaussian from 7.3 to 3.9 ms, where a plain copy takes 2.4.
/// </summary>
/// <typeparam name="T">byte, ushort or float.</typeparam>
internal readonly struct Streamed<T>
    where T : unmanaged
{
    /// <summary>The value; a streamed pass writes it as a plain one.</summary>
    public readonly T Value;
}

/// <summary>When results are written past the caches.</summary>
internal static class Streaming
{
    /// <summary>Outputs of so many bytes are streamed: they would not stay in a cache anyway.</summary>
    public const long WorthwhileBytes = 8L << 20;
}

internal readonly partial struct Simd128
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector128<float> LoadPixels<T>(T* source)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            return Vector128.Load((float*)source);
        if (typeof(T) == typeof(byte))
        {
            var bytes = Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<uint>(source)).AsByte();
            return Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(bytes)).AsInt32());
        }

        var words = Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(source)).AsUInt16();
        return Vector128.ConvertToSingle(Vector128.WidenLower(words).AsInt32());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StorePixels<T>(Vector128<float> low, Vector128<float> high, T* target)
        where T : unmanaged
    {
        if (typeof(T) == typeof(Streamed<float>) && (nint)target % (4 * sizeof(float)) == 0)
        {
            low.StoreAlignedNonTemporal((float*)target);
            high.StoreAlignedNonTemporal((float*)target + 4);
        }
        else if (typeof(T) == typeof(float) || typeof(T) == typeof(Streamed<float>))
        {
            low.Store((float*)target);
            high.Store((float*)target + 4);
        }
        else if (typeof(T) == typeof(byte) || typeof(T) == typeof(Streamed<byte>))
        {
            var words = Vector128.Narrow(Round(low, 255f), Round(high, 255f));
            Unsafe.WriteUnaligned(target, Vector128.Narrow(words, words).AsUInt64().ToScalar());
        }
        else
        {
            Vector128.Narrow(Round(low, 65535f).AsUInt32(), Round(high, 65535f).AsUInt32()).Store((ushort*)target);
        }
    }

    // The order of the operands makes a NaN 0: the machine's Max gives its second operand where one is NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Round(Vector128<float> value, float largest)
    {
        var clamped = Vector128.MinNative(Vector128.MaxNative(value, Vector128<float>.Zero), Vector128.Create(largest));
        return Sse2.IsSupported
            ? Sse2.ConvertToVector128Int32(clamped)
            : Vector128.ConvertToInt32(Vector128.Round(clamped));
    }
}

internal readonly partial struct Simd256
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<float> LoadPixels<T>(T* source)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            return Vector256.Load((float*)source);
        if (Avx2.IsSupported)
        {
            return Vector256.ConvertToSingle(
                typeof(T) == typeof(byte) ? Avx2.ConvertToVector256Int32((byte*)source) : Avx2.ConvertToVector256Int32((ushort*)source));
        }

        return Vector256.Create(Simd128.LoadPixels(source), Simd128.LoadPixels(source + 4));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StorePixels<T>(Vector256<float> low, Vector256<float> high, T* target)
        where T : unmanaged
    {
        if (typeof(T) == typeof(Streamed<float>) && (nint)target % (8 * sizeof(float)) == 0)
        {
            low.StoreAlignedNonTemporal((float*)target);
            high.StoreAlignedNonTemporal((float*)target + 8);
        }
        else if (typeof(T) == typeof(float) || typeof(T) == typeof(Streamed<float>))
        {
            low.Store((float*)target);
            high.Store((float*)target + 8);
        }
        else if (!Avx2.IsSupported)
        {
            Simd128.StorePixels(low.GetLower(), low.GetUpper(), target);
            Simd128.StorePixels(high.GetLower(), high.GetUpper(), target + 8);
        }
        else if (typeof(T) == typeof(byte) || typeof(T) == typeof(Streamed<byte>))
        {
            // Each 128-bit lane packs for itself: words are a0-3 b0-3 | a4-7 b4-7, and the permutation puts the quads in order.
            var words = Avx2.PackSignedSaturate(Round(low, 255f), Round(high, 255f));
            var bytes = Avx2.PackUnsignedSaturate(words, words).AsInt32();
            var pixels = Avx2.PermuteVar8x32(bytes, Vector256.Create(0, 4, 1, 5, 0, 4, 1, 5)).GetLower().AsByte();
            if (typeof(T) == typeof(Streamed<byte>) && (nint)target % 16 == 0)
                pixels.StoreAlignedNonTemporal((byte*)target);
            else
                pixels.Store((byte*)target);
        }
        else
        {
            var words = Avx2.PackUnsignedSaturate(Round(low, 65535f), Round(high, 65535f)).AsInt64();
            var pixels = Avx2.Permute4x64(words, 0b11_01_10_00).AsUInt16();
            if (typeof(T) == typeof(Streamed<ushort>) && (nint)target % 32 == 0)
                pixels.StoreAlignedNonTemporal((ushort*)target);
            else
                pixels.Store((ushort*)target);
        }
    }

    // Packing saturates below zero, and takes the integer that stands for NaN and for too negative a number to 0.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Round(Vector256<float> value, float largest) =>
        Avx.ConvertToVector256Int32(Vector256.MinNative(Vector256.Create(largest), value));
}

internal readonly partial struct Simd512
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<float> LoadPixels<T>(T* source)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            return Vector512.Load((float*)source);
        if (Avx512F.IsSupported)
        {
            return Vector512.ConvertToSingle(
                typeof(T) == typeof(byte)
                    ? Avx512F.ConvertToVector512Int32(Vector128.Load((byte*)source))
                    : Avx512F.ConvertToVector512Int32(Vector256.Load((ushort*)source)));
        }

        return Vector512.Create(Simd256.LoadPixels(source), Simd256.LoadPixels(source + 8));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StorePixels<T>(Vector512<float> low, Vector512<float> high, T* target)
        where T : unmanaged
    {
        if (typeof(T) == typeof(Streamed<float>) && (nint)target % (16 * sizeof(float)) == 0)
        {
            low.StoreAlignedNonTemporal((float*)target);
            high.StoreAlignedNonTemporal((float*)target + 16);
        }
        else if (typeof(T) == typeof(float) || typeof(T) == typeof(Streamed<float>))
        {
            low.Store((float*)target);
            high.Store((float*)target + 16);
        }
        else if (!Avx512BW.IsSupported)
        {
            Simd256.StorePixels(low.GetLower(), low.GetUpper(), target);
            Simd256.StorePixels(high.GetLower(), high.GetUpper(), target + 16);
        }
        else if (typeof(T) == typeof(byte) || typeof(T) == typeof(Streamed<byte>))
        {
            // As with 256 bits: lane n holds quad n of both vectors, twice.
            var words = Avx512BW.PackSignedSaturate(Round(low, 255f), Round(high, 255f));
            var bytes = Avx512BW.PackUnsignedSaturate(words, words).AsInt32();
            var order = Vector512.Create(0, 4, 8, 12, 1, 5, 9, 13, 0, 4, 8, 12, 1, 5, 9, 13);
            var pixels = Avx512F.PermuteVar16x32(bytes, order).GetLower().AsByte();
            if (typeof(T) == typeof(Streamed<byte>) && (nint)target % 32 == 0)
                pixels.StoreAlignedNonTemporal((byte*)target);
            else
                pixels.Store((byte*)target);
        }
        else
        {
            var words = Avx512BW.PackUnsignedSaturate(Round(low, 65535f), Round(high, 65535f)).AsInt64();
            var pixels = Avx512F.PermuteVar8x64(words, Vector512.Create(0L, 2, 4, 6, 1, 3, 5, 7)).AsUInt16();
            if (typeof(T) == typeof(Streamed<ushort>) && (nint)target % 64 == 0)
                pixels.StoreAlignedNonTemporal((ushort*)target);
            else
                pixels.Store((ushort*)target);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Round(Vector512<float> value, float largest) =>
        Avx512F.ConvertToVector512Int32(Vector512.MinNative(Vector512.Create(largest), value));
}

internal readonly partial struct SimdScalar
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe float LoadPixels<T>(T* source)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            return *(float*)source;
        return typeof(T) == typeof(byte) ? *(byte*)source : *(ushort*)source;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StorePixels<T>(float low, float high, T* target)
        where T : unmanaged
    {
        StorePixel(low, target);
        StorePixel(high, target + 1);
    }

    /// <summary>One pixel, rounded and saturated as in <see cref="ISimd{TVec}.StorePixels"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StorePixel<T>(float value, T* target)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float) || typeof(T) == typeof(Streamed<float>))
            *(float*)target = value;
        else if (typeof(T) == typeof(byte) || typeof(T) == typeof(Streamed<byte>))
            *(byte*)target = (byte)Round(value, 255f);
        else
            *(ushort*)target = (ushort)Round(value, 65535f);
    }

    // No comparison with NaN is true, so that it becomes 0.
    private static float Round(float value, float largest) =>
        value > 0f ? MathF.Round(MathF.Min(value, largest), MidpointRounding.ToEven) : 0f;
}
