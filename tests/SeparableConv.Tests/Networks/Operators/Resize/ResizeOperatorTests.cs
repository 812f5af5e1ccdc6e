using SeparableConv.Loops;
using SeparableConv.Tests.Golden;

namespace SeparableConv.Tests.Networks.Operators;

public class ResizeOperatorTests
{
    // resize.json, which make_resize.py made with PyTorch.
    [Fact]
    public void PyTorch_gives_the_same_numbers()
    {
        var checks = 0;
        foreach (var vector in GoldenFile.Cases("resize.json"))
        {
            var shape = Array.ConvertAll(vector.Numbers("shape"), x => (int)x);
            var size = Array.ConvertAll(vector.Numbers("size"), x => (int)x);
            var maker = vector.GetProperty("maker").GetString()!;
            var x = TensorData.Create(Array.ConvertAll(vector.Numbers("input"), x => (float)x), shape);
            var expected = vector.Numbers("expected");
            var mode = maker.StartsWith("nearest") ? ResizeMode.Nearest : ResizeMode.Linear;
            var antialias = vector.GetProperty("antialias").GetString()!;
            foreach (var scaled in new[] { false, true })
            {
                var op = new ResizeOperator(
                    mode,
                    size[0],
                    size[1],
                    scaled ? ResizeScale.Ratio(size[0], shape[1]) : null,
                    scaled ? ResizeScale.Ratio(size[1], shape[2]) : null,
                    Enum.Parse<CoordinateMode>(vector.GetProperty("coordinates").GetString()!),
                    Enum.Parse<NearestRounding>(vector.GetProperty("rounding").GetString()!),
                    new(mode, antialias != "None", antialias == "ExcludeOutside"));
                var y = MovedElements.Run(op, x)[0];
                Assert.Equal(new TensorShape(shape[0], size[0], size[1], shape[3]), y.Type.Shape);
                for (var i = 0; i < expected.Length; i++)
                    Assert.True(
                        Math.Abs(expected[i] - y.Span<float>()[i]) < 2e-4,
                        $"{maker} {x.Type.Shape} to {y.Type.Shape}: {y.Span<float>()[i]} at {i}, expected {expected[i]}.");
                checks++;
            }
        }

        Assert.Equal(80, checks);
    }

    // From the places' formulas, in double, one pixel at a time.
    [Theory]
    [InlineData("HalfPixel")]
    [InlineData("HalfPixelSymmetric")]
    [InlineData("PytorchHalfPixel")]
    [InlineData("AlignCorners")]
    [InlineData("Asymmetric")]
    [InlineData("TfHalfPixelForNearest")]
    public void Every_mode_follows_its_formula(string name)
    {
        var mode = Enum.Parse<CoordinateMode>(name);
        // Scales that single precision holds exactly, so that ties are ties in any arithmetic.
        foreach (var (input, scale, output) in new[]
        {
            (4, 2f, 8), (5, 0.5f, 2), (6, 0.375f, 2), (3, 1.25f, 3), (7, 0.25f, 1), (2, 3.5f, 7), (9, 1f, 9),
        })
        {
            var x = TensorData.Create(RandomData.Floats(2 * input * 15, input), 2, input, 1, 15);
            for (var i = 0; i < output; i++)
            {
                var place = Place(mode, i, input, scale, output);
                foreach (var rounding in Enum.GetValues<NearestRounding>())
                {
                    var y = Evaluator.Run(new ResizeOperator(ResizeMode.Nearest, output, 1, scale, 1, mode, rounding), x)[0];
                    var nearest = rounding switch
                    {
                        NearestRounding.Floor => Math.Floor(place),
                        NearestRounding.Ceil => Math.Ceiling(place),
                        NearestRounding.RoundPreferCeil => Math.Floor(place) + (place - Math.Floor(place) >= 0.5 ? 1 : 0),
                        _ => Math.Floor(place) + (place - Math.Floor(place) > 0.5 ? 1 : 0),
                    };
                    var row = (int)Math.Min(input - 1, Math.Max(0, nearest));
                    Assert.Equal(x.Span<float>().Slice(row * 15, 15).ToArray(), y.Span<float>().Slice(i * 15, 15).ToArray());
                }

                var linear = Evaluator.Run(new ResizeOperator(ResizeMode.Linear, output, 1, scale, 1, mode), x)[0];
                var clamped = Math.Min(input - 1, Math.Max(0, place));
                var lower = (int)clamped;
                for (var j = 0; j < 15; j++)
                {
                    var (a, b) = (x.Span<float>()[(lower * 15) + j], x.Span<float>()[(Math.Min(lower + 1, input - 1) * 15) + j]);
                    Assert.Equal(a + ((b - a) * (clamped - lower)), linear.Span<float>()[(i * 15) + j], 1e-5);
                }
            }
        }
    }

