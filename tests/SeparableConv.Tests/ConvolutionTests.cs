using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Tests;

/// <summary>Every form of convolution, through its public class, beside the plain loops.</summary>
public sealed class ConvolutionTests
{
    [Fact]
    public void Conv2D_matches_reference_with_groups_strides_dilations_and_padding() =>
        ForAnyGeometry(g =>
        {
            var weights = RandomData.Floats(g.Kernel.Height * g.Kernel.Width * (g.InChannels / g.Groups) * g.OutChannels, 2);
            var bias = RandomData.Floats(g.OutChannels, 3);
            var conv = new Conv2D(
                Tensor(weights, g.Kernel.Height, g.Kernel.Width, g.InChannels / g.Groups, g.OutChannels), bias, Options(g, g.Groups));
            CheckAgainstReference(conv, g, weights, bias);
        });

    [Fact]
    public void Conv2D_with_a_group_a_channel_is_depthwise()
    {
        foreach (var multiplier in new[] { 1, 2, 3 })
        {
            var g = ConvGeometry.Create(2, (7, 9), 6, 6 * multiplier, 3, 2, 1, Padding.Same, 6);
            var weights = RandomData.Floats(9 * g.OutChannels, 2);
            var conv = new Conv2D(Tensor(weights, 3, 3, 1, g.OutChannels), default, Options(g, 6));
            CheckAgainstReference(conv, g, weights, []);
        }
    }

    [Fact]
    public void DepthwiseConv2D_matches_reference() =>
        ForAnyGeometry(any =>
        {
            var multiplier = 1 + (any.OutChannels % 3);
            var g = any with { Groups = any.InChannels, OutChannels = any.InChannels * multiplier };
            var weights = RandomData.Floats(g.Kernel.Height * g.Kernel.Width * g.OutChannels, 2);
            var bias = RandomData.Floats(g.OutChannels, 3);
            var conv = new DepthwiseConv2D(Tensor(weights, g.Kernel.Height, g.Kernel.Width, g.InChannels, multiplier), bias, Options(g, 1));
            CheckAgainstReference(conv, g, weights, bias);
        });

    [Fact]
    public void SeparableConv2D_is_depthwise_then_pointwise_and_fusing_does_not_change_a_bit() =>
        ForAnyGeometry(any =>
        {
            var multiplier = 1 + (any.OutChannels % 3);
            var expanded = any.InChannels * multiplier;
            var depthwise = Tensor(
                RandomData.Floats(any.Kernel.Height * any.Kernel.Width * expanded, 2),
                any.Kernel.Height,
                any.Kernel.Width,
                any.InChannels,
                multiplier);
            var pointwise = Tensor(RandomData.Floats(expanded * any.OutChannels, 4), 1, 1, expanded, any.OutChannels);
            var bias = RandomData.Floats(any.OutChannels, 3);
            var input = Input(any);

            var options = Options(any, 1) with { Activation = Activation.ReLU6 };
            var steps = new PointwiseConv2D(pointwise, bias, new() { Activation = Activation.ReLU6 })
                .Run(new DepthwiseConv2D(depthwise, default, Options(any, 1)).Run(input));
            var fused = new SeparableConv2D(depthwise, pointwise, bias, options).Run(input);
            var unfused = new SeparableConv2D(depthwise, pointwise, bias, options) { Fused = false }.Run(input);
            Assert.Equal(Values(steps), Values(fused));
            Assert.Equal(Values(steps), Values(unfused));
            foreach (var threads in new[] { 2, 7 })
                Assert.Equal(
                    Values(fused),
                    Values(new SeparableConv2D(depthwise, pointwise, bias, options, new() { Threads = threads }).Run(input)));
        });

    [Fact]
    public void Spatially_separable_per_channel_is_the_convolution_with_the_products_of_its_factors() =>
        ForAnyGeometry(any =>
        {
            var channels = any.InChannels;
            var column = RandomData.Floats(any.Kernel.Height * channels, 2);
            var row = RandomData.Floats(any.Kernel.Width * channels, 3);
            var bias = RandomData.Floats(channels, 5);
            var conv = SpatiallySeparableConv2D.PerChannel(
                Tensor(column, any.Kernel.Height, channels), Tensor(row, any.Kernel.Width, channels), bias, Options(any, 1));

            var weights = new float[any.Kernel.Height * any.Kernel.Width * channels];
            for (var u = 0; u < any.Kernel.Height; u++)
            {
                for (var v = 0; v < any.Kernel.Width; v++)
                {
                    for (var c = 0; c < channels; c++)
                        weights[(((u * any.Kernel.Width) + v) * channels) + c] = column[(u * channels) + c] * row[(v * channels) + c];
                }
            }

            CheckAgainstReference(conv, any with { Groups = channels, OutChannels = channels }, weights, bias, extraTerms: 4);
        });

