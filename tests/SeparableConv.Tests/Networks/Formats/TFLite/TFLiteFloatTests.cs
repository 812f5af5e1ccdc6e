using System.Runtime.InteropServices;
using SeparableConv.Networks.Formats.TFLite;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>The operators of floats without weights, read from hand-made files.</summary>
public class TFLiteFloatTests
{
    [Theory]
    [InlineData("RELU")]
    [InlineData("RELU6")]
    [InlineData("RELU_N1_TO_1")]
    [InlineData("LEAKY_RELU")]
    [InlineData("ELU")]
    [InlineData("LOGISTIC")]
    [InlineData("TANH")]
    [InlineData("HARD_SWISH")]
    public void Functions(string code)
    {
        var x = Array.ConvertAll(RandomData.Floats(60, 1), f => 8 * f);
        var y = Run(Enum.Parse<BuiltinOperator>(code), [3, 4, 5], [(x, [3, 4, 5])], 75, new() { [0] = 0.2f });
        Near(x.Select(v => code switch
        {
            "RELU" => Math.Max(0, v),
            "RELU6" => Math.Clamp(v, 0, 6),
            "RELU_N1_TO_1" => Math.Clamp(v, -1, 1),
            "LEAKY_RELU" => v >= 0 ? v : 0.2f * v,
            "ELU" => v >= 0 ? v : Math.Exp(v) - 1,
            "LOGISTIC" => 1 / (1 + Math.Exp(-v)),
            "TANH" => Math.Tanh(v),
            _ => v * Math.Clamp(v + 3, 0, 6) / 6,
        }), y);
    }

    [Theory]
    [InlineData("ADD", 11, 0)]
    [InlineData("ADD", 11, 3)]
    [InlineData("SUB", 28, 1)]
    [InlineData("MUL", 21, 2)]
    [InlineData("DIV", 29, 0)]
    [InlineData("MAXIMUM", 39, 0)]
    [InlineData("MINIMUM", 39, 0)]
    public void Arithmetic(string code, int optionsType, int activation)
    {
        var (a, b) = (Array.ConvertAll(RandomData.Floats(60, 1), f => 5 * f), RandomData.Floats(5, 2));
        var y = Run(
            Enum.Parse<BuiltinOperator>(code), [3, 4, 5], [(a, [3, 4, 5]), (b, [5])], optionsType, new() { [0] = (byte)activation });
        Near(a.Select((v, i) =>
        {
            double w = b[i % 5];
            var result = code switch
            {
                "ADD" => v + w,
                "SUB" => v - w,
                "MUL" => v * w,
                "DIV" => v / w,
                "MAXIMUM" => Math.Max(v, w),
                _ => Math.Min(v, w),
            };
            return activation switch
            {
                1 => Math.Max(0, result),
                2 => Math.Clamp(result, -1, 1),
                3 => Math.Clamp(result, 0, 6),
                _ => result,
            };
        }), y, 1e-4);
    }

    [Theory]
    [InlineData(1f)]
    [InlineData(0.5f)]
    public void Softmax_with_beta(float beta)
    {
        var x = Array.ConvertAll(RandomData.Floats(20, 1), f => 4 * f);
        var y = Run(BuiltinOperator.SOFTMAX, [4, 5], [(x, [4, 5])], 9, new() { [0] = beta });
        Near(x.Select((v, i) => Math.Exp(beta * v) / x.Skip(i / 5 * 5).Take(5).Sum(w => Math.Exp(beta * w))), y);
    }

    [Theory]
    [InlineData("AVERAGE_POOL_2D")]
    [InlineData("MAX_POOL_2D")]
    public void Pools_count_only_what_is_inside(string code)
    {
        var x = RandomData.Floats(5 * 5 * 2, 1);
        var y = Run(
            Enum.Parse<BuiltinOperator>(code),
            [1, 3, 3, 2],
            [(x, [1, 5, 5, 2])],
            5,
            new() { [0] = (byte)0, [1] = 2, [2] = 2, [3] = 3, [4] = 3, [5] = (byte)1 });
        Near(Enumerable.Range(0, 18).Select(i =>
        {
            var window = new List<float>();
            for (var t = 0; t < 9; t++)
            {
                var (row, column) = ((i / 6 * 2) - 1 + (t / 3), (i / 2 % 3 * 2) - 1 + (t % 3));
                if (row is >= 0 and < 5 && column is >= 0 and < 5)
                    window.Add(x[(((row * 5) + column) * 2) + (i % 2)]);
            }

            return Math.Max(0.0, code[0] == 'A' ? window.Average() : window.Max());
        }), y);
    }

