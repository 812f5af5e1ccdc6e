using SeparableConv.Loops;
using SeparableConv.Tests.Networks.Operators;

namespace SeparableConv.Tests.Networks.Gradients;

/// <summary>Gradients of activations, of softmax along any axis, and of PReLU whose slopes learn.</summary>
public sealed unsafe class ActivationGradientTests
{
    private static readonly Dictionary<string, (Activation Activation, Func<double, double> Function, float[] Kinks)> Functions = new()
    {
        ["none"] = (Activation.None, x => x, []),
        ["relu"] = (Activation.ReLU, x => Math.Max(0, x), [0]),
        ["relu6"] = (Activation.ReLU6, x => Math.Clamp(x, 0, 6), [0, 6]),
        ["clip"] = (Activation.Clip(-1, 2), x => Math.Clamp(x, -1, 2), [-1, 2]),
        ["leaky"] = (Activation.LeakyReLU(), x => x < 0 ? 0.01f * x : x, [0]),
        ["leaky steep"] = (Activation.LeakyReLU(-2.5f), x => x < 0 ? -2.5 * x : x, [0]),
        ["elu"] = (Activation.ELU(), x => x < 0 ? Math.Exp(x) - 1 : x, [0]),
        ["elu below"] = (Activation.ELU(-0.5f), x => x < 0 ? -0.5 * (Math.Exp(x) - 1) : x, [0]),
        ["hard swish"] = (Activation.HardSwish, x => x * Math.Clamp((x / 6) + 0.5, 0, 1), [-3, 3]),
        ["hard sigmoid"] = (Activation.HardSigmoid(), x => Math.Clamp((0.2f * x) + 0.5, 0, 1), [-2.5f, 2.5f]),
        ["hard sigmoid falling"] = (Activation.HardSigmoid(-0.25f, 0.25f), x => Math.Clamp((-0.25 * x) + 0.25, 0, 1), [1, -3]),
        ["sigmoid"] = (Activation.Sigmoid, x => 1 / (1 + Math.Exp(-x)), []),
        ["tanh"] = (Activation.Tanh, Math.Tanh, []),
        ["gelu"] = (Activation.GELU, x => x * (1 + ErrorFunction.Erf(x * Math.Sqrt(0.5))) / 2, []),
        ["gelu tanh"] = (Activation.GELUTanh, x => x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))) / 2, []),
        ["swish"] = (Activation.Swish(), x => x / (1 + Math.Exp(-x)), []),
        ["swish flat"] = (Activation.Swish(0.3f), x => x / (1 + Math.Exp(-0.3f * x)), []),
        ["mish"] = (Activation.Mish, x => x * Math.Tanh(Math.Log(1 + Math.Exp(x))), []),
        ["one slope"] = (Activation.PReLU([0.3f]), x => x < 0 ? 0.3f * x : x, [0]),
    };

    public static TheoryData<string> Names => [.. Functions.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Activations_have_the_gradients_of_central_differences(string name)
    {
        var (activation, function, kinks) = Functions[name];
        int[][] shapes = [[], [1], [7], [2, 0, 3], [3, 17], [2, 3, 2, 5], [1, 2, 1, 3, 9], [3, 90, 211]];
        foreach (var shape in shapes)
        {
            GradientCheck.Run(
                new ActivationOperator(activation),
                [GradientCheck.Away(1, 8, kinks, shape)],
                x => [Array.ConvertAll(x[0], value => function(value))]);
        }
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(5, 3)]
    [InlineData(9, 19)]
    [InlineData(700, 65)]
    public void Frozen_slopes_are_looked_up_by_channel(int pixels, int channels)
    {
        var slopes = RandomData.Floats(channels, 7);
        GradientCheck.Run(
            new ActivationOperator(Activation.PReLU(slopes)),
            [GradientCheck.Away(1, 2, [0], pixels, channels)],
            x => [[.. x[0].Select((value, i) => value < 0 ? slopes[i % channels] * value : value)]]);
    }

    // PyTorch's choices but for hard-swish; for LeakyReLU, PReLU and ELU the derivative from the left.
    [Fact]
    public void Kinks_have_one_side_s_gradient()
    {
        Check(Activation.ReLU, (0, 0));
        Check(Activation.ReLU6, (0, 0), (6, 0));
        Check(Activation.Clip(-1, 2), (-1, 0), (2, 0));
        Check(Activation.LeakyReLU(0.25f), (0, 0.25f));
        Check(Activation.ELU(0.75f), (0, 0.75f));
        Check(Activation.HardSwish, (-3, 0), (3, 1));
        Check(Activation.HardSigmoid(0.25f), (-2, 0), (2, 0));

        static void Check(Activation activation, params (float At, float Expected)[] kinks)
        {
            foreach (var (at, expected) in kinks)
            {
                // In a vector and in what is left over.
                var x = new float[37];
                Array.Fill(x, at);
                var seed = new float[37];
                Array.Fill(seed, 2f);
                var gradient = GradientCheck.Of(new ActivationOperator(activation), 0, seed, TensorData.Create(x, 37));
                Assert.All(gradient, value => Assert.Equal(2 * expected, value));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Every_width_gives_the_formula(int width)
    {
        (Activation Activation, Func<double, double> Derivative, bool OfOutput)[] cases =
        [
            (Activation.LeakyReLU(0.1f), x => x > 0 ? 1 : 0.1f, false),
            (Activation.ELU(1.5f), x => x > 0 ? 1 : 1.5 * Math.Exp(x), false),
            (Activation.HardSwish, x => x <= -3 ? 0 : x >= 3 ? 1 : (x / 3) + 0.5, false),
            (Activation.HardSigmoid(0.3f), y => y > 0 && y < 1 ? 0.3f : 0, true),
            (Activation.Sigmoid, y => y * (1 - y), true),
            (Activation.Tanh, y => 1 - (y * y), true),
        ];
        foreach (var (activation, derivative, ofOutput) in cases)
        {
            Assert.Equal(ofOutput, activation.GradientReadsOutput);
            foreach (var count in new[] { 1, 3, 4, 8, 15, 16, 17, 67 })
            {
                var value = Array.ConvertAll(RandomData.Floats(count, 3), x => ofOutput ? x : 5 * x);
                var (dy, dx) = (RandomData.Floats(count, 4), RandomData.Unwritten(count + 1));
                fixed (float* dyAt = dy, valueAt = value, dxAt = dx)
                    activation.ApplyGradient(dyAt, valueAt, dxAt, count, 1, (SimdWidth)width);
                for (var i = 0; i < count; i++)
                    Assert.Equal(derivative(value[i]) * dy[i], dx[i], 1e-6);
                Assert.True(float.IsNaN(dx[count]), "it wrote behind the end");

                // In place the numbers are the same.
                fixed (float* dyAt = dy, valueAt = value)
                    activation.ApplyGradient(dyAt, valueAt, dyAt, count, 1, (SimdWidth)width);
                Assert.Equal(dx[..count], dy);
            }
        }
    }

    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(width => (int)width)];

    [Theory]
    [InlineData(new int[0], 1)]
    [InlineData(new[] { 1 }, 1)]
    [InlineData(new[] { 3, 2 }, 2)]
    [InlineData(new[] { 2, 3, 17 }, 17)]
    [InlineData(new[] { 400, 130 }, 130)]
    public void Softmax_of_channels_has_the_gradient_of_central_differences(int[] shape, int channels) => GradientCheck.Run(
        new ActivationOperator(Activation.Softmax),
        [OperatorRun.Floats(1, shape)],
        x => [Softmax(x[0], channels)]);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Softmax_along_any_axis_has_the_gradient_of_central_differences(bool logarithm)
    {
        (int[] Shape, int Axis)[] cases =
        [
            ([4], 0), ([1, 1], 1), ([3, 5], 0), ([3, 5], -1), ([2, 3, 4], 1), ([2, 3, 1, 4, 3], 2), ([2, 150], -1), ([3, 2, 140], 1),
            ([5, 60, 129], 1), ([2, 0], 0),
        ];
        foreach (var (shape, axis) in cases)
            GradientCheck.Run(new SoftmaxOperator(axis, logarithm), [OperatorRun.Floats(2, shape)]);
    }

    [Theory]
    [InlineData(new[] { 4 }, new[] { 4 })]
    [InlineData(new[] { 4 }, new int[0])]
    [InlineData(new[] { 2, 3, 4, 5 }, new[] { 5 })]
    [InlineData(new[] { 2, 3, 4, 5 }, new[] { 3, 1, 1 })]
    [InlineData(new[] { 2, 3, 4, 5 }, new[] { 1, 4, 5 })]
    [InlineData(new[] { 2, 3 }, new[] { 1, 1 })]
    [InlineData(new[] { 3, 100, 100 }, new[] { 100 })]
    public void PReLU_gives_input_and_slopes_their_gradients(int[] shape, int[] slopes)
    {
        var x = GradientCheck.Away(1, 2, [0], shape);
        var slope = OperatorRun.Floats(2, slopes);
        GradientCheck.Run(new PReluOperator(), [x, slope], tolerance: 1e-4);
        Assert.Single(GradientCheck.Run(new PReluOperator(), [x, slope], constant: [1]));
        Assert.Single(GradientCheck.Run(new PReluOperator(), [x, slope], constant: [0], tolerance: 1e-4));
    }

    [Fact]
    public void PReLU_has_at_0_the_gradient_from_the_left()
    {
        var (x, slope) = (TensorData.Create([0f, 1, -1], 3), TensorData.Create([0.25f], 1));
        Assert.Equal([0.5f, 2, 0.5f], GradientCheck.Of(new PReluOperator(), 0, [2, 2, 2], x, slope));
        Assert.Equal([-2f], GradientCheck.Of(new PReluOperator(), 1, [2, 2, 2], x, slope));
    }

    private static double[] Softmax(double[] x, int channels)
    {
        var y = Array.ConvertAll(x, Math.Exp);
        for (var row = 0; row < y.Length; row += channels)
        {
            var sum = y.AsSpan(row, channels).ToArray().Sum();
            for (var c = 0; c < channels; c++)
                y[row + c] /= sum;
        }

        return y;
    }
}
