using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

/// <summary>The inner loops of <see cref="BoxBands{TIn, TOut}"/>: lines of sums, int for pixels of integers and float for floats.</summary>
internal static unsafe class BoxPass
{
    /// <summary>sums = upper + lower.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add<TSum>(TSum* upper, TSum* lower, TSum* sums, nint count)
        where TSum : unmanaged, INumber<TSum>
    {
        nint i = 0;
        for (; i <= count - Vector<TSum>.Count; i += Vector<TSum>.Count)
            (Vector.Load(upper + i) + Vector.Load(lower + i)).Store(sums + i);
        for (; i < count; i++)
            sums[i] = upper[i] + lower[i];
    }

    /// <summary>to = from + pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddPixels<TIn, TSum>(TIn* pixels, TSum* from, TSum* to, nint count)
        where TIn : unmanaged
        where TSum : unmanaged, INumber<TSum>
    {
        nint i = 0;
        for (; i <= count - Vector<TSum>.Count; i += Vector<TSum>.Count)
            (Vector.Load(from + i) + Load<TIn, TSum>(pixels + i)).Store(to + i);
        for (; i < count; i++)
            to[i] = from[i] + TSum.CreateTruncating(SimdScalar.LoadPixels(pixels + i));
    }

    /// <summary>Sums along a line and writes pixels: target[i] = weight * sum over t of sums[i + t*channels] + offset, rounded.</summary>
    /// <param name="sums">count + (columns - 1) * channels sums; they are overwritten.</param>
    /// <param name="room">As many doubles.</param>
    /// <param name="target">The first element written.</param>
    /// <param name="count">Elements written.</param>
    /// <param name="taps">The rectangle.</param>
    public static void SumRow<TSum, TOut>(TSum* sums, double* room, TOut* target, int count, in BoxTaps taps)
        where TSum : unmanaged, INumber<TSum>
        where TOut : unmanaged
    {
        if (typeof(TSum) == typeof(float))
        {
            SumByDoubling((float*)sums, (float*)room, count, taps);
            Store((float*)room, (float*)target, count, (float)taps.Weight, (float)taps.Offset);
        }
        else
        {
            SumRunning((int*)sums, room, count, taps);
            Store(room, target, count, taps.Weight, taps.Offset);
        }
    }

    // Whole numbers are exact, so what has left the rectangle can be subtracted.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumRunning(int* sums, double* result, int count, in BoxTaps taps)
    {
        nint channels = taps.Channels;
        var width = taps.Columns * channels;
        for (nint c = 0; c < channels; c++)
        {
            var sum = 0L;
            for (var i = c; i < width; i += channels)
                sum += sums[i];
            result[c] = sum;
            for (var i = c + channels; i < count; i += channels)
            {
                sum += sums[i + width - channels] - sums[i - channels];
                result[i] = sum;
            }
        }
    }

    // Sums of 1, 2, 4, ... neighbours, of which the columns are put together by their binary digits: each sum is made of its own
    // elements alone, in the same order wherever it stands.
    private static void SumByDoubling(float* sums, float* result, int count, in BoxTaps taps)
    {
        nint valid = count + ((taps.Columns - 1) * taps.Channels), start = 0, size = taps.Channels;
        new Span<float>(result, count).Clear();
        for (var columns = taps.Columns; ; columns >>= 1, size *= 2)
        {
            if ((columns & 1) != 0)
            {
                Add(result, sums + start, result, count);
                start += size;
            }

            if (columns == 1)
                return;
            valid -= size;
            Add(sums, sums + size, sums, valid);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Store(float* sums, float* target, int count, float weight, float offset)
    {
        nint i = 0;
        var (weights, offsets) = (new Vector<float>(weight), new Vector<float>(offset));
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            ((Vector.Load(sums + i) * weights) + offsets).Store(target + i);
        for (; i < count; i++)
            target[i] = (sums[i] * weight) + offset;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Store<TOut>(double* sums, TOut* target, int count, double weight, double offset)
        where TOut : unmanaged
    {
        nint i = 0;
        if (Avx.IsSupported)
        {
            const int Block = 16;
            var (weights, offsets) = (Vector256.Create(weight), Vector256.Create(offset));
            for (; i <= count - Block; i += Block)
            {
                var a = (Vector256.Load(sums + i) * weights) + offsets;
                var b = (Vector256.Load(sums + i + 4) * weights) + offsets;
                var c = (Vector256.Load(sums + i + 8) * weights) + offsets;
                var d = (Vector256.Load(sums + i + 12) * weights) + offsets;
                StoreBlock(a, b, c, d, target + i);
            }
        }

        for (; i < count; i++)
            StoreOne((sums[i] * weight) + offset, target + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreBlock<TOut>(Vector256<double> a, Vector256<double> b, Vector256<double> c, Vector256<double> d, TOut* target)
        where TOut : unmanaged
    {
        if (typeof(TOut) == typeof(float))
        {
            Avx.ConvertToVector128Single(a).Store((float*)target);
            Avx.ConvertToVector128Single(b).Store((float*)target + 4);
            Avx.ConvertToVector128Single(c).Store((float*)target + 8);
            Avx.ConvertToVector128Single(d).Store((float*)target + 12);
        }
        else if (typeof(TOut) == typeof(byte))
        {
            var low = Sse2.PackSignedSaturate(Round(a, 255), Round(b, 255));
            Sse2.PackUnsignedSaturate(low, Sse2.PackSignedSaturate(Round(c, 255), Round(d, 255))).Store((byte*)target);
        }
        else
        {
            Sse41.PackUnsignedSaturate(Round(a, 65535), Round(b, 65535)).Store((ushort*)target);
            Sse41.PackUnsignedSaturate(Round(c, 65535), Round(d, 65535)).Store((ushort*)target + 8);
        }
    }

    // To the nearest, half to even. A NaN, of an offset that is infinite, cannot come.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Round(Vector256<double> value, double largest) => Avx.ConvertToVector128Int32(
        Vector256.MinNative(Vector256.MaxNative(value, Vector256<double>.Zero), Vector256.Create(largest)));

    private static void StoreOne<TOut>(double value, TOut* target)
        where TOut : unmanaged
    {
        if (typeof(TOut) == typeof(float))
            *(float*)target = (float)value;
        else if (typeof(TOut) == typeof(byte))
            *(byte*)target = (byte)Math.Round(Math.Clamp(value, 0, byte.MaxValue), MidpointRounding.ToEven);
        else
            *(ushort*)target = (ushort)Math.Round(Math.Clamp(value, 0, ushort.MaxValue), MidpointRounding.ToEven);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<TSum> Load<TIn, TSum>(TIn* pixels)
        where TIn : unmanaged
        where TSum : unmanaged, INumber<TSum>
    {
        if (typeof(TIn) == typeof(float))
            return Vector.Load((TSum*)pixels);
        if (Vector<int>.Count == 8 && Avx2.IsSupported)
        {
            return Vector.As<int, TSum>((typeof(TIn) == typeof(byte)
                ? Avx2.ConvertToVector256Int32((byte*)pixels)
                : Avx2.ConvertToVector256Int32((ushort*)pixels)).AsVector());
        }

        var numbers = stackalloc int[Vector<int>.Count];
        for (var i = 0; i < Vector<int>.Count; i++)
            numbers[i] = (int)SimdScalar.LoadPixels(pixels + i);
        return Vector.As<int, TSum>(Vector.Load(numbers));
    }
}
