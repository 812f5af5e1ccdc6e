using SeparableConv.Networks.Formats.Onnx.Schema;
using SeparableConv.Tests.Networks.Operators;
using static SeparableConv.Tests.Networks.Formats.OnnxBuilder;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Normalizations and norms of windows, against their formulas; and outputs that only a training has.</summary>
public class OnnxNormalizationTests
{
    private static readonly int[] Shape = [2, 6, 3, 5];

    private static readonly TensorData X = OperatorRun.Floats(1, Shape);

    [Theory]
    [InlineData(18, 3)]
    [InlineData(18, 6)]
    [InlineData(21, 3)]
    [InlineData(21, 1)]
    public void Groups_of_channels_are_normalized(int opset, int groups)
    {
        foreach (var shape in new[] { Shape, [2, 6, 7], [2, 6, 3, 2, 4] })
        {
            var x = OperatorRun.Floats(1, shape);
            var rows = opset < 21 ? groups : 6;
            var (scale, bias) = (OperatorRun.Floats(2, rows), OperatorRun.Floats(3, rows));
            var pixels = shape[2..].Aggregate(1, (a, b) => a * b);
            var expected = Normalized(x, i => i / (pixels * 6 / groups), 1e-5);
            for (var i = 0; i < expected.Length; i++)
            {
                var c = i / pixels % 6;
                var row = opset < 21 ? c / (6 / groups) : c;
                expected[i] = (expected[i] * scale.Span<float>()[row]) + bias.Span<float>()[row];
            }

            new OneNodeModel("GroupNormalization", opset, Int("num_groups", groups)) { FirstConstant = 1 }
                .Check(shape, expected, 1e-5, x, scale, bias);
            if (groups == 6)
                new OneNodeModel("InstanceNormalization", opset).Check(shape, expected, 1e-5, x, scale, bias);
        }
    }

