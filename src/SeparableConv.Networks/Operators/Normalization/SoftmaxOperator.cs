using System.Numerics;
using System.Numerics.Tensors;
using SeparableConv.Activations;
using SeparableConv.Loops;
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Softmax along one axis: y = e^(x - m) / sum of e^(x - m) over the axis, m the largest x along it; or the logarithm of that,
/// y = x - m - log(sum of e^(x - m)). Floats of any size; the axis counts from the back where it is negative.
/// </summary>
internal sealed class SoftmaxOperator(int axis, bool logarithm = false) : Operator
{
    public override string Kind => Logarithm ? "LogSoftmax" : "Softmax";

    public int Axis { get; } = axis;

    public bool Logarithm { get; } = logarithm;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = OperatorChecks.Required(inputs, 0, "input");
        OperatorChecks.Takes(input.Element.IsFloat(), input, "floats");
        _ = TensorAxis.Resolve(Axis, input.Shape.Rank);
        return [input with { Quantization = null }];
    }

    internal override OperatorCost Cost(Node node) => new(0, 3 * node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var (x, y) = (context.Inputs[0], context.Outputs[0]);
        var cut = TensorAxis.Cut(x.Shape, Axis);
        if (x.Type.Element == ElementType.Float32 && cut.Inner == 1 && !Logarithm)
            ActivationWork.Run(Activation.Softmax, x, y, cut.Length, context.Threads);
        else
            SoftmaxWork.Run(x, y, Axis, Logarithm, context.Threads);
    }

    /// <summary>dx = y * (dy - sum of dy * y along the axis); of the logarithm dx = dy - e^y * sum of dy along the axis.</summary>
    internal override Value?[]? Gradient(GradientContext context) =>
        [context.Add("input", new SoftmaxGradientOperator(Axis, Logarithm), context.Output(0), context.Node.Outputs[0])];
}

/// <summary>Softmax, or its logarithm, along one axis of a tensor of any floats.</summary>
internal struct SoftmaxWork : IFloatWork
{
    private TensorBuffer _x;
    private TensorBuffer _y;
    private TensorAxis _cut;
    private bool _logarithm;
    private int _threads;

    /// <summary>Computes all of it.</summary>
    public static void Run(TensorBuffer x, TensorBuffer y, int axis, bool logarithm, int threads)
    {
        var work = new SoftmaxWork { _x = x, _y = y, _cut = TensorAxis.Cut(x.Shape, axis), _logarithm = logarithm, _threads = threads };
        ElementDispatch.Floats(x.Type.Element, ref work);
    }

    public readonly unsafe void Run<T>()
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var columns = new SoftmaxColumns<T>(_x.Pointer<T>(), _y.Pointer<T>(), _cut.Length, (nint)_cut.Inner, _logarithm);
        ElementParts.Run(columns, _cut.Outer * _cut.Inner, _cut.Length, _threads);
    }
}

/// <summary>
/// Softmax, or its logarithm, along one axis of a tensor seen as (outer, length, inner): a range of columns, each of which is
/// <c>length</c> elements that lie <c>inner</c> apart. Neighbouring columns are computed together.
/// </summary>
internal readonly unsafe struct SoftmaxColumns<T>(T* x, T* y, nint length, nint inner, bool logarithm) : IRangeWork
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int Most = 128;

    public void Run(nint start, nint end)
    {
        while (start < end)
        {
            var (outer, column) = Math.DivRem(start, inner);
            var offset = (outer * length * inner) + column;
            if (typeof(T) == typeof(float) && length > 0)
            {
                // Rows that follow each other, or columns beside each other.
                var count = inner == 1 ? end - start : Math.Min(inner - column, end - start);
                RunSingle((float*)x + offset, (float*)y + offset, count);
                start += count;
                continue;
            }

            if (inner == 1)
            {
                RunRow(new(x + offset, (int)length), new(y + offset, (int)length));
                start++;
                continue;
            }

            var neighbours = (int)Math.Min(Math.Min(Most, inner - column), end - start);
            RunColumns(x + offset, y + offset, neighbours);
            start += neighbours;
        }
    }

    private void RunSingle(float* source, float* target, nint count)
    {
        if (inner > 1)
        {
            SoftmaxRows.ApplyColumns(source, target, length, inner, count, logarithm, SimdWidths.Best);
            return;
        }

        if (source != target)
            Buffer.MemoryCopy(source, target, count * length * sizeof(float), count * length * sizeof(float));
        var rows = new ActivationRows(target, count, (int)length, length);
        if (logarithm)
            SoftmaxRows.ApplyLogarithm(rows, SimdWidths.Best);
        else
            SoftmaxRows.Apply(rows, SimdWidths.Best);
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
