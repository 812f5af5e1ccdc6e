using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Loops;

/// <summary>
/// Pooling of bytes: y[n, i, j, c] = the largest, or the sum, of x[n, i*s + u*d - p, j*s + v*d - p, c] over the taps u, v that lie inside
/// the input. Each lane is one channel.
/// </summary>
/// <remarks>Vectors of 128 bits, which a pixel's channels fill soonest: 16 of them are loaded at a time.</remarks>
internal static unsafe class BytePoolLoop
{
    /// <summary>Bytes of a vector.</summary>
    public const int Lanes = 16;

    /// <summary>The window of one output pixel: the taps inside the input.</summary>
    /// <param name="Rows">Rows of taps.</param>
    /// <param name="Columns">Taps of a row.</param>
    /// <param name="RowStep">Elements from one row to the next.</param>
    /// <param name="ColumnStep">Elements from one tap of a row to the next.</param>
    internal readonly record struct Window(int Rows, int Columns, nint RowStep, nint ColumnStep);

    /// <summary>A pixel of largest numbers; without any tap it is the least there is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Max<T>(T* input, in Window window, T* output, int channels)
        where T : unmanaged, INumber<T>, IMinMaxValue<T>
    {
        var c = 0;
        while (c <= channels - Lanes)
        {
            var most = Vector128.Create(T.MinValue);
            for (var u = 0; u < window.Rows; u++)
            {
                var at = input + c + (u * window.RowStep);
                for (var v = 0; v < window.Columns; v++, at += window.ColumnStep)
                    most = Vector128.Max(most, Vector128.Load(at));
            }

            most.Store(output + c);
            c += Lanes;

            // The last vector moves left over its neighbour.
            if (c < channels && c > channels - Lanes)
                c = channels - Lanes;
        }

        for (; c < channels; c++)
        {
            var most = T.MinValue;
            for (var u = 0; u < window.Rows; u++)
            {
                for (var v = 0; v < window.Columns; v++)
                {
                    var number = input[c + (u * window.RowStep) + (v * window.ColumnStep)];
                    most = number > most ? number : most;
                }
            }

            output[c] = most;
        }
    }

    /// <summary>A pixel of sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Sum(byte* input, bool isSigned, in Window window, int* output, int channels)
    {
        var c = 0;
        while (c <= channels - Lanes)
        {
            var (a, b) = (Vector256<int>.Zero, Vector256<int>.Zero);
            for (var u = 0; u < window.Rows; u++)
            {
                var at = input + c + (u * window.RowStep);
                for (var v = 0; v < window.Columns; v++, at += window.ColumnStep)
                {
                    var (low, high) = Widened(at, isSigned);
                    a += low;
                    b += high;
                }
            }

            a.Store(output + c);
            b.Store(output + c + (Lanes / 2));
            c += Lanes;
            if (c < channels && c > channels - Lanes)
                c = channels - Lanes;
        }

        for (; c < channels; c++)
        {
            var sum = 0;
            for (var u = 0; u < window.Rows; u++)
            {
                for (var v = 0; v < window.Columns; v++)
                {
                    var raw = input[c + (u * window.RowStep) + (v * window.ColumnStep)];
                    sum += isSigned ? (sbyte)raw : raw;
                }
            }

            output[c] = sum;
        }
    }

