using System.Numerics;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Largest numbers of windows, and which tap of its window each is: x (N, inH, inW, C) -> y (N, outH, outW, C) and taps of the same shape,
/// row*kernelWidth + column of the first largest tap, as float32 with a tenth added. MediaPipe's MaxPoolingWithArgmax2D.
/// </summary>
internal sealed unsafe class MaxPoolTapsOperator(Size2D kernel, Size2D stride, Padding padding) : Operator
{
    // So that cutting off gives the tap, whatever a conversion to less precision did to it.
    private const float Above = 0.1f;

    public override string Kind => "MaxPoolTaps";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var g = Sizes(OperatorChecks.Required(inputs, 0, "input", ElementType.Float32, 4).Shape);
        var type = new TensorType(ElementType.Float32, ConvShapes.Output(g));
        return [type, type];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Shape.ElementCount * kernel.Height * kernel.Width);

    internal override void Forward(ForwardContext context)
    {
        var g = Sizes(context.Inputs[0].Shape);
        var work = new Work
        {
            X = context.Inputs[0].Pointer<float>(),
            Y = context.Outputs[0].Pointer<float>(),
            Taps = context.Outputs[1].Pointer<float>(),
            Rows = g.Rows,
            Columns = g.Columns,
            Channels = g.InChannels,
        };
        var perRow = (long)g.Columns.Out * g.InChannels * kernel.Height * kernel.Width;
        ElementParts.Run(work, (long)g.Batch * g.Rows.Out, perRow, context.Threads);
    }

    private ConvGeometry Sizes(TensorShape x) =>
        ConvGeometry.Create(x[0], (x[1], x[2]), x[3], x[3], kernel, stride, (1, 1), padding, groups: x[3]);

    private struct Work : IRangeWork
    {
        public float* X;
        public float* Y;
        public float* Taps;
        public AxisGeometry Rows;
        public AxisGeometry Columns;
        public int Channels;

        public readonly void Run(nint start, nint end)
        {
            for (var row = start; row < end; row++)
            {
                var (image, outY) = Math.DivRem(row, Rows.Out);
                var x = X + (image * Rows.In * Columns.In * Channels);
                for (var outX = 0; outX < Columns.Out; outX++)
                {
                    var at = ((row * Columns.Out) + outX) * Channels;
                    Window(x, (int)outY, outX, new Span<float>(Y + at, Channels), new Span<float>(Taps + at, Channels));
                }
            }
        }

        private readonly void Window(float* x, int outY, int outX, Span<float> y, Span<float> taps)
        {
            y.Fill(float.MinValue);
            taps.Fill(Above);
            for (var v = 0; v < Rows.Kernel; v++)
            {
                var inY = Rows.InputStart(outY) + v;
                for (var u = 0; u < Columns.Kernel; u++)
                {
                    var inX = Columns.InputStart(outX) + u;
                    if (inY < 0 || inY >= Rows.In || inX < 0 || inX >= Columns.In)
                        continue;
                    var pixel = x + ((((nint)inY * Columns.In) + inX) * Channels);
                    Larger(new(pixel, y.Length), (v * Columns.Kernel) + u + Above, y, taps);
                }
            }
        }

        private static void Larger(ReadOnlySpan<float> pixel, float tap, Span<float> y, Span<float> taps)
        {
            var c = 0;
            for (; c <= y.Length - Vector<float>.Count; c += Vector<float>.Count)
            {
                var (number, most) = (new Vector<float>(pixel[c..]), new Vector<float>(y[c..]));
                var isLarger = Vector.GreaterThan(number, most);
                Vector.ConditionalSelect(isLarger, number, most).CopyTo(y[c..]);
                Vector.ConditionalSelect(isLarger, new Vector<float>(tap), new Vector<float>(taps[c..])).CopyTo(taps[c..]);
            }

            for (; c < y.Length; c++)
            {
                if (pixel[c] > y[c])
                    (y[c], taps[c]) = (pixel[c], tap);
            }
        }
    }
}

/// <summary>
/// Puts numbers back where <see cref="MaxPoolTapsOperator"/> found them: x and taps (N, inH, inW, C) -> (N, inH*kernelHeight,
/// inW*kernelWidth, C), 0 elsewhere; of two at one place the later one stays. MediaPipe's MaxUnpooling2D.
/// </summary>
internal sealed unsafe class MaxUnpoolTapsOperator(Size2D kernel, Size2D stride) : Operator
{
    public override string Kind => "MaxUnpoolTaps";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = OperatorChecks.Required(inputs, 0, "input", ElementType.Float32, 4);
        OperatorChecks.SameShape(x, OperatorChecks.Required(inputs, 1, "taps", ElementType.Float32, 4));
        if (Math.Min(kernel.Height, kernel.Width) < 1 || Math.Min(stride.Height, stride.Width) < 1)
            throw new ArgumentException($"The kernel is {kernel} and the stride {stride}; both must be 1 or more.");
        var (height, width) = (ShapeRules.Length(x.Shape[1], kernel.Height), ShapeRules.Length(x.Shape[2], kernel.Width));
        return [new(ElementType.Float32, new TensorShape(x.Shape[0], height, width, x.Shape[3]))];
    }

    internal override void Forward(ForwardContext context)
    {
        var (shape, output) = (context.Inputs[0].Shape, context.Outputs[0].Shape);
        var x = context.Inputs[0].Pointer<float>();
        var taps = context.Inputs[1].Pointer<float>();
        var y = context.Outputs[0].Pointer<float>();
        context.Outputs[0].Bytes().Clear();
        var (top, left) = (Before(stride.Height, kernel.Height, shape[1]), Before(stride.Width, kernel.Width, shape[2]));
        var most = kernel.Height * kernel.Width;
        for (var n = 0; n < shape[0]; n++, y += (nint)output[1] * output[2] * output[3])
        {
            for (var inY = 0; inY < shape[1]; inY++)
            {
                for (var inX = 0; inX < shape[2]; inX++)
                {
                    for (var c = 0; c < shape[3]; c++, x++, taps++)
                    {
                        // A tap that is none, or one that lies in a border, is nowhere.
                        if (!(*taps >= 0 && *taps < most))
                            continue;
                        var (v, u) = Math.DivRem((int)*taps, kernel.Width);
                        var (outY, outX) = ((inY * stride.Height) - top + v, (inX * stride.Width) - left + u);
                        if (outY >= 0 && outY < output[1] && outX >= 0 && outX < output[2])
                            y[((((nint)outY * output[2]) + outX) * output[3]) + c] = *x;
                    }
                }
            }
        }
    }

    // The border before an output that a pool with this kernel would have brought to the input's length.
    private static int Before(int stride, int kernel, int length) =>
        (int)Math.Max(0, ((length - 1L) * stride) + kernel - ((long)length * kernel)) / 2;
}
