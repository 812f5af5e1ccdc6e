using System.Numerics;
using System.Numerics.Tensors;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Softmax, or its logarithm, along one axis of a tensor seen as (outer, length, inner): a range of columns, each of which is
/// <c>length</c> elements that lie <c>inner</c> apart. Neighbouring columns are computed together.
/// </summary>
internal readonly unsafe struct SoftmaxWork<T>(T* x, T* y, nint length, nint inner, bool logarithm) : IRangeWork
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int Most = 128;

    public static void Run(TensorBuffer x, TensorBuffer y, int axis, bool logarithm, int threads)
    {
        var cut = TensorAxis.Cut(x.Shape, axis);
        var work = new SoftmaxWork<T>(x.Pointer<T>(), y.Pointer<T>(), cut.Length, (nint)cut.Inner, logarithm);
        ElementParts.Run(work, cut.Outer * cut.Inner, cut.Length, threads);
    }

    public void Run(nint start, nint end)
    {
        while (start < end)
        {
            var (outer, column) = Math.DivRem(start, inner);
            var offset = (outer * length * inner) + column;
            if (inner == 1)
            {
                RunRow(new(x + offset, (int)length), new(y + offset, (int)length));
                start++;
                continue;
            }

            var count = (int)Math.Min(Math.Min(Most, inner - column), end - start);
            RunColumns(x + offset, y + offset, count);
            start += count;
        }
    }

    private void RunRow(ReadOnlySpan<T> source, Span<T> target)
    {
        if (source.IsEmpty)
            return;
        TensorPrimitives.Subtract(source, TensorPrimitives.Max(source), target);
        if (!logarithm)
        {
            TensorPrimitives.Exp(target, target);
            TensorPrimitives.Divide(target, T.CreateTruncating(Sum(target)), target);
            return;
        }

        Span<T> exponentials = stackalloc T[Most];
        var sum = 0.0;
        for (var i = 0; i < target.Length; i += Most)
        {
            var piece = exponentials[..Math.Min(Most, target.Length - i)];
            TensorPrimitives.Exp(target.Slice(i, piece.Length), piece);
            sum += Sum(piece);
        }

        TensorPrimitives.Subtract(target, T.CreateTruncating(Math.Log(sum)), target);
    }

    // Half precision cannot hold the sum of many numbers that it can hold.
    private static double Sum(ReadOnlySpan<T> values)
    {
        if (typeof(T) != typeof(Half))
            return double.CreateTruncating(TensorPrimitives.Sum(values));
        var sum = 0.0;
        foreach (var value in values)
            sum += double.CreateTruncating(value);
        return sum;
    }

    private void RunColumns(T* source, T* target, int count)
    {
        Span<T> largest = stackalloc T[count];
        Span<T> exponentials = stackalloc T[count];
        Span<double> sums = stackalloc double[count];
        sums.Clear();
        largest.Fill(T.NegativeInfinity);
        for (nint k = 0; k < length; k++)
            TensorPrimitives.Max(largest, new ReadOnlySpan<T>(source + (k * inner), count), largest);
        for (nint k = 0; k < length; k++)
        {
            var row = new Span<T>(target + (k * inner), count);
            TensorPrimitives.Subtract(new ReadOnlySpan<T>(source + (k * inner), count), largest, row);
            TensorPrimitives.Exp(row, exponentials);
            for (var i = 0; i < count; i++)
                sums[i] += double.CreateTruncating(exponentials[i]);
            if (!logarithm)
                exponentials.CopyTo(row);
        }

        for (var i = 0; i < count; i++)
            exponentials[i] = T.CreateTruncating(logarithm ? Math.Log(sums[i]) : sums[i]);
        for (nint k = 0; k < length; k++)
        {
            var row = new Span<T>(target + (k * inner), count);
            if (logarithm)
                TensorPrimitives.Subtract(row, exponentials, row);
            else
                TensorPrimitives.Divide(row, exponentials, row);
        }
    }
}
