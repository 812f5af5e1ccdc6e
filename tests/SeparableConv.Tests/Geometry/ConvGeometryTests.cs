namespace SeparableConv.Tests.Geometry;

public sealed class ConvGeometryTests
{
    [Theory]
    [InlineData(224, 3, 2, 1, 112, 0, 1)]
    [InlineData(224, 3, 1, 1, 224, 1, 1)]
    [InlineData(5, 2, 1, 1, 5, 0, 1)]
    [InlineData(7, 3, 3, 1, 3, 1, 1)]
    [InlineData(10, 3, 2, 2, 5, 1, 2)]
    [InlineData(4, 1, 3, 1, 2, 0, 0)]
    [InlineData(3, 7, 1, 1, 3, 3, 3)]
    public void Same_puts_the_odd_one_after(int input, int kernel, int stride, int dilation, int output, int before, int after)
    {
        var rows = Create(input, kernel, stride, dilation, Padding.Same).Rows;
        Assert.Equal((output, before, after), (rows.Out, rows.PadBefore, rows.PadAfter));
    }

    [Fact]
    public void Same_lower_puts_the_odd_one_before()
    {
        var rows = Create(224, 3, 2, 1, Padding.SameLower).Rows;
        Assert.Equal((112, 1, 0), (rows.Out, rows.PadBefore, rows.PadAfter));
    }

    [Theory]
    [InlineData(12, 5, 1, 1, 8)]
    [InlineData(10, 3, 2, 2, 3)]
    [InlineData(5, 5, 7, 1, 1)]
    public void Valid_counts_whole_kernels(int input, int kernel, int stride, int dilation, int output) =>
        Assert.Equal(output, Create(input, kernel, stride, dilation, Padding.Valid).Rows.Out);

    [Fact]
    public void Axes_are_independent()
    {
        var g = ConvGeometry.Create(1, (9, 20), 1, 1, (3, 5), (2, 3), (1, 2), Padding.Explicit(1, 0, 2, 4));
        Assert.Equal(new Size2D(4, 6), g.Output);
    }

    [Theory]
    [InlineData(4, 5, 1, 1, "kernel height 5 is larger than input height 4")]
    [InlineData(4, 3, 1, 2, "it spans 5")]
    [InlineData(0, 3, 1, 1, "height 0")]
    [InlineData(4, 0, 1, 1, "height 0")]
    [InlineData(4, 3, 0, 1, "height 0")]
    [InlineData(4, 3, 1, -1, "height -1")]
    [InlineData(4, 3, 1, int.MaxValue, "too large")]
    public void What_gives_no_output_is_refused_with_the_sizes(int input, int kernel, int stride, int dilation, string message)
    {
        var error = Assert.Throws<ArgumentException>(() => Create(input, kernel, stride, dilation, Padding.Valid));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Groups_divide_both_numbers_of_channels()
    {
        var error = Assert.Throws<ArgumentException>(() => ConvGeometry.Create(1, 5, 6, 8, 3, 1, 1, Padding.Valid, 3));
        Assert.Contains("3 groups do not divide 6 input channels and 8 filters", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Padding.Explicit(1, -1, 0, 0));
    }

    [Fact]
    public void Border_ranges_say_what_the_plain_loop_finds() =>
        Geometries.Check(Geometries.Any, 300, g =>
        {
            foreach (var axis in new[] { g.Rows, g.Columns })
            {
                for (var o = 0; o < axis.Out; o++)
                {
                    var inside = Enumerable.Range(0, axis.Kernel)
                        .Where(t => axis.InputStart(o) + (t * axis.Dilation) is var i && i >= 0 && i < axis.In).ToArray();
                    var (start, end) = axis.Taps(o);
                    Assert.Equal(inside, Enumerable.Range(start, end - start));
                    Assert.Equal(inside.Length == axis.Kernel, o >= axis.InteriorStart && o < axis.InteriorEnd);
                }
            }
        });

    private static ConvGeometry Create(int input, int kernel, int stride, int dilation, Padding padding) =>
        ConvGeometry.Create(1, (input, 1000), 1, 1, (kernel, 1), (stride, 1), (dilation, 1), padding);
}