    /// <summary>
    /// y = clamp(sum / count), half away from zero: sums and count are so small that single precision divides them exactly enough.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Mean(int* sums, int count, int min, int max, byte* y, int channels)
    {
        var (divisor, half) = (Vector256.Create((float)count), Vector256.Create(count / 2));
        var (least, most) = (Vector256.Create(min), Vector256.Create(max));
        var c = 0;
        for (; c <= channels - Vector256<int>.Count; c += Vector256<int>.Count)
        {
            var sum = Vector256.Load(sums + c);
            var away = Vector256.ConditionalSelect(Vector256.GreaterThan(sum, Vector256<int>.Zero), half, -half);
            var mean = Vector256.ConvertToInt32Native(Vector256.Truncate(Vector256.ConvertToSingle(sum + away) / divisor));
            mean = Vector256.Min(Vector256.Max(mean, least), most);
            var shorts = Vector128.Narrow(mean.GetLower(), mean.GetUpper());
            Unsafe.WriteUnaligned(y + c, Vector128.Narrow(shorts, shorts).AsUInt64().ToScalar());
        }

        for (; c < channels; c++)
            y[c] = (byte)Math.Clamp((sums[c] + (sums[c] > 0 ? count / 2 : -(count / 2))) / count, min, max);
    }

    /// <summary>Adds a run of bytes to a run of integers, one by one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(byte* input, bool isSigned, int* sums, int count)
    {
        var i = 0;
        for (; i <= count - Lanes; i += Lanes)
        {
            var (low, high) = Widened(input + i, isSigned);
            (Vector256.Load(sums + i) + low).Store(sums + i);
            (Vector256.Load(sums + i + (Lanes / 2)) + high).Store(sums + i + (Lanes / 2));
        }

        for (; i < count; i++)
            sums[i] += isSigned ? (sbyte)input[i] : input[i];
    }

    /// <summary>The sum of a run of bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Sum(byte* input, bool isSigned, nint count)
    {
        nint i = 0;
        var (a, b) = (Vector256<int>.Zero, Vector256<int>.Zero);
        for (; i <= count - Lanes; i += Lanes)
        {
            var (low, high) = Widened(input + i, isSigned);
            a += low;
            b += high;
        }

        var sum = Vector256.Sum(a + b);
        for (; i < count; i++)
            sum += isSigned ? (sbyte)input[i] : input[i];
        return sum;
    }

    /// <summary>Where the first of the largest bytes of a row is, which has a vector of them at least.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int IndexOfMax<T>(T* row, int count)
        where T : unmanaged, INumber<T>
    {
        var last = count - Lanes;
        var most = Vector128.Load(row + last);
        for (var i = 0; i < last; i += Lanes)
            most = Vector128.Max(most, Vector128.Load(row + i));

        // Every lane gets the largest: halves upon each other.
        most = Vector128.Max(most, Vector128.Shuffle(most.AsInt64(), Vector128.Create(1L, 0)).As<long, T>());
        most = Vector128.Max(most, Vector128.Shuffle(most.AsInt32(), Vector128.Create(1, 0, 3, 2)).As<int, T>());
        most = Vector128.Max(most, Vector128.Shuffle(most.AsInt16(), Vector128.Create(1, 0, 3, 2, 5, 4, 7, 6)).As<short, T>());
        var bytes = Vector128.Shuffle(most.AsByte(), Vector128.Create((byte)1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
        most = Vector128.Max(most, bytes.As<byte, T>());
        for (var i = 0; i < last; i += Lanes)
        {
            var equal = Vector128.Equals(Vector128.Load(row + i), most).ExtractMostSignificantBits();
            if (equal != 0)
                return i + BitOperations.TrailingZeroCount(equal);
        }

        return last + BitOperations.TrailingZeroCount(Vector128.Equals(Vector128.Load(row + last), most).ExtractMostSignificantBits());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<int> Low, Vector256<int> High) Widened(byte* source, bool isSigned)
    {
        var bytes = Vector128.Load(source);
        var (low, high) = Vector128.Widen(bytes.AsSByte());
        if (!isSigned)
        {
            var (unsignedLow, unsignedHigh) = Vector128.Widen(bytes);
            (low, high) = (unsignedLow.AsInt16(), unsignedHigh.AsInt16());
        }

        var (a, b) = Vector128.Widen(low);
        var (c, d) = Vector128.Widen(high);
        return (Vector256.Create(a, b), Vector256.Create(c, d));
    }
}
