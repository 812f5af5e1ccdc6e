using System.Numerics;
using System.Numerics.Tensors;
using SeparableConv.Loops;
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>What pooling computes of the numbers under a window.</summary>
internal enum PoolKind
{
    /// <summary>The mean.</summary>
    Average,

    /// <summary>The largest.</summary>
    Max,
}

/// <summary>
/// Average or maximum pooling, activation fused: x (N, inH, inW, C) -> (N, outH, outW, C),
/// y[n, i, j, c] = the mean, or the largest, of x[n, i*s + u*d - top, j*s + v*d - left, c] over the taps u, v inside the input.
/// </summary>
/// <remarks>
/// The mean divides by the taps inside the input, or with <paramref name="countIncludePad"/> by those inside input and
/// border. A window with no tap inside the input gives 0 as its mean and the least number there is as its maximum. Maximum takes
/// every element type but bool, mean float32 and float64.
/// </remarks>
internal sealed unsafe class Pool2DOperator(
    PoolKind kind,
    Size2D kernel,
    Size2D stride,
    Size2D dilation,
    Padding padding,
    bool ceilMode,
    bool countIncludePad,
    Activation activation) : Operator
{
    public override string Kind => PoolKind == PoolKind.Max ? "MaxPooling2D" : "AveragePooling2D";

    public PoolKind PoolKind { get; } = kind;

    public Size2D Kernel { get; } = kernel;

    public Size2D Stride { get; } = stride;

    public Size2D Dilation { get; } = dilation;

    public Padding Padding { get; } = padding;

    public bool CeilMode { get; } = ceilMode;

    public bool CountIncludePad { get; } = countIncludePad;

    public Activation Activation { get; } = activation;

    /// <summary>The same operator with another activation.</summary>
    public Pool2DOperator With(Activation activation) =>
        new(PoolKind, Kernel, Stride, Dilation, Padding, CeilMode, CountIncludePad, activation);

    /// <summary>The sizes for an input.</summary>
    /// <exception cref="ArgumentException">The shape does not fit.</exception>
    public ConvGeometry Geometry(TensorShape input) => PoolShapes.Geometry(input, Kernel, Stride, Dilation, Padding, CeilMode);

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = OperatorChecks.Required(inputs, 0, "input");
        var takes = PoolKind == PoolKind.Max
            ? input.Element != ElementType.Bool
            : input.Element is ElementType.Float32 or ElementType.Float64;
        if (!takes)
        {
            throw new ArgumentException(
                $"The input is {input}; "
                + $"{Kind} takes {(PoolKind == PoolKind.Max ? "numbers" : "float32 or float64")}: put a Cast before it.");
        }

        OperatorChecks.Activation(Activation, input.Element, input.Shape.Rank > 0 ? input.Shape[^1] : 1);
        return [new(input.Element, PoolShapes.Output(Geometry(input.Shape)), PoolKind == PoolKind.Max ? input.Quantization : null)];
    }

    internal override OperatorCost Cost(Node node)
    {
        var g = Geometry(node.Inputs[0]!.Shape);
        return new(0, node.Outputs[0].Shape.ElementCount * g.Rows.Kernel * g.Columns.Kernel);
    }

    internal override void Forward(ForwardContext context)
    {
        var (x, y) = (context.Inputs[0], context.Outputs[0]);
        var g = Geometry(x.Shape);
        if (x.Type.Element == ElementType.Float32)
        {
            var isAverage = PoolKind == PoolKind.Average;
            PoolLoop.Run(
                x.Pointer<float>(), y.Pointer<float>(), g, isAverage, CountIncludePad, Activation, SimdWidths.Best, context.Threads);
        }
        else if (PoolKind == PoolKind.Average)
        {
            Average(x.Pointer<double>(), y.Pointer<double>(), g, context.Threads);
        }
        else
        {
            var work = new MaxWork { X = x, Y = y, Geometry = g, Threads = context.Threads };
            ElementDispatch.Numbers(x.Type.Element, ref work);
        }
    }


    /// <summary>
    /// Of the mean, dx is the sum over the windows that hold the element of dy / count, columns first, then rows; of the largest, dy
    /// goes to it, of equal ones to the first in reading order. float32.
    /// </summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        var (x, dy) = (context.Input(0), context.Output(0));
        if (!Activation.IsNone || x.Type.Element != ElementType.Float32)
            return null;
        if (PoolKind == PoolKind.Max)
            return [context.Add("input", new MaxPoolGradientOperator(Kernel, Stride, Dilation, Padding, CeilMode), dy, x)];

        // A window's count is the product of the counts of its rows and its columns.
        var g = Geometry(x.Shape);
        var wide = context.Add("columns", new AxisSumsOperator(2, Shares(g.Columns)), dy);
        return [context.Add("input", new AxisSumsOperator(1, Shares(g.Rows)), wide)];
    }

    private AxisTaps Shares(in AxisGeometry axis)
    {
        var terms = new List<AxisTaps.Term>();
        for (var output = 0; output < axis.Out; output++)
        {
            var (start, end) = axis.Taps(output);
            var share = 1f / Math.Max(1, CountIncludePad ? PoolLoop.BorderedTaps(axis, output) : end - start);
            for (var tap = start; tap < end; tap++)
                terms.Add(new(axis.InputStart(output) + (tap * axis.Dilation), output, share));
        }

        return new(axis.Out, axis.In, terms);
    }

    private struct MaxWork : INumberWork
    {
        public TensorBuffer X;
        public TensorBuffer Y;
        public ConvGeometry Geometry;
        public int Threads;

        public readonly void Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            if (typeof(T) == typeof(byte) || typeof(T) == typeof(sbyte))
            {
                var bytes = new ByteRows<T> { X = X.Pointer<T>(), Y = Y.Pointer<T>(), Geometry = Geometry };
                ElementParts.Run(bytes, (long)Geometry.Batch * Geometry.Rows.Out, ElementsInRow(Geometry), Threads);
                return;
            }

            var rows = new Rows<T, MaxOf<T>> { X = X.Pointer<T>(), Y = Y.Pointer<T>(), Geometry = Geometry, CountsBorder = false };
            ElementParts.Run(rows, (long)Geometry.Batch * Geometry.Rows.Out, ElementsInRow(Geometry), Threads);
        }
    }

    private void Average(double* x, double* y, in ConvGeometry g, int threads)
    {
        var work = new Rows<double, MeanOf> { X = x, Y = y, Geometry = g, CountsBorder = CountIncludePad };
        ElementParts.Run(work, (long)g.Batch * g.Rows.Out, ElementsInRow(g), threads);
    }

    private static long ElementsInRow(in ConvGeometry g) => (long)g.Columns.Out * g.InChannels * g.Rows.Kernel * g.Columns.Kernel;

    private interface IWindow<T>
    {
        static abstract T Start { get; }

        static abstract void Combine(Span<T> pixel, ReadOnlySpan<T> with);

        static abstract void Finish(Span<T> pixel, long count);
    }

    private readonly struct MaxOf<T> : IWindow<T>
        where T : unmanaged, INumber<T>, IMinMaxValue<T>
    {
        public static T Start => PoolShapes.Least<T>();

        public static void Combine(Span<T> pixel, ReadOnlySpan<T> with) => TensorPrimitives.Max(pixel, with, pixel);

        public static void Finish(Span<T> pixel, long count)
        {
        }
    }

    private readonly struct MeanOf : IWindow<double>
    {
        public static double Start => 0;

        public static void Combine(Span<double> pixel, ReadOnlySpan<double> with) => TensorPrimitives.Add(pixel, with, pixel);

        public static void Finish(Span<double> pixel, long count) => TensorPrimitives.Divide(pixel, Math.Max(1, count), pixel);
    }

    /// <summary>Finds the largest of bytes.</summary>
    private struct ByteRows<T> : IRangeWork
        where T : unmanaged, INumber<T>, IMinMaxValue<T>
    {
        public T* X;
        public T* Y;
        public ConvGeometry Geometry;

        public readonly void Run(nint start, nint end)
        {
            var (rows, columns, channels) = (Geometry.Rows, Geometry.Columns, (nint)Geometry.InChannels);
            var (rowStep, columnStep) = (rows.Dilation * columns.In * channels, columns.Dilation * channels);
            for (var row = start; row < end; row++)
            {
                var (image, outY) = Math.DivRem(row, rows.Out);
                var (startU, endU) = rows.Taps((int)outY);
                var inY = rows.InputStart((int)outY) + ((nint)startU * rows.Dilation);
                var inputRow = X + (((image * rows.In) + inY) * columns.In * channels);
                for (var outX = 0; outX < columns.Out; outX++)
                {
                    var (startV, endV) = columns.Taps(outX);
                    var inX = columns.InputStart(outX) + ((nint)startV * columns.Dilation);
                    BytePoolLoop.Max(
                        inputRow + (inX * channels),
                        new(endU - startU, endV - startV, rowStep, columnStep),
                        Y + (((row * columns.Out) + outX) * channels),
                        (int)channels);
                }
            }
        }
    }

    /// <summary>Pools rows of other types, which networks hardly use: pixel by pixel, all channels of it at once.</summary>
    private struct Rows<T, TWindow> : IRangeWork
        where T : unmanaged
        where TWindow : struct, IWindow<T>
    {
        public T* X;
        public T* Y;
        public ConvGeometry Geometry;
        public bool CountsBorder;

        public readonly void Run(nint start, nint end)
        {
            var (rows, columns, channels) = (Geometry.Rows, Geometry.Columns, Geometry.InChannels);
            for (var row = start; row < end; row++)
            {
                var (image, outY) = (row / rows.Out, (int)(row % rows.Out));
                var tapsU = rows.Taps(outY);
                for (var outX = 0; outX < columns.Out; outX++)
                {
                    var tapsV = columns.Taps(outX);
                    var pixel = new Span<T>(Y + (((row * columns.Out) + outX) * channels), channels);
                    pixel.Fill(TWindow.Start);
                    for (var u = tapsU.Start; u < tapsU.End; u++)
                    {
                        var inY = rows.InputStart(outY) + ((nint)u * rows.Dilation);
                        var inputRow = X + (((image * rows.In) + inY) * columns.In * channels);
                        for (var v = tapsV.Start; v < tapsV.End; v++)
                        {
                            var inX = columns.InputStart(outX) + ((nint)v * columns.Dilation);
                            TWindow.Combine(pixel, new(inputRow + (inX * channels), channels));
                        }
                    }

                    var count = CountsBorder
                        ? PoolLoop.BorderedTaps(rows, outY) * (long)PoolLoop.BorderedTaps(columns, outX)
                        : (tapsU.End - tapsU.Start) * (long)(tapsV.End - tapsV.Start);
                    TWindow.Finish(pixel, count);
                }
            }
        }
    }
}