    // Numbers that the ONNX specification's own examples give.
    [Fact]
    public void The_specifications_examples()
    {
        var two = TensorData.Create([1f, 2, 3, 4], 1, 2, 2, 1);
        var rows = TensorData.Create([.. Enumerable.Range(1, 8).Select(x => (float)x)], 1, 2, 4, 1);
        var square = TensorData.Create([.. Enumerable.Range(1, 16).Select(x => (float)x)], 1, 4, 4, 1);
        Near(
            [1, 1.25f, 1.75f, 2, 1.5f, 1.75f, 2.25f, 2.5f, 2.5f, 2.75f, 3.25f, 3.5f, 3, 3.25f, 3.75f, 4],
            two,
            new(ResizeMode.Linear, 4, 4, 2, 2, CoordinateMode.HalfPixel));
        Near([1, 4f / 3, 5f / 3, 2], two, new(ResizeMode.Linear, 4, 4, 2, 2, CoordinateMode.AlignCorners));
        Near([2.6666665f, 4.3333331f], rows, new(ResizeMode.Linear, 1, 2, 0.6f, 0.6f, CoordinateMode.HalfPixel));
        Near([1, 3.142857f], rows, new(ResizeMode.Linear, 1, 2, 0.6f, 0.6f, CoordinateMode.AlignCorners));
        Near([1, 3], rows, new(ResizeMode.Nearest, 1, 2, 0.6f, 0.6f, CoordinateMode.HalfPixel));
        Near(
            [2.875f, 4.5f, 9.375f, 11],
            square,
            new(ResizeMode.Linear, 2, 2, 0.6f, 0.6f, CoordinateMode.HalfPixel, kernel: new(ResizeMode.Linear, Antialias: true)));
        Near([1.6666666f, 7, 12.333333f], square, new(ResizeMode.Linear, 3, 1, 0.75f, 0.25f, CoordinateMode.PytorchHalfPixel));
        Near([1, 1, 1, 2, 2, 3, 3, 4], square, new(ResizeMode.Nearest, 8, 8, 2, 2, CoordinateMode.AlignCorners, NearestRounding.Floor));
        Near([1, 2, 2, 3, 3, 4, 4, 4], square, new(ResizeMode.Nearest, 8, 8, 2, 2, CoordinateMode.HalfPixel, NearestRounding.Ceil));
        Near(
            [1, 2, 2, 3, 3, 4, 4, 4],
            square,
            new(ResizeMode.Nearest, 8, 8, 2, 2, CoordinateMode.Asymmetric, NearestRounding.RoundPreferCeil));
    }

