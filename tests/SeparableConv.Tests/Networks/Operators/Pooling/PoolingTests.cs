using SeparableConv.Loops;

namespace SeparableConv.Tests.Networks.Operators;

public unsafe class PoolingTests
{
    private static readonly int[] Channels = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 35, 64, 67];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Pooling_matches_plain_loops(bool average)
    {
        var random = new Random(1);
        for (var i = 0; i < 150; i++)
        {
            var (op, input) = Any(random, average);
            var x = OperatorRun.Floats(i, input[0], input[1], input[2], input[3]);
            var (expected, _, shape) = Reference(op, x.Span<float>().ToArray(), input);
            OperatorRun.Check(op, 1, expected, shape, _ => average ? 1e-6 : 0, x);
        }
    }

    [Fact]
    public void Every_width_gives_the_same_maxima_and_means()
    {
        var g = ConvGeometry.Create(1, (7, 9), 35, 35, 3, 2, 1, Padding.Same);
        var x = RandomData.Floats(7 * 9 * 35, 3);
        foreach (var mean in new[] { false, true })
        {
            float[]? first = null;
            foreach (var width in SimdWidths.All)
            {
                var y = new float[g.Rows.Out * g.Columns.Out * 35];
                fixed (float* from = x, to = y)
                    PoolLoop.Run(from, to, g, mean, false, Activation.ReLU6, width, 2);
                Assert.Equal(first ??= y, y);
            }
        }
    }

    [Fact]
    public void Maximum_pooling_takes_bytes()
    {
        var random = new Random(2);
        for (var i = 0; i < 40; i++)
        {
            var (op, input) = Any(random, average: false);
            var bytes = OperatorRun.Wholes<byte>(i, 0, 255, input);
            var (expected, _, shape) = Reference(op, Array.ConvertAll((byte[])bytes.Values, b => (float)b), input);
            OperatorRun.Check(op, 1, [.. expected.Select(v => Math.Max(v, 0))], shape, _ => 0, bytes);
            var signed = OperatorRun.Wholes<sbyte>(i, -128, 127, input);
            (expected, _, shape) = Reference(op, Array.ConvertAll((sbyte[])signed.Values, b => (float)b), input);
            OperatorRun.Check(op, 1, [.. expected.Select(v => Math.Max(v, -128))], shape, _ => 0, signed);
        }
    }

    [Fact]
    public void The_last_window_of_a_rounded_up_size_does_not_begin_in_the_border()
    {
        var op = new Pool2DOperator(
            PoolKind.Average, 3, 3, 1, Padding.Explicit(1, 1, 1, 1), ceilMode: true, countIncludePad: true, Activation.None);
        Assert.Equal(new TensorShape(1, 1, 1, 1), op.Infer([new(ElementType.Float32, new TensorShape(1, 2, 2, 1))])[0].Shape);
        Assert.Equal(new TensorShape(1, 2, 2, 1), op.Infer([new(ElementType.Float32, new TensorShape(1, 3, 3, 1))])[0].Shape);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Positions_of_maxima_are_numbered_as_onnx_does(bool columnMajor)
    {
        var random = new Random(5);
        var inBorder = 0;
        for (var i = 0; i < 40; i++)
        {
            var (pool, input) = Any(random, average: false);
            var op = new MaxPoolWithIndicesOperator(pool.Kernel, pool.Stride, pool.Dilation, pool.Padding, pool.CeilMode, columnMajor);

            // Few different numbers, so that windows hold the largest more than once; in some images it is the least number there is.
            var least = i % 4 == 0 ? float.NegativeInfinity : 0;
            var x = TensorData.Create(
                Array.ConvertAll((sbyte[])OperatorRun.Wholes<sbyte>(i, 0, 2, input).Values, v => v == 0 ? least : v), input);
            var reference = Reference(pool, x.Span<float>().ToArray(), input);
            foreach (var outputs in OperatorRun.All(op, 1, x))
            {
                Assert.Equal(reference.Shape, outputs[1].Type.Shape.Lengths.ToArray());
                Assert.Equal(reference.Values, OperatorRun.Doubles(outputs[0]));
                Assert.Equal(
                    Array.ConvertAll(reference.Largest, at => Position(at, input, columnMajor)), outputs[1].Span<long>().ToArray());
            }

            inBorder += reference.Largest.Count(at => at < 0);
        }

        Assert.True(inBorder > 100, $"Only {inBorder} windows lay in the border.");
    }

    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(2, 7, 7, 1024)]
    [InlineData(1, 3, 5, 67)]
    [InlineData(3, 17, 2, 3)]
    [InlineData(1, 64, 65, 33)]
    public void Global_pooling_matches_plain_loops(int n, int h, int w, int c)
    {
        var x = OperatorRun.Floats(n + h, n, h, w, c);
        var (mean, largest) = (new double[n * c], new double[n * c]);
        Array.Fill(largest, double.NegativeInfinity);
        for (var i = 0; i < n * h * w * c; i++)
        {
            var at = (i / (h * w * c) * c) + (i % c);
            mean[at] += x.Span<float>()[i] / (double)(h * w);
            largest[at] = Math.Max(largest[at], x.Span<float>()[i]);
        }

        OperatorRun.Check(new GlobalPoolOperator(PoolKind.Average), 1, mean, [n, 1, 1, c], _ => 1e-6, x);
        OperatorRun.Check(new GlobalPoolOperator(PoolKind.Max), 1, largest, [n, 1, 1, c], _ => 0, x);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var pool = new Pool2DOperator(PoolKind.Average, 3, 1, 1, Padding.Valid, false, false, Activation.None);
        Assert.Throws<ArgumentException>(() => pool.Infer([new(ElementType.Float32, new TensorShape(1, 2, 2, 1))]));
        Assert.Throws<ArgumentException>(() => pool.Infer([new(ElementType.Int8, new TensorShape(1, 4, 4, 1))]));
        Assert.Throws<ArgumentException>(() => pool.Infer([new(ElementType.Float32, new TensorShape(4, 4, 1))]));
        Assert.Throws<ArgumentException>(
            () => new GlobalPoolOperator(PoolKind.Max).Infer([new(ElementType.Float32, new TensorShape(1, 0, 2, 1))]));
    }

    private static (Pool2DOperator Op, int[] Input) Any(Random random, bool average)
    {
        var (kernel, stride) = (new Size2D(random.Next(1, 5), random.Next(1, 5)), new Size2D(random.Next(1, 4), random.Next(1, 4)));
        var dilation = new Size2D(random.Next(1, 3), random.Next(1, 3));
        var padding = random.Next(4) switch
        {
            0 => Padding.Valid,
            1 => Padding.Same,
            2 => Padding.SameLower,
            _ => Padding.Explicit(random.Next(4), random.Next(4), random.Next(4), random.Next(4)),
        };
        var op = new Pool2DOperator(
            average ? PoolKind.Average : PoolKind.Max, kernel, stride, dilation, padding, random.Next(2) == 0, random.Next(2) == 0,
            Activation.None);
        var (spanH, spanW) = ((dilation.Height * (kernel.Height - 1)) + 1, (dilation.Width * (kernel.Width - 1)) + 1);
        return (op, [random.Next(1, 3), spanH + random.Next(6), spanW + random.Next(9), Channels[random.Next(Channels.Length)]]);
    }

    // ONNX numbers the elements of (N, C, H, W), or of (N, C, W, H); a window without an element has -1.
    private static long Position(int at, int[] input, bool columnMajor)
    {
        if (at < 0)
            return -1;
        var (h, w, c) = (input[1], input[2], input[3]);
        var (channel, column, row, n) = (at % c, at / c % w, at / c / w % h, at / c / w / h);
        return (((long)(n * c) + channel) * h * w) + (columnMajor ? row + (column * h) : (row * w) + column);
    }

    // Straight from the definition, with borders as coordinates. Of a maximum also where in x it is first found, -1 where all is border.
    private static (double[] Values, int[] Largest, int[] Shape) Reference(Pool2DOperator op, float[] x, int[] input)
    {
        var (h, w, c) = (input[1], input[2], input[3]);
        var (outH, padTop, padBottom) = Axis(
            h, op.Kernel.Height, op.Stride.Height, op.Dilation.Height, op.Padding, op.Padding.Top, op.Padding.Bottom, op.CeilMode);
        var (outW, padLeft, padRight) = Axis(
            input[2], op.Kernel.Width, op.Stride.Width, op.Dilation.Width, op.Padding, op.Padding.Left, op.Padding.Right, op.CeilMode);
        var y = new double[input[0] * outH * outW * c];
        var found = new int[y.Length];
        for (var k = 0; k < y.Length; k++)
        {
            var (channel, j, i, n) = (k % c, k / c % outW, k / c / outW % outH, k / c / outW / outH);
            double sum = 0, largest = double.NegativeInfinity;
            int inside = 0, bordered = 0;
            found[k] = -1;
            for (var u = 0; u < op.Kernel.Height; u++)
            {
                for (var v = 0; v < op.Kernel.Width; v++)
                {
                    var row = (i * op.Stride.Height) - padTop + (u * op.Dilation.Height);
                    var column = (j * op.Stride.Width) - padLeft + (v * op.Dilation.Width);
                    bordered += row < h + padBottom && column < w + padRight ? 1 : 0;
                    if (row < 0 || row >= h || column < 0 || column >= w)
                        continue;
                    inside++;
                    var at = (((((n * h) + row) * w) + column) * c) + channel;
                    sum += x[at];
                    if (found[k] >= 0 && x[at] <= largest)
                        continue;
                    (largest, found[k]) = (x[at], at);
                }
            }

            y[k] = op.PoolKind == PoolKind.Max ? largest : inside == 0 ? 0 : sum / (op.CountIncludePad ? bordered : inside);
        }

        return (y, found, [input[0], outH, outW, c]);
    }

    private static (int Out, int Before, int After) Axis(
        int size, int kernel, int stride, int dilation, Padding padding, int before, int after, bool ceil)
    {
        var span = (dilation * (kernel - 1)) + 1;
        if (padding.Mode is PaddingMode.SameUpper or PaddingMode.SameLower)
        {
            var same = (int)Math.Ceiling(size / (double)stride);
            var total = Math.Max(0, ((same - 1) * stride) + span - size);
            return padding.Mode == PaddingMode.SameUpper ? (same, total / 2, total - (total / 2)) : (same, total - (total / 2), total / 2);
        }

        var steps = (size + before + after - span) / (double)stride;
        var output = (int)(ceil ? Math.Ceiling(steps) : Math.Floor(steps)) + 1;
        if (ceil && (output - 1) * stride >= size + before)
            output--;
        return (output, before, after);
    }
}