    [Fact]
    public void Spatially_separable_across_channels_is_the_convolution_with_the_products_of_its_factors() =>
        ForAnyGeometry(any =>
        {
            const int rank = 5;
            var (kernel, channels, filters) = (any.Kernel, any.InChannels, any.OutChannels);
            var vertical = RandomData.Floats(kernel.Height * channels * rank, 2);
            var horizontal = RandomData.Floats(kernel.Width * rank * filters, 3);
            var conv = SpatiallySeparableConv2D.AcrossChannels(
                Tensor(vertical, kernel.Height, 1, channels, rank), Tensor(horizontal, 1, kernel.Width, rank, filters), default,
                Options(any, 1));

            // The terms of a sum of products cancel: the error scales with the products of magnitudes, so these are convolved too.
            var g = any with { Groups = 1 };
            var expected = ConvolutionReference.Run(g, Values(Input(g)), Products(vertical, horizontal, x => x), [], []);
            var magnitudes = new double[expected.Length];
            _ = ConvolutionReference.Run(g, Values(Input(g)), Products(vertical, horizontal, MathF.Abs), [], magnitudes);
            ErrorBound.Check(
                expected, magnitudes, Values(conv.Run(Input(g))), (kernel.Height * channels) + (kernel.Width * rank) + 8, g.ToString());

            float[] Products(float[] a, float[] b, Func<float, float> f)
            {
                var weights = new float[kernel.Height * kernel.Width * channels * filters];
                for (var u = 0; u < kernel.Height; u++)
                {
                    for (var v = 0; v < kernel.Width; v++)
                    {
                        for (var c = 0; c < channels; c++)
                        {
                            for (var o = 0; o < filters; o++)
                            {
                                var sum = 0.0;
                                for (var r = 0; r < rank; r++)
                                    sum += (double)f(a[(((u * channels) + c) * rank) + r]) * f(b[(((v * rank) + r) * filters) + o]);
                                weights[(((((u * kernel.Width) + v) * channels) + c) * filters) + o] = (float)sum;
                            }
                        }
                    }
                }

                return weights;
            }
        });

    [Fact]
    public void Every_form_gives_the_same_bits_on_1_2_and_7_threads() =>
        ForAnyGeometry(
            g =>
            {
                var filters = g.OutChannels / g.Groups * g.Groups;
                var dense = Tensor(
                    RandomData.Floats(g.Kernel.Height * g.Kernel.Width * (g.InChannels / g.Groups) * filters, 2),
                    g.Kernel.Height,
                    g.Kernel.Width,
                    g.InChannels / g.Groups,
                    filters);
                var depthwise = Tensor(
                    RandomData.Floats(g.Kernel.Height * g.Kernel.Width * g.InChannels, 3),
                    g.Kernel.Height,
                    g.Kernel.Width,
                    g.InChannels,
                    1);
                var column = Tensor(RandomData.Floats(g.Kernel.Height * g.InChannels, 4), g.Kernel.Height, g.InChannels);
                var row = Tensor(RandomData.Floats(g.Kernel.Width * g.InChannels, 5), g.Kernel.Width, g.InChannels);
                var input = Input(g);
                foreach (var make in new Func<int, Convolution>[]
                {
                    threads => new Conv2D(dense, default, Options(g, g.Groups), new() { Threads = threads }),
                    threads => new DepthwiseConv2D(depthwise, default, Options(g, 1), new() { Threads = threads }),
                    threads => SpatiallySeparableConv2D.PerChannel(column, row, default, Options(g, 1), new() { Threads = threads }),
                })
                {
                    var alone = Values(make(1).Run(input));
                    Assert.Equal(alone, Values(make(2).Run(input)));
                    Assert.Equal(alone, Values(make(7).Run(input)));
                }
            },
            30);

    [Theory]
    [InlineData(1, int.MaxValue, 1, 2)]
    [InlineData(1, 1, int.MaxValue, 2)]
    [InlineData(3, 1_000_000_000, 1, 0)]
    [InlineData(3, int.MaxValue, 1, 1)]
    [InlineData(3, int.MaxValue, 1, 2)]
    public void Strides_and_dilations_may_be_as_large_as_an_int(int kernel, int stride, int dilation, int padding)
    {
        foreach (var channels in new[] { 3, 32 })
        {
            var g = ConvGeometry.Create(
                1, 4, channels, channels, kernel, stride, dilation, Padding.Explicit(padding, padding, padding, padding));
            var weights = RandomData.Floats(kernel * kernel * channels * channels, 2);
            CheckAgainstReference(new Conv2D(Tensor(weights, kernel, kernel, channels, channels), default, Options(g, 1)), g, weights, []);
            var depthwise = g with { Groups = channels };
            weights = weights[..(kernel * kernel * channels)];
            CheckAgainstReference(
                new DepthwiseConv2D(Tensor(weights, kernel, kernel, channels, 1), default, Options(g, 1)), depthwise, weights, []);
        }
    }