    // Half a pixel and whole pixels, which single precision misses: 5 * (14/2) is 35, and not a little less.
    [Fact]
    public void A_ratio_of_lengths_is_computed_without_rounding()
    {
        for (var input = 1; input <= 24; input++)
        {
            for (var output = 1; output <= 24; output++)
            {
                var scale = ResizeScale.Ratio(output, input);
                Check(CoordinateMode.HalfPixel, i => ((((2 * i) + 1) * input) - output, 2 * output));
                Check(CoordinateMode.Asymmetric, i => (i * input, output));
                Check(CoordinateMode.TfHalfPixelForNearest, i => (((2 * i) + 1) * input, 2 * output));
                Check(CoordinateMode.AlignCorners, i => (i * (input - 1), Math.Max(1, output - 1)));
                Check(CoordinateMode.HalfPixelSymmetric, i => ((((2 * i) + 1) * input) - output, 2 * output));

                void Check(CoordinateMode mode, Func<int, (int Dividend, int Divisor)> place)
                {
                    var axis = new ResizeAxis(input, output, scale, mode);
                    foreach (var rounding in Enum.GetValues<NearestRounding>())
                    {
                        var nearest = axis.Nearest(rounding);
                        for (var i = 0; i < output; i++)
                        {
                            var (a, b) = place(i);
                            var floor = (int)Math.Floor((decimal)a / b);
                            var twice = 2 * (a - (floor * b));
                            var expected = rounding switch
                            {
                                NearestRounding.Floor => floor,
                                NearestRounding.Ceil => twice > 0 ? floor + 1 : floor,
                                NearestRounding.RoundPreferCeil => twice >= b ? floor + 1 : floor,
                                _ => twice > b ? floor + 1 : floor,
                            };
                            Assert.Equal(Math.Clamp(expected, 0, input - 1), nearest[i]);
                        }
                    }
                }
            }
        }
    }

    // The first rows of pictures that ONNX Runtime 1.30 has made twice as large.
    [Fact]
    public void Whole_numbers_are_cut_off_as_ONNX_Runtime_does()
    {
        var op = new ResizeOperator(ResizeMode.Linear, 1, 14, 1, 2, CoordinateMode.HalfPixel);
        byte[] x = [108, 235, 184, 191, 100, 106, 237];
        int[] expected = [108, 139, 203, 222, 196, 185, 189, 168, 122, 101, 104, 138, 204, 237];
        Assert.Equal(expected, MovedElements.Run(op, TensorData.Create(x, 1, 1, 7, 1))[0].Span<byte>().ToArray().Select(b => (int)b));
        var signed = Array.ConvertAll(x, b => (sbyte)(b - 128));
        var wide = Array.ConvertAll(signed, b => (int)b);
        var small = MovedElements.Run(op, TensorData.Create(signed, 1, 1, 7, 1))[0].Span<sbyte>().ToArray().Select(b => (int)b).ToArray();
        Assert.Equal(small, MovedElements.Run(op, TensorData.Create(wide, 1, 1, 7, 1))[0].Span<int>().ToArray());
        Assert.Equal(-20, small[0]);
        Assert.Equal(11, small[1]);
        Assert.Equal(75, small[2]);
    }

