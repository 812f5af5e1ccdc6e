using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Tests;

/// <summary>The public door of gradients; the loops behind it are compared with the reference by themselves.</summary>
[Collection(QuietCollection.Name)]
public sealed class ConvolutionGradientTests
{
    [Fact]
    public void Every_kind_gives_the_reference_s_gradients() =>
        Geometries.Check(Geometries.Any, 60, g =>
        {
            var options = new ConvOptions
            {
                Stride = (g.Rows.Stride, g.Columns.Stride),
                Dilation = (g.Rows.Dilation, g.Columns.Dilation),
                Padding = Padding.Explicit(g.Rows.PadBefore, g.Rows.PadAfter, g.Columns.PadBefore, g.Columns.PadAfter),
                Groups = g.Groups,
            };
            Compare(g, ConvolutionGradient.Standard(Input(g), Weights(g), options), Weights(g));
        });

    [Fact]
    public void Depthwise_gives_the_reference_s_gradients()
    {
        var g = ConvGeometry.Create(2, (9, 7), 5, 10, 3, (2, 1), 1, Padding.Same, 5);
        nint[] weights = [3, 3, 5, 2];
        Compare(g, ConvolutionGradient.Depthwise(Input(g), weights, new() { Stride = (2, 1), Padding = Padding.Same }), weights);
    }

    [Fact]
    public void What_does_not_fit_is_refused_with_numbers()
    {
        Refused("for 4", () => ConvolutionGradient.Standard([1, 8, 8, 3], [3, 3, 4, 8]));
        Refused("expected (kH, kW, C, M)", () => ConvolutionGradient.Depthwise([1, 8, 8, 3], [3, 3, 3]));
        Refused("Groups is 3", () => ConvolutionGradient.Depthwise([1, 8, 8, 3], [3, 3, 3, 1], new() { Groups = 3 }));
        Refused("activation", () => ConvolutionGradient.Standard([1, 8, 8, 3], [3, 3, 3, 8], new() { Activation = Activation.ReLU }));
        var gradient = ConvolutionGradient.Standard([1, 8, 8, 3], [3, 3, 3, 8]);
        Assert.Equal([1, 6, 6, 8], gradient.OutputShape);
        var (x, w) = (Tensor.Create<float>(new float[192], [1, 8, 8, 3]), Tensor.Create<float>(new float[216], [3, 3, 3, 8]));
        Refused("output gradient has shape (1, 8, 8, 3); expected (1, 6, 6, 8)", () => gradient.Run(x, w, x));
        var dy = Tensor.Create<float>(new float[288], [1, 6, 6, 8]);
        Refused("overlap", () => gradient.Run(x, w, dy, x.AsTensorSpan(), default));
        Refused("room for 3", () => gradient.Run(x, w, dy, default, default, new float[3]));
    }

    [Fact]
    public void Runs_allocate_nothing()
    {
        var gradient = ConvolutionGradient.Depthwise([2, 9, 9, 24], [3, 3, 24, 1], execution: new() { Threads = 1 });
        var (x, w) = (Tensor.CreateFromShape<float>([2, 9, 9, 24]), Tensor.CreateFromShape<float>([3, 3, 24, 1]));
        var dy = Tensor.CreateFromShape<float>([2, 7, 7, 24]);
        var (dx, dw, db) = (Tensor.CreateFromShape<float>([2, 9, 9, 24]), Tensor.CreateFromShape<float>([3, 3, 24, 1]), new float[24]);
        Allocations.AreNone(("gradients", () => gradient.Run(x, w, dy, dx.AsTensorSpan(), dw.AsTensorSpan(), db)));
    }

    private static void Refused(string text, Action action) =>
        Assert.Contains(text, Assert.Throws<ArgumentException>(action).Message, StringComparison.Ordinal);

    private static nint[] Input(ConvGeometry g) => [g.Batch, g.Rows.In, g.Columns.In, g.InChannels];

    private static nint[] Weights(ConvGeometry g) => [g.Rows.Kernel, g.Columns.Kernel, g.InChannels / g.Groups, g.OutChannels];

    private static void Compare(ConvGeometry g, ConvolutionGradient gradient, nint[] weightsShape)
    {
        var (input, weights, _) = RandomData.Convolution(g);
        var dy = RandomData.Floats(g.Batch * g.Rows.Out * g.Columns.Out * g.OutChannels, 4);
        var expected = ConvolutionReference.Gradients(g, input, weights, dy);
        var actual = gradient.Run(
            Tensor.Create(input, Input(g)),
            Tensor.Create(weights, weightsShape),
            Tensor.Create(dy, [g.Batch, g.Rows.Out, g.Columns.Out, g.OutChannels]));
        AssertClose(expected.Input, [.. actual.Input]);
        AssertClose(expected.Weights, [.. actual.Weights]);
        for (var o = 0; o < g.OutChannels; o++)
        {
            var sum = dy.Where((_, i) => i % g.OutChannels == o).Sum(value => (double)value);
            Assert.Equal(sum, actual.Bias[o], 1e-4);
        }
    }

    private static void AssertClose(double[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        var scale = expected.Max(Math.Abs) + 1e-30;
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-5 * scale);
    }
}