    [Fact]
    public void Mean_and_variance_are_taken_over_axes()
    {
        new OneNodeModel("MeanVarianceNormalization", 13).Check(Shape, Normalized(X, i => i / 15 % 6, 0), 1e-5, X);
        new OneNodeModel("MeanVarianceNormalization", 9, Ints("axes", 1, -1)).Check(
            Shape, Normalized(X, i => (i / 90 * 3) + (i / 5 % 3), 0), 1e-5, X);
        new OneNodeModel("MeanVarianceNormalization", 8).Check(Shape, Normalized(X, i => i / 15, 0), 1e-5, X);
        new OneNodeModel("MeanVarianceNormalization", 8, Int("across_channels", 1)).Check(Shape, Normalized(X, i => i / 90, 0), 1e-5, X);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    [InlineData(-1, true)]
    public void Rows_are_normalized_with_their_mean_and_deviation_as_further_outputs(int axis, bool statistics)
    {
        var from = axis < 0 ? axis + 4 : axis;
        var length = Shape[from..].Aggregate(1, (a, b) => a * b);
        var (scale, bias) = (OperatorRun.Floats(2, Shape[from..]), OperatorRun.Floats(3, Shape[^1..]));
        var expected = Normalized(X, i => i / length, 1e-3);
        for (var i = 0; i < expected.Length; i++)
            expected[i] = (expected[i] * scale.Span<float>()[i % length]) + bias.Span<float>()[i % Shape[^1]];
        var model = new OneNodeModel("LayerNormalization", 17, Int("axis", axis), Float("epsilon", 1e-3f))
        {
            FirstConstant = 1,
            Outputs = statistics ? 3 : 1,
        };
        model.Check(Shape, expected, 1e-5, X, scale, bias);
        if (!statistics)
            return;
        var outputs = model.Run(X, scale, bias);
        for (var row = 0; row < X.Values.Length / length; row++)
        {
            double[] values = [.. X.Span<float>().Slice(row * length, length).ToArray().Select(v => (double)v)];
            var mean = values.Average();
            Assert.Equal(mean, outputs[1].Span<float>()[row], 1e-5);
            Assert.Equal(1 / Math.Sqrt(values.Average(v => (v - mean) * (v - mean)) + 1e-3), outputs[2].Span<float>()[row], 1e-3);
        }
    }

    [Fact]
    public void Norms_divide_and_nothing_stays_nothing()
    {
        var x = TensorData.Create([3f, 4, 0, 0, -1, 1], 3, 2);
        new OneNodeModel("LpNormalization", 22).Check([3, 2], [0.6, 0.8, 0, 0, -Math.Sqrt(0.5), Math.Sqrt(0.5)], 1e-6, x);
        new OneNodeModel("LpNormalization", 11, Int("p", 1)).Check([3, 2], [3 / 7.0, 4 / 7.0, 0, 0, -0.5, 0.5], 1e-6, x);
        var root = Math.Sqrt(12.5);
        new OneNodeModel("RMSNormalization", 23, Float("epsilon", 0))
            .Check([1, 2], [6 / root, 12 / root], 1e-6, TensorData.Create([3f, 4], 1, 2), TensorData.Create([2f, 3], 2));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    public void Channels_are_divided_by_their_neighbours(int size)
    {
        foreach (var shape in new[] { Shape, [2, 6], [2, 6, 7], [1, 6, 2, 3, 2] })
        {
            var x = OperatorRun.Floats(4, shape);
            var pixels = shape[2..].Aggregate(1, (a, b) => a * b);
            var expected = new double[x.Values.Length];
            for (var i = 0; i < expected.Length; i++)
            {
                var (c, sum) = (i / pixels % 6, 0.0);
                for (var k = Math.Max(0, c - ((size - 1) / 2)); k <= Math.Min(5, c + (size / 2)); k++)
                    sum += Math.Pow(x.Span<float>()[i + ((k - c) * pixels)], 2);
                expected[i] = x.Span<float>()[i] / Math.Pow(2 + (0.5 / size * sum), 0.75);
            }

            new OneNodeModel("LRN", 13, Int("size", size), Float("alpha", 0.5f), Float("bias", 2)).Check(shape, expected, 1e-6, x);
        }
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 1)]
    public void Windows_have_norms(int p, int ceil)
    {
        const int Stride = 2;
        var model = new OneNodeModel(
            "LpPool",
            18,
            Int("p", p),
            Ints("kernel_shape", 3, 2),
            Ints("strides", Stride, Stride),
            Ints("dilations", 1, 2),
            Ints("pads", 1, 0, 0, 1),
            Int("ceil_mode", ceil));
        int[] shape = [2, 6, ceil == 1 ? 2 : 1, ceil == 1 ? 3 : 2];
        var expected = new double[shape.Aggregate(1, (a, b) => a * b)];
        for (var i = 0; i < expected.Length; i++)
        {
            var (at, sum) = (MovedElements.Index(i, shape), 0.0);
            for (var tap = 0; tap < 6; tap++)
            {
                var (y, x) = ((at[2] * Stride) + (tap / 2) - 1, (at[3] * Stride) + (tap % 2 * 2));
                if (y is >= 0 and < 3 && x is >= 0 and < 5)
                    sum += Math.Pow(Math.Abs(X.Span<float>()[(((((at[0] * 6) + at[1]) * 3) + y) * 5) + x]), p);
            }

            expected[i] = Math.Pow(sum, 1.0 / p);
        }

        model.Check(shape, expected, 1e-5, X);
        double[] whole =
        [
            .. Enumerable.Range(0, 12).Select(c => Math.Pow(Enumerable.Range(0, 15).Sum(
                k => Math.Pow(Math.Abs(X.Span<float>()[(c * 15) + k]), p)), 1.0 / p)),
        ];
        new OneNodeModel("GlobalLpPool", 11, Int("p", p)).Check([2, 6, 1, 1], whole, 1e-5, X);
    }

    [Fact]
    public void Statistics_of_each_pixel_are_tables()
    {
        var tables = Enumerable.Range(1, 4).Select(i => TensorData.Create(
            Array.ConvertAll((float[])OperatorRun.Floats(i, 90).Values, v => v + 1.5f), Shape[1..])).ToArray();
        var expected = new double[X.Values.Length];
        for (var i = 0; i < expected.Length; i++)
        {
            double Table(int table) => tables[table].Span<float>()[i % 90];
            expected[i] = ((X.Span<float>()[i] - Table(2)) / Math.Sqrt(Table(3) + 1e-5) * Table(0)) + Table(1);
        }

        new OneNodeModel("BatchNormalization", 7, Int("spatial", 0)) { FirstConstant = 1 }.Check(Shape, expected, 1e-5, [X, .. tables]);
    }

    [Theory]
    [InlineData(6, ElementType.Float32)]
    [InlineData(7, ElementType.Float32)]
    [InlineData(10, ElementType.Bool)]
    [InlineData(13, ElementType.Bool)]
    public void A_dropout_keeps_everything_and_its_mask_says_so(int opset, ElementType mask)
    {
        Assert.Equal("Dropout", Assert.Single(new OneNodeModel("Dropout", opset) { Outputs = 1 }.Read(X).Nodes).Operator.Kind);
        var outputs = new OneNodeModel("Dropout", opset) { Outputs = 2 }.Run(X);
        Assert.Equal(X.Values, outputs[0].Values);
        Assert.Equal(mask, outputs[1].Type.Element);
        Assert.All(OperatorRun.Doubles(outputs[1]), value => Assert.Equal(1, value));
    }

    [Fact]
    public void Outputs_of_a_training_are_refused_only_where_they_are_read()
    {
        var model = new OnnxBuilder(9).Input("x", "1", "2", "3", "3")
            .Constant("one", [1f, 1], 2).Constant("zero", [0f, 0], 2)
            .Node("BatchNormalization", ["x", "one", "zero", "zero", "one"], ["y", "mean", "variance", "saved_mean", "saved_variance"])
            .Node("Dropout", ["y"], ["z", "mask"]).Output("z");
        Assert.Contains("Dropout", model.Read().Nodes.Select(node => node.Operator.Kind));
        Assert.Contains(
            "output 2 is read, which is there in training only",
            Assert.Throws<NetworkException>(() => model.Node("Relu", ["variance"], ["w"]).Output("w").Read()).Message,
            StringComparison.Ordinal);
    }

    // (x - mean) / sqrt(variance + epsilon), with the mean and the variance of all numbers that have one key.
    private static double[] Normalized(TensorData data, Func<int, int> key, double epsilon)
    {
        double[] x = Array.ConvertAll(data.Span<float>().ToArray(), v => (double)v);
        var statistics = Enumerable.Range(0, x.Length).GroupBy(key).ToDictionary(group => group.Key, group =>
        {
            var mean = group.Average(i => x[i]);
            return (Mean: mean, Deviation: Math.Sqrt(group.Average(i => (x[i] - mean) * (x[i] - mean)) + epsilon));
        });
        return [.. x.Select((v, i) => (v - statistics[key(i)].Mean) / statistics[key(i)].Deviation)];
    }
}