    [Fact]
    public void Nearest_takes_any_element_type()
    {
        foreach (var element in MovedElements.Sizes)
        {
            var x = MovedElements.Random(new Random(1), element, 2, 3, 4, 3);
            var expected = MovedElements.Expected(x, [2, 6, 12, 3], at => [at[0], at[1] / 2, at[2] / 3, at[3]]);
            var y = MovedElements.Run(
                new ResizeOperator(ResizeMode.Nearest, 6, 12, null, null, CoordinateMode.Asymmetric, NearestRounding.Floor), x)[0];
            MovedElements.Check(y, [2, 6, 12, 3], expected, $"{element}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(17)]
    [InlineData(40)]
    public unsafe void Every_width_gives_the_same_sums(int channels)
    {
        var taps = new ResizeAxis(9, 4, null, CoordinateMode.HalfPixel).Weighted(new(ResizeMode.Linear, true, true));
        var (input, weights) = (RandomData.Floats(9 * channels, channels), taps.Weights());
        fixed (int* first = taps.First, begin = taps.Begin)
        fixed (float* source = input, w = weights)
        {
            var axis = new ResizeRows.Axis { Length = 4, First = first, Begin = begin, Weights = w };
            foreach (var width in SimdWidths.All)
            {
                var (pixels, row) = (new float[4 * channels], new float[channels]);
                fixed (float* p = pixels)
                    ResizeRows.SumPixels(source, channels, axis, p, width);
                for (var i = 0; i < 4; i++)
                {
                    fixed (float* r = row)
                        ResizeRows.SumRows(source, channels, axis, i, r, width);
                    for (var c = 0; c < channels; c++)
                    {
                        double expected = 0;
                        for (var k = begin[i]; k < begin[i + 1]; k++)
                            expected += (double)input[((first[i] + k - begin[i]) * channels) + c] * weights[k];
                        Assert.Equal(expected, row[c], 1e-6);
                        Assert.Equal(expected, pixels[(i * channels) + c], 1e-6);
                    }
                }
            }
        }
    }

    [Fact]
    public void Large_images_resize_the_same_with_any_number_of_threads()
    {
        var x = TensorData.Create(RandomData.Floats(2 * 60 * 50 * 24, 1), 2, 60, 50, 24);
        MovedElements.Run(new ResizeOperator(ResizeMode.Linear, 121, 99, null, null, CoordinateMode.HalfPixel), x);
        MovedElements.Run(
            new ResizeOperator(ResizeMode.Linear, 21, 13, null, null, CoordinateMode.HalfPixel, kernel: new(ResizeMode.Linear, true, true)),
            x);
        MovedElements.Run(new ResizeOperator(ResizeMode.Nearest, 121, 99, null, null, CoordinateMode.HalfPixel), x);
    }

    [Fact]
    public void What_does_not_fit_is_refused_with_numbers()
    {
        var x = TensorData.Create(new float[24], 1, 4, 6, 1);
        static ResizeOperator Linear(int height, float? scale) => new(ResizeMode.Linear, height, 6, scale, 1, CoordinateMode.HalfPixel);
        Assert.Contains("from 4 to 0 rows", MovedElements.Refusal(Linear(0, null), x));
        Assert.Contains("A scale of 3 was given for 4 rows that become 8; expected about 2.", MovedElements.Refusal(Linear(8, 3), x));
        MovedElements.Refusal(Linear(1, 1e-30f), x);
        MovedElements.Refusal(Linear(1, float.NaN), x);
        MovedElements.Refusal(Linear(1, float.PositiveInfinity), x);
        var wide = TensorData.Create(new double[24], 1, 4, 6, 1);
        Assert.Contains("a linear resize takes float32 or integers", MovedElements.Refusal(Linear(8, 2), wide));
        var cubic = new ResizeOperator(ResizeMode.Cubic, 8, 6, 2, 1, default);
        Assert.Contains("a cubic resize takes float32", MovedElements.Refusal(cubic, wide));
        Assert.Contains("expected 4 dimensions", MovedElements.Refusal(Linear(8, 2), TensorData.Create(new float[24], 4, 6, 1)));
    }

    private static double Place(CoordinateMode mode, int i, int input, double scale, int output) => mode switch
    {
        CoordinateMode.AlignCorners => output == 1 ? 0 : i * (input - 1) / ((scale * input) - 1),
        CoordinateMode.Asymmetric => i / scale,
        CoordinateMode.PytorchHalfPixel when output == 1 => 0,
        CoordinateMode.HalfPixelSymmetric => (input / 2.0 * (1 - (output / (scale * input)))) + ((i + 0.5) / scale) - 0.5,
        CoordinateMode.TfHalfPixelForNearest => (i + 0.5) / scale,
        _ => ((i + 0.5) / scale) - 0.5,
    };

    // The first numbers of the result.
    private static void Near(float[] expected, TensorData x, ResizeOperator op)
    {
        var y = MovedElements.Run(op, x)[0].Span<float>();
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], y[i], 1e-5f);
    }
}