    [Fact]
    public void Large_dilated_kernels_fit_the_smallest_stack()
    {
        const int side = 300;
        var g = ConvGeometry.Create(1, 599, 2, 1, side, 1, 2, Padding.Valid);
        var weights = RandomData.Floats(side * side * 2, 2);
        var conv = new Conv2D(Tensor(weights, side, side, 2, 1), default, Options(g, 1), new() { Threads = 1 });
        Exception? failure = null;
        var thread = new Thread(
            () => failure = Record.Exception(() => CheckAgainstReference(conv, g, weights, [])), maxStackSize: 512 * 1024);
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1025)]
    [InlineData(int.MaxValue)]
    public void A_number_of_threads_that_no_machine_has_is_refused(int threads)
    {
        var error = Assert.Throws<ArgumentException>(() => new Conv2D(Tensor([1f], 1, 1, 1, 1), execution: new() { Threads = threads }));
        Assert.Contains("from 1 to 1024", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_output_too_large_for_a_tensor_is_refused_with_its_shape()
    {
        var conv = new Conv2D(Tensor([1f], 1, 1, 1, 1), default, new() { Padding = Padding.Explicit(0, 99_999, 0, 99_999) });
        var error = Assert.Throws<ArgumentException>(() => conv.Run(Tensor([1f], 1, 1, 1, 1)));
        Assert.Contains("(1, 100000, 100000, 1) has 10000000000 numbers", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_dimension_is_height_1()
    {
        float[] signal = [1, 2, 3, 4, 5];
        var conv = new Conv2D(Tensor([1, 0, -1], 1, 3, 1, 1));
        Assert.Equal([-2f, -2f, -2f], Values(conv.Run(Tensor(signal, 1, 1, 5, 1))));
    }

    [Fact]
    public void The_output_shape_of_the_article()
    {
        var conv = new SeparableConv2D(Tensor(new float[75], 5, 5, 3, 1), Tensor(new float[768], 1, 1, 3, 256));
        Assert.Equal([1, 8, 8, 256], conv.OutputShape([1, 12, 12, 3]));
        var doubled = new DepthwiseConv2D(Tensor(new float[150], 5, 5, 3, 2));
        Assert.Equal([1, 8, 8, 6], doubled.OutputShape([1, 12, 12, 3]));
    }

    internal static Tensor<float> Tensor(float[] values, params nint[] shape) => System.Numerics.Tensors.Tensor.Create(values, shape);

    internal static float[] Values(Tensor<float> tensor)
    {
        var values = new float[tensor.FlattenedLength];
        tensor.FlattenTo(values);
        return values;
    }

    private static Tensor<float> Input(ConvGeometry g) =>
        Tensor(RandomData.Floats(g.Batch * g.Rows.In * g.Columns.In * g.InChannels, 1), g.Batch, g.Rows.In, g.Columns.In, g.InChannels);

    // The padding is given in numbers, as the geometry has it, whatever mode it came from.
    private static ConvOptions Options(ConvGeometry g, int groups) => new()
    {
        Stride = new(g.Rows.Stride, g.Columns.Stride),
        Dilation = new(g.Rows.Dilation, g.Columns.Dilation),
        Padding = Padding.Explicit(g.Rows.PadBefore, g.Rows.PadAfter, g.Columns.PadBefore, g.Columns.PadAfter),
        Groups = groups,
    };

    private static void CheckAgainstReference(Convolution conv, ConvGeometry g, float[] weights, float[] bias, int extraTerms = 0)
    {
        var input = Input(g);
        var magnitudes = new double[g.Batch * g.Rows.Out * g.Columns.Out * g.OutChannels];
        var expected = ConvolutionReference.Run(g, Values(input), weights, bias, magnitudes);
        var terms = (g.Kernel.Height * g.Kernel.Width * g.InChannels / g.Groups) + extraTerms;
        ErrorBound.Check(expected, magnitudes, Values(conv.Run(input)), terms, g.ToString());
    }

    private static void ForAnyGeometry(Action<ConvGeometry> check, int tests = 80) =>
        Geometries.Check(Geometries.Any, tests, check);
}
