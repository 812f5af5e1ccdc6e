using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Standard;

public sealed unsafe class StandardFormsTests
{
    [Theory]
    [InlineData(14, 14, true)]
    [InlineData(5, 5, true)]
    [InlineData(4, 4, false)]
    [InlineData(1, 200, false)]
    public void The_image_chooses_the_form_and_every_form_can_follow_every_other(int height, int width, bool isWinograd)
    {
        var large = ConvGeometry.Create(1, (14, 14), 32, 48, 3, 1, 1, Padding.Same);
        var g = ConvGeometry.Create(1, (height, width), 32, 48, 3, 1, 1, Padding.Same);
        var forms = Create(large, new ConvOptions(), StandardForm.Auto);
        foreach (var geometry in new[] { large, g, large, g })
        {
            var wanted = geometry == large || isWinograd ? StandardForm.Winograd : StandardForm.Direct;
            Assert.Equal(Run(Create(large, new ConvOptions(), wanted), geometry), Run(forms, geometry));
        }

        // The two forms round differently, so that the comparison above can tell them apart.
        Assert.NotEqual(
            Run(Create(large, new ConvOptions(), StandardForm.Direct), g), Run(Create(large, new ConvOptions(), StandardForm.Winograd), g));
    }

    [Fact]
    public void An_image_of_a_batch_gives_the_same_bits_as_alone()
    {
        var one = ConvGeometry.Create(1, (4, 4), 32, 48, 3, 1, 1, Padding.Same);
        var forms = Create(one, new ConvOptions(), StandardForm.Auto);
        var together = Run(forms, one with { Batch = 9 });
        var alone = Run(forms, one);
        Assert.Equal(alone, together.AsSpan(0, alone.Length));
    }

    [Fact]
    public void Threads_that_run_a_new_convolution_at_once_all_get_its_result()
    {
        var small = ConvGeometry.Create(1, (4, 4), 32, 48, 3, 1, 1, Padding.Same);
        var large = small with { Rows = new(14, 14, 3, 1, 1, 1, 1), Columns = new(14, 14, 3, 1, 1, 1, 1) };
        var expected = new[] { small, large }.Select(g => Run(Create(g, new ConvOptions(), StandardForm.Auto), g)).ToArray();
        for (var round = 0; round < 10; round++)
        {
            var forms = Create(small, new ConvOptions(), StandardForm.Auto);
            Parallel.For(0, 8, i => Assert.Equal(expected[i % 2], Run(forms, i % 2 == 0 ? small : large)));
        }
    }

    [Fact]
    public void Conv2D_takes_the_direct_form_where_it_is_told_to()
    {
        var g = ConvGeometry.Create(1, (14, 14), 32, 48, 3, 1, 1, Padding.Same);
        var input = ConvolutionTests.Tensor(RandomData.Convolution(g).Input, 1, 14, 14, 32);
        var weights = ConvolutionTests.Tensor(RandomData.Convolution(g).Weights, 3, 3, 32, 48);
        foreach (var isWinograd in new[] { true, false })
        {
            var conv = new Conv2D(
                weights, RandomData.Convolution(g).Bias, new() { Padding = Padding.Same }, new() { Winograd = isWinograd });
            var form = isWinograd ? StandardForm.Winograd : StandardForm.Direct;
            Assert.Equal(Run(Create(g, new ConvOptions(), form), g), ConvolutionTests.Values(conv.Run(input)));
        }
    }

    [Fact]
    public void Conv2D_with_stride_or_dilation_is_direct()
    {
        var g = ConvGeometry.Create(1, (14, 14), 32, 48, 3, 1, 1, Padding.Same);
        foreach (var options in new[] { new ConvOptions { Stride = 2 }, new ConvOptions { Dilation = 2 } })
        {
            var other = ConvGeometry.Create(1, (14, 14), 32, 48, 3, options.Stride, options.Dilation, Padding.Same);
            Assert.Equal(Run(Create(g, options, StandardForm.Direct), other), Run(Create(g, options, StandardForm.Auto), other));
        }
    }

    private static StandardForms Create(ConvGeometry g, ConvOptions options, StandardForm form)
    {
        var (_, weights, bias) = RandomData.Convolution(g);
        return new StandardForms(weights, 3, g.InChannels, g.OutChannels, options, bias, SimdWidths.Best, form);
    }

    private static float[] Run(StandardForms forms, ConvGeometry g)
    {
        var output = RandomData.Unwritten(g.Batch * g.Rows.Out * g.Columns.Out * g.OutChannels);
        fixed (float* x = RandomData.Convolution(g).Input, y = output)
            forms.Run(x, y, g, 1);
        return output;
    }
}
