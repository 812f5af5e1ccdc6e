using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// Rows brought to mean 0 and variance 1: y_i = (x_i - mean) / sqrt(variance + epsilon) * scale_i + bias_i. Mean and variance are those of
/// the row, the variance around the mean.
/// </summary>
internal unsafe struct LayerNormLoop : ISimdWork
{
    /// <summary>The first row.</summary>
    public float* X;

    /// <summary>Where its result goes; may be <see cref="X"/>.</summary>
    public float* Y;

    /// <summary>A factor for each number of a row.</summary>
    public float* Scale;

    /// <summary>What is added to each number of a row; null for nothing.</summary>
    public float* Bias;

    /// <summary>Numbers of a row.</summary>
    public int Length;

    /// <summary>Rows.</summary>
    public nint Rows;

    public float Epsilon;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Run<TSimd, TVec>()
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        for (nint row = 0; row < Rows; row++)
        {
            var x = X + (row * Length);
            var mean = Sum<TSimd, TVec>(x) / Length;
            var variance = SquaredDistances<TSimd, TVec>(x, mean) / Length;
            Scaled<TSimd, TVec>(x, Y + (row * Length), mean, 1 / MathF.Sqrt(variance + Epsilon));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly float Sum<TSimd, TVec>(float* x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var (a, b, v) = (TSimd.Zero, TSimd.Zero, TSimd.Count);
        var i = 0;
        for (; i <= Length - (2 * v); i += 2 * v)
        {
            a = TSimd.Add(a, TSimd.Load(x + i));
            b = TSimd.Add(b, TSimd.Load(x + i + v));
        }

        var sum = TSimd.SumLanes(TSimd.Add(a, b));
        for (; i < Length; i++)
            sum += x[i];
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly float SquaredDistances<TSimd, TVec>(float* x, float mean)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var (a, b, v) = (TSimd.Zero, TSimd.Zero, TSimd.Count);
        var middle = TSimd.Broadcast(mean);
        var i = 0;
        for (; i <= Length - (2 * v); i += 2 * v)
        {
            var (first, second) = (TSimd.Subtract(TSimd.Load(x + i), middle), TSimd.Subtract(TSimd.Load(x + i + v), middle));
            a = TSimd.MultiplyAdd(first, first, a);
            b = TSimd.MultiplyAdd(second, second, b);
        }

        var sum = TSimd.SumLanes(TSimd.Add(a, b));
        for (; i < Length; i++)
            sum += (x[i] - mean) * (x[i] - mean);
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void Scaled<TSimd, TVec>(float* x, float* y, float mean, float factor)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var (middle, times) = (TSimd.Broadcast(mean), TSimd.Broadcast(factor));
        var i = 0;
        for (; i <= Length - TSimd.Count; i += TSimd.Count)
        {
            var number = TSimd.Multiply(TSimd.Subtract(TSimd.Load(x + i), middle), times);
            var bias = Bias is null ? TSimd.Zero : TSimd.Load(Bias + i);
            TSimd.Store(TSimd.MultiplyAdd(number, TSimd.Load(Scale + i), bias), y + i);
        }

        for (; i < Length; i++)
            y[i] = SimdScalar.MultiplyAdd((x[i] - mean) * factor, Scale[i], Bias is null ? 0 : Bias[i]);
    }
}
