using SeparableConv.Networks.Formats.Onnx.Schema;
using SeparableConv.Tests.Networks.Operators;
using static SeparableConv.Tests.Networks.Formats.OnnxBuilder;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Resize and Upsample along any dimensions, against the formulas of the specification, one dimension after the other.</summary>
public class OnnxResizeTests
{
    private const double Extrapolation = 7.5;

    public static TheoryData<int[], int[]> Sizes => new()
    {
        { [2, 3, 8, 10], [2, 3, 16, 20] },
        { [2, 3, 8, 10], [2, 3, 5, 7] },
        { [2, 3, 8, 10], [2, 3, 1, 13] },
        { [2, 3, 8, 10], [2, 3, 8, 4] },
        { [2, 6, 9, 3], [2, 8, 14, 3] },
        { [2, 3, 9], [2, 3, 14] },
        { [6, 9], [4, 14] },
        { [7], [3] },
        { [1, 2, 4, 6, 9], [1, 2, 8, 3, 14] },
        { [3, 4, 5, 2], [6, 4, 3, 4] },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Sizes_give_each_dimension_its_own_scale(int[] shape, int[] sizes)
    {
        var x = OperatorRun.Floats(1, shape);
        foreach (var mode in new[] { "nearest", "linear", "cubic" })
        {
            foreach (var place in new[] { "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric" })
            {
                var expected = Reference(x, shape, sizes, [.. sizes.Zip(shape).Select(s => (double)s.First / s.Second)], mode, place);
                new OneNodeModel("Resize", 19, Text("mode", mode), Text("coordinate_transformation_mode", place)) { FirstConstant = 1 }
                    .Check(sizes, expected, 1e-5, x, null, null, Long(sizes));
            }
        }
    }

    [Theory]
    [InlineData("linear", false, true)]
    [InlineData("linear", true, true)]
    [InlineData("cubic", false, true)]
    [InlineData("cubic", true, true)]
    [InlineData("cubic", true, false)]
    public void Scales_antialiasing_and_what_is_outside(string mode, bool excludes, bool antialias)
    {
        int[] shape = [1, 2, 9, 12];
        float[] scales = [1, 1, 0.625f, 1.75f];
        int[] sizes = [1, 2, 5, 21];
        var x = OperatorRun.Floats(1, shape);
        AttributeProto[] attributes =
        [
            Text("mode", mode),
            Int("exclude_outside", excludes ? 1 : 0),
            Int("antialias", antialias ? 1 : 0),
            Float("cubic_coeff_a", -0.5f),
        ];
        var expected = Reference(
            x, shape, sizes, Array.ConvertAll(scales, s => (double)s), mode, "half_pixel", excludes, antialias, cubic: -0.5);
        new OneNodeModel("Resize", 18, attributes) { FirstConstant = 1 }
            .Check(sizes, expected, 1e-5, x, null, TensorData.Create(scales, 4));
        new OneNodeModel("Resize", 18, [.. attributes, Ints("axes", -1, 2)]) { FirstConstant = 1 }
            .Check(sizes, expected, 1e-5, x, null, TensorData.Create([scales[3], scales[2]], 2));
    }

    [Theory]
    [InlineData("not_larger", 7, 6)]
    [InlineData("not_smaller", 8, 7)]
    public void A_ratio_may_be_kept(string policy, int height, int width)
    {
        // 7/9 and 7/8: the smaller of both makes 8 columns 6.2, the larger 9 rows 7.9.
        int[] shape = [1, 2, 9, 8];
        int[] sizes = [1, 2, height, width];
        var scale = policy == "not_larger" ? 7.0 / 9 : 7.0 / 8;
        var x = OperatorRun.Floats(1, shape);
        foreach (var mode in new[] { "nearest", "linear", "cubic" })
        {
            var expected = Reference(x, shape, sizes, [1, 1, scale, scale], mode, "half_pixel");
            new OneNodeModel("Resize", 18, Text("mode", mode), Ints("axes", 2, 3), Text("keep_aspect_ratio_policy", policy))
            {
                FirstConstant = 1,
            }.Check(sizes, expected, 1e-5, x, null, null, Long([7, 7]));
        }
    }

    [Theory]
    [InlineData("nearest")]
    [InlineData("linear")]
    [InlineData("cubic")]
    public void A_crop_shows_a_number_where_there_is_no_input(string mode)
    {
        int[] shape = [1, 2, 8, 10];
        int[] sizes = [1, 2, 5, 6];
        var x = OperatorRun.Floats(1, shape);
        float[] region = [0, 0, 0.4375f, -0.25f, 1, 1, 1.25f, 0.8125f];
        var model = new OneNodeModel(
            "Resize",
            13,
            Text("mode", mode),
            Text("coordinate_transformation_mode", "tf_crop_and_resize"),
            Float("extrapolation_value", (float)Extrapolation))
        {
            FirstConstant = 1,
        };
        var expected = Reference(x, shape, sizes, [1, 1, 0.625, 0.6], mode, "tf_crop_and_resize", region: region);
        Assert.Contains(Extrapolation, expected);
        model.Check(sizes, expected, 1e-5, x, TensorData.Create(region, 8), null, Long(sizes));
    }

    [Fact]
    public void Means_of_whole_numbers_keep_their_type()
    {
        var x = TensorData.Create([.. Enumerable.Range(0, 24).Select(i => (byte)(i * 71))], 1, 1, 4, 6);
        var cubic = new OneNodeModel("Resize", 13, Text("mode", "cubic")) { FirstConstant = 1 };
        var expected = Reference(x, [1, 1, 4, 6], [1, 1, 6, 9], [1, 1, 1.5, 1.5], "cubic", "half_pixel");
        cubic.Check([1, 1, 6, 9], Array.ConvertAll(expected, v => Math.Clamp(Math.Round(v), 0, 255)), 0, x, null, null, Long([1, 1, 6, 9]));
        var linear = new OneNodeModel("Resize", 13, Text("mode", "linear")) { FirstConstant = 1 };
        expected = Reference(x, [1, 1, 4, 6], [1, 1, 8, 12], [1, 1, 2, 2], "linear", "half_pixel");
        linear.Check([1, 1, 8, 12], Array.ConvertAll(expected, Math.Floor), 0, x, null, null, Long([1, 1, 8, 12]));
    }

    [Fact]
    public void Before_opset_11_the_first_pixels_lie_on_each_other()
    {
        var x = TensorData.Create([1f, 2, 3, 4, 5, 6, 7, 8], 1, 1, 2, 4);
        new OneNodeModel("Resize", 10) { FirstConstant = 1 }.Check([1, 1, 1, 2], [1, 3], 0, x, TensorData.Create([1f, 1, 0.6f, 0.6f], 4));
        int[] sizes = [1, 1, 4, 8];
        var expected = Reference(x, [1, 1, 2, 4], sizes, [1, 1, 2, 2], "linear", "asymmetric");
        new OneNodeModel("Upsample", 9, Text("mode", "linear")) { FirstConstant = 1 }
            .Check(sizes, expected, 1e-6, x, TensorData.Create([1f, 1, 2, 2], 4));
        new OneNodeModel("Upsample", 7, Text("mode", "linear"), Floats("scales", 1, 1, 2, 2)).Check(sizes, expected, 1e-6, x);
        new OneNodeModel("Upsample", 6, Text("mode", "bilinear"), Float("height_scale", 2), Float("width_scale", 2))
            .Check(sizes, expected, 1e-6, x);
    }

    [Fact]
    public void What_cannot_be_done_is_refused_with_numbers()
    {
        var x = OperatorRun.Floats(1, 1, 2, 4, 6);
        string Refused(int opset, TensorData? scales, TensorData? sizes, params AttributeProto[] attributes) =>
            new OneNodeModel("Resize", opset, attributes) { FirstConstant = 1 }.Refusal(x, null, scales, sizes);
        Assert.Contains("the scales of the input (1,2,4,6) are (1, 1, 2); expected 4", Refused(13, TensorData.Create([1f, 1, 2], 3), null));
        Assert.Contains("makes a dimension of 4 one of 0", Refused(13, TensorData.Create([1f, 1, 0.1f, 1], 4), null));
        Assert.Contains("the sizes are (1,2,0,6)", Refused(13, null, Long([1, 2, 0, 6])));
        Assert.Contains("expected each once", Refused(18, null, Long([1, 2]), Ints("axes", 1, -3)));
        var policy = Text("keep_aspect_ratio_policy", "wide");
        Assert.Contains("keep_aspect_ratio_policy is 'wide'", Refused(18, null, Long([1, 2, 4, 6]), policy));
        Assert.Contains("mode is 'area', which is not supported", Refused(13, null, Long([1, 2, 4, 6]), Text("mode", "area")));
    }

    // One dimension after the other, the input's pixels found and weighted by the specification's formulas.
    private static double[] Reference(
        TensorData data,
        int[] shape,
        int[] sizes,
        double[] scales,
        string mode,
        string place,
        bool excludes = false,
        bool antialias = false,
        double cubic = -0.75,
        float[]? region = null)
    {
        var x = OperatorRun.Doubles(data);
        var lengths = (int[])shape.Clone();
        for (var axis = 0; axis < shape.Length; axis++)
        {
            var (start, end) = region is null ? (0f, 1f) : (region[axis], region[shape.Length + axis]);
            if (scales[axis] == 1 && sizes[axis] == lengths[axis] && start == 0 && end == 1)
                continue;
            var (from, inner) = (lengths[axis], lengths[(axis + 1)..].Aggregate(1, (a, b) => a * b));
            lengths[axis] = sizes[axis];
            var y = new double[lengths.Aggregate(1, (a, b) => a * b)];
            for (var i = 0; i < y.Length; i++)
            {
                var at = Place(place, i / inner % sizes[axis], from, sizes[axis], scales[axis], start, end);
                double Pixel(int p) => x[(((i / inner / sizes[axis] * from) + Math.Clamp(p, 0, from - 1)) * inner) + (i % inner)];
                y[i] = place == "tf_crop_and_resize" && (at < 0 || at > from - 1)
                    ? Extrapolation
                    : Value(Pixel, at, from, scales[axis], mode, excludes, antialias, cubic);
            }

            x = y;
        }

        return x;
    }

    private static double Value(
        Func<int, double> pixel, double at, int length, double scale, string mode, bool excludes, bool antialias, double cubic)
    {
        // Half a pixel is rounded down; a sum of doubles is not exactly half a pixel.
        if (mode == "nearest")
            return pixel((int)Math.Ceiling(at - 0.5 - 1e-9));
        var step = antialias ? Math.Max(1, 1 / scale) : 1;
        var reach = (int)Math.Ceiling(2 * step) + 1;
        var (sum, weights, middle) = (0.0, 0.0, (int)Math.Floor(at));
        for (var p = middle - reach; p <= middle + reach; p++)
        {
            var d = Math.Abs(p - at) / step;
            var weight = mode == "linear" ? Math.Max(0, 1 - d)
                : d <= 1 ? ((cubic + 2) * d * d * d) - ((cubic + 3) * d * d) + 1
                : d < 2 ? cubic * ((d * d * d) - (5 * d * d) + (8 * d) - 4)
                : 0;
            if (excludes && (p < 0 || p >= length))
                continue;
            sum += weight * pixel(p);
            weights += weight;
        }

        return sum / weights;
    }

    private static double Place(string place, int i, int input, int output, double scale, float start, float end) => place switch
    {
        "align_corners" => output == 1 ? 0 : i * (input - 1) / ((scale * input) - 1),
        "asymmetric" => i / scale,
        "pytorch_half_pixel" when output == 1 => 0,
        "half_pixel_symmetric" => (input / 2.0 * (1 - (output / (scale * input)))) + ((i + 0.5) / scale) - 0.5,
        "tf_crop_and_resize" => (start * (input - 1.0)) + (i * ((double)end - start) * (input - 1) / (output - 1)),
        _ => ((i + 0.5) / scale) - 0.5,
    };

    private static TensorData Long(int[] numbers) => TensorData.Create(Array.ConvertAll(numbers, n => (long)n), numbers.Length);

    private static AttributeProto Floats(string name, params float[] values) =>
        new() { Name = name, Floats = { values }, Type = AttributeProto.Types.AttributeType.Floats };
}