    [Fact]
    public void Quantized_max_pool_with_a_clamp()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [1] };
        file.Tensor(ElementType.Int8, [1, 2, 4, 1], (0.1f, -10));
        file.Tensor(ElementType.Int8, [1, 1, 2, 1], (0.1f, -10));
        file.Operator(BuiltinOperator.MAX_POOL_2D, [0], [1], 5, new() { [0] = (byte)1, [1] = 2, [2] = 2, [3] = 2, [4] = 2, [5] = (byte)3 });
        var y = file.Run([0x80, 0xC0, 100, 5, 0xF0, 0xE0, 90, 3]);
        Assert.Equal([-10, 50], Array.ConvertAll(y, b => (int)(sbyte)b));
    }

    [Fact]
    public void Mean_keeps_dimensions_or_not()
    {
        var x = RandomData.Floats(24, 1);
        foreach (var keeps in new[] { false, true })
        {
            var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
            file.Tensor(ElementType.Float32, [2, 3, 4]);
            file.Constant([-2], [1]);
            file.Tensor(ElementType.Float32, [2, 4]);
            file.Operator(BuiltinOperator.MEAN, [0, 1], [2], 27, new() { [0] = (byte)(keeps ? 1 : 0) });
            Assert.Equal(keeps ? "(2,1,4)" : "(2,4)", file.Read().Outputs[0].Type.Shape.ToString());
            var y = MemoryMarshal.Cast<byte, float>(file.Run(MemoryMarshal.AsBytes<float>(x).ToArray())).ToArray();
            Near(Enumerable.Range(0, 8).Select(i => Enumerable.Range(0, 3).Average(r => (double)x[(i / 4 * 12) + (r * 4) + (i % 4)])), y);
        }
    }

    [Fact]
    public void Arg_max_of_quantized_bytes_takes_the_first_of_equals()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
        file.Tensor(ElementType.Int8, [2, 4], (0.1f, 0));
        file.Constant([-1], []);
        file.Tensor(ElementType.Int32, [2]);
        file.Operator(BuiltinOperator.ARG_MAX, [0, 1], [2], 40, new() { [0] = (byte)2 });
        Assert.Equal([1, 0, 0, 0, 3, 0, 0, 0], file.Run([0x80, 7, 7, 1, 0x80, 0x81, 0xFF, 0]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PRelu_with_slopes_of_channels_and_of_pixels(bool everyPixel)
    {
        var x = RandomData.Floats(24, 1);
        var slopes = RandomData.Floats(everyPixel ? 12 : 4, 2);
        var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
        file.Tensor(ElementType.Float32, [2, 3, 4]);
        file.Constant(slopes, everyPixel ? [3, 4] : [1, 4]);
        file.Tensor(ElementType.Float32, [2, 3, 4]);
        file.Operator(BuiltinOperator.PRELU, [0, 1], [2]);
        var y = MemoryMarshal.Cast<byte, float>(file.Run(MemoryMarshal.AsBytes<float>(x).ToArray())).ToArray();
        Near(x.Select((v, i) => v >= 0 ? v : (double)v * slopes[i % slopes.Length]), y);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Bilinear_resizing(bool align, bool half)
    {
        var x = RandomData.Floats(4 * 3, 1);
        var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
        file.Tensor(ElementType.Float32, [1, 4, 3, 1]);
        file.Constant([7, 5], [2]);
        file.Tensor(ElementType.Float32, [1, 7, 5, 1]);
        file.Operator(BuiltinOperator.RESIZE_BILINEAR, [0, 1], [2], 15, new() { [2] = (byte)(align ? 1 : 0), [3] = (byte)(half ? 1 : 0) });
        var y = MemoryMarshal.Cast<byte, float>(file.Run(MemoryMarshal.AsBytes<float>(x).ToArray())).ToArray();

        double Place(int i, int input, int output) => Math.Clamp(
            align ? i * (input - 1.0) / (output - 1) : half ? ((i + 0.5) * input / output) - 0.5 : i * (double)input / output,
            0,
            input - 1);
        Near(Enumerable.Range(0, 35).Select(i =>
        {
            var (v, u) = (Place(i / 5, 4, 7), Place(i % 5, 3, 5));
            var (top, left) = ((int)v, (int)u);
            double At(int row, int column) => x[(Math.Min(row, 3) * 3) + Math.Min(column, 2)];
            var (down, across) = (v - top, u - left);
            return (At(top, left) * (1 - down) * (1 - across)) + (At(top + 1, left) * down * (1 - across))
                + (At(top, left + 1) * (1 - down) * across) + (At(top + 1, left + 1) * down * across);
        }), y);
    }

    private static float[] Run(
        BuiltinOperator code, int[] output, (float[] Values, int[] Shape)[] inputs, int optionsType, FlatRecord options)
    {
        var file = new TFLiteFile { Inputs = [.. Enumerable.Range(0, inputs.Length)], Outputs = [inputs.Length] };
        foreach (var (_, shape) in inputs)
            file.Tensor(ElementType.Float32, shape);
        file.Tensor(ElementType.Float32, output);
        file.Operator(code, file.Inputs, file.Outputs, optionsType, options);
        Assert.Equal(new TensorShape(output), file.Read().Outputs[0].Type.Shape);
        return MemoryMarshal.Cast<byte, float>(file.Run(
            Array.ConvertAll(inputs, input => MemoryMarshal.AsBytes<float>(input.Values).ToArray()))).ToArray();
    }

    private static void Near(IEnumerable<double> expected, float[] actual, double within = 1e-6)
    {
        var all = expected.ToArray();
        Assert.Equal(all.Length, actual.Length);
        for (var i = 0; i < all.Length; i++)
            Assert.InRange(actual[i], all[i] - within, all[i] + within);
    }
}
