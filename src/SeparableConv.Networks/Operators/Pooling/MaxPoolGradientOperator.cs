using System.Numerics;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The gradient of maximum pooling: gradient dy (N, outH, outW, C) and input x (N, inH, inW, C) -> dx of x's shape. Each
/// dy[n, i, j, c] goes to the largest element of its window; of equal ones to the first in reading order, as in PyTorch. float32.
/// </summary>
/// <remarks>
/// A part owns a band of rows of dx. It finds the largest of every window that touches the band, and writes the band alone; so windows that
/// lie across two bands are searched twice. Windows come in reading order.
/// </remarks>
internal sealed unsafe class MaxPoolGradientOperator(
    Size2D kernel, Size2D stride, Size2D dilation, Padding padding, bool ceilMode) : Operator
{
    private const int ElementsInBand = 16 * 1024;

    // Small windows are added to tap by tap, all channels of a vector at once; of large ones only the largest are touched.
    private const int MostTapsByTap = 16;

    public override string Kind => "MaxPooling2DGradient";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (gradient, input) = (OperatorChecks.Required(inputs, 0, "gradient"), OperatorChecks.Required(inputs, 1, "input"));
        OperatorChecks.Takes(input.Element == ElementType.Float32, input, "float32");
        OperatorChecks.SameElement(gradient, input);
        var expected = PoolShapes.Output(Geometry(input.Shape));
        return gradient.Shape == expected
            ? [input with { Quantization = null }]
            : throw new ArgumentException($"The gradient is {gradient.Shape}; pooling {input.Shape} gives {expected}.");
    }

    internal override OperatorCost Cost(Node node)
    {
        var g = Geometry(node.Inputs[1]!.Shape);
        return new(0, node.Inputs[0]!.Shape.ElementCount * g.Rows.Kernel * g.Columns.Kernel);
    }

    internal override void Forward(ForwardContext context)
    {
        var (dy, x, dx) = (context.Inputs[0], context.Inputs[1], context.Outputs[0]);
        if (dx.Shape.ElementCount == 0)
            return;
        var g = Geometry(x.Shape);

        // Few windows lie across two bands of several windows' height.
        var row = (long)g.Columns.In * g.InChannels;
        var rowsInBand = (int)Math.Clamp(Math.Max(ElementsInBand / row, 4L * Math.Max(g.Rows.Span, g.Rows.Stride)), 1, g.Rows.In);
        var work = new Work
        {
            Gradient = dy.Pointer<float>(),
            X = x.Pointer<float>(),
            Result = dx.Pointer<float>(),
            Geometry = g,
            RowsInBand = rowsInBand,
            BandsInImage = (g.Rows.In + rowsInBand - 1) / rowsInBand,
        };
        ElementParts.Run(work, (long)g.Batch * work.BandsInImage, rowsInBand * row, context.Threads);
    }

    private ConvGeometry Geometry(TensorShape input) => PoolShapes.Geometry(input, kernel, stride, dilation, padding, ceilMode);

    private struct Work : IRangeWork
    {
        public float* Gradient;
        public float* X;
        public float* Result;
        public ConvGeometry Geometry;
        public int RowsInBand;
        public int BandsInImage;

        public readonly void Run(nint start, nint end)
        {
            for (var band = start; band < end; band++)
            {
                var (image, index) = Math.DivRem(band, BandsInImage);
                var first = (int)index * RowsInBand;
                RunBand(image, first, Math.Min(Geometry.Rows.In, first + RowsInBand));
            }
        }

        private readonly void RunBand(nint image, int firstRow, int endRow)
        {
            var (rows, columns, channels) = (Geometry.Rows, Geometry.Columns, Geometry.InChannels);
            var row = (nint)columns.In * channels;
            var x = X + (image * rows.In * row);
            var dx = Result + (image * rows.In * row);
            for (var y = firstRow; y < endRow; y++)
                new Span<float>(dx + (y * row), (int)row).Clear();

            for (var outY = 0; outY < rows.Out; outY++)
            {
                var (u, endU) = rows.Taps(outY);
                var start = rows.InputStart(outY);
                if (u == endU || start + ((endU - 1) * rows.Dilation) < firstRow || start + (u * rows.Dilation) >= endRow)
                    continue;
                var dy = Gradient + ((((image * rows.Out) + outY) * columns.Out) * channels);
                for (var outX = 0; outX < columns.Out; outX++, dy += channels)
                {
                    var (v, endV) = columns.Taps(outX);
                    if (v == endV)
                        continue;
                    var column = columns.InputStart(outX) + ((nint)v * columns.Dilation);
                    var window = new Window
                    {
                        First = ((start + ((nint)u * rows.Dilation)) * row) + (column * channels),
                        RowStep = rows.Dilation * row,
                        ColumnStep = (nint)columns.Dilation * channels,
                        Rows = endU - u,
                        Columns = endV - v,
                        BandStart = firstRow * row,
                        BandEnd = endRow * row,
                    };
                    Give(x, dy, dx, window, channels);
                }
            }
        }

        /// <summary>Adds a pixel's gradients to the largest elements of its window that lie in the band.</summary>
        private static void Give(float* x, float* dy, float* dx, in Window window, int channels)
        {
            // Each lane is one channel, and its number is the tap of the largest so far.
            var c = 0;
            for (; c + Vector<float>.Count <= channels; c += Vector<float>.Count)
            {
                var largest = Vector.Load(x + window.First + c);
                var (best, tap) = (Vector<int>.Zero, 0);
                for (var u = 0; u < window.Rows; u++)
                {
                    var at = x + window.First + (u * window.RowStep) + c;
                    for (var v = 0; v < window.Columns; v++, tap++, at += window.ColumnStep)
                    {
                        var value = Vector.Load(at);
                        var isLarger = Vector.GreaterThan(value, largest);
                        largest = Vector.ConditionalSelect(isLarger, value, largest);
                        best = Vector.ConditionalSelect(isLarger, new Vector<int>(tap), best);
                    }
                }

                if (window.Rows * window.Columns <= MostTapsByTap)
                {
                    AddByTap(dx + c, Vector.Load(dy + c), best, window);
                    continue;
                }

                for (var lane = 0; lane < Vector<float>.Count; lane++)
                    Add(dx, window.Offset(best[lane]), dy[c + lane], c + lane, window);
            }

            for (; c < channels; c++)
            {
                var best = 0;
                var largest = x[window.First + c];
                for (var at = 1; at < window.Rows * window.Columns; at++)
                {
                    var value = x[window.Offset(at) + c];
                    if (value > largest)
                        (best, largest) = (at, value);
                }

                Add(dx, window.Offset(best), dy[c], c, window);
            }
        }

        // Every tap, with the gradients of those channels whose largest it is.
        private static void AddByTap(float* dx, Vector<float> gradient, Vector<int> best, in Window window)
        {
            for (var u = 0; u < window.Rows; u++)
            {
                var at = window.First + (u * window.RowStep);
                if (at < window.BandStart || at >= window.BandEnd)
                    continue;
                for (var v = 0; v < window.Columns; v++, at += window.ColumnStep)
                {
                    var isBest = Vector.Equals(best, new Vector<int>((u * window.Columns) + v)).As<int, float>();
                    Vector.Store(Vector.Load(dx + at) + Vector.ConditionalSelect(isBest, gradient, Vector<float>.Zero), dx + at);
                }
            }
        }

        private static void Add(float* dx, nint offset, float gradient, int channel, in Window window)
        {
            if (offset >= window.BandStart && offset < window.BandEnd)
                dx[offset + channel] += gradient;
        }
    }

    /// <summary>The taps of a window that lie inside the input; offsets are those of channel 0.</summary>
    private struct Window
    {
        public nint First;
        public nint RowStep;
        public nint ColumnStep;
        public int Rows;
        public int Columns;
        public nint BandStart;
        public nint BandEnd;

        public readonly nint Offset(int tap)
        {
            var (u, v) = Math.DivRem(tap, Columns);
            return First + (u * RowStep) + (v * ColumnStep);
        }
    }
}
