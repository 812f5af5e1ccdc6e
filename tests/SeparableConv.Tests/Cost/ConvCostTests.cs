namespace SeparableConv.Tests.Cost;

public class ConvCostTests
{
    private static readonly ConvGeometry Article = Geometry((12, 12), 3, 256, 5);

    private static ConvGeometry Geometry(
        Size2D input, int inChannels, int filters, Size2D kernel, Size2D? stride = null, Padding padding = default, int batch = 1) =>
        ConvGeometry.Create(batch, input, inChannels, filters, kernel, stride ?? 1, 1, padding);

    [Fact]
    public void Article_standard_convolution()
    {
        var cost = ConvCost.Standard(Article);
        Assert.Equal(1_228_800, cost.Multiplications);
        Assert.Equal(1_228_800, cost.Macs);
        Assert.Equal(19_200, cost.Parameters);
        Assert.Equal(8 * 8 * 256 * 74, cost.Additions);
        Assert.Equal((new Size2D(8, 8), 256), (cost.Output, cost.OutChannels));
        Assert.Equal(4 * ((12 * 12 * 3) + (8 * 8 * 256) + 19_200), cost.BytesMoved);
        Assert.Equal(4 * ((12 * 12 * 3) + (8 * 8 * 256)), cost.PeakActivationBytes);
    }

    [Fact]
    public void Article_depthwise_separable_convolution()
    {
        var depthwise = ConvCost.Depthwise(Article);
        Assert.Equal(4_800, depthwise.Multiplications);
        Assert.Equal(75, depthwise.Parameters);
        Assert.Equal((new Size2D(8, 8), 3), (depthwise.Output, depthwise.OutChannels));

        var pointwise = ConvCost.Pointwise(Article);
        Assert.Equal(49_152, pointwise.Multiplications);
        Assert.Equal(768, pointwise.Parameters);

        var separable = ConvCost.DepthwiseSeparable(Article);
        Assert.Equal(53_952, separable.Multiplications);
        Assert.Equal(843, separable.Parameters);
        Assert.Equal((new Size2D(8, 8), 256), (separable.Output, separable.OutChannels));
        Assert.Equal(22.775, (double)ConvCost.Standard(Article).Multiplications / separable.Multiplications, 1e-3);
        Assert.Equal(depthwise.BytesMoved + pointwise.BytesMoved, separable.BytesMoved);
        Assert.Equal(pointwise.PeakActivationBytes, separable.PeakActivationBytes);
    }

    [Fact]
    public void Article_depth_multiplier_two_gives_six_channels()
    {
        var cost = ConvCost.Depthwise(Article, 2);
        Assert.Equal((new Size2D(8, 8), 6), (cost.Output, cost.OutChannels));
        Assert.Equal(9_600, cost.Multiplications);
        Assert.Equal(150, cost.Parameters);
        Assert.Equal(9_600 + (64 * 6 * 256), ConvCost.DepthwiseSeparable(Article, 2).Multiplications);
    }

    [Fact]
    public void Fused_block_moves_only_its_ends()
    {
        var halves = ConvCost.DepthwiseSeparable(Article, 1, bias: true);
        var fused = ConvCost.DepthwiseSeparableFused(Article, 1000, 1, bias: true);
        Assert.Equal(halves.Multiplications, fused.Multiplications);
        Assert.Equal(halves.Parameters, fused.Parameters);
        Assert.Equal(843 + 256, fused.Parameters);
        Assert.Equal(halves.BytesMoved - (2 * 4 * 8 * 8 * 3), fused.BytesMoved);
        Assert.Equal((4 * ((12 * 12 * 3) + (8 * 8 * 256))) + 1000, fused.PeakActivationBytes);
    }

    [Fact]
    public void Bias_adds_one_addition_and_one_number_to_each_filter()
    {
        var without = ConvCost.Standard(Article);
        var with = ConvCost.Standard(Article, bias: true);
        Assert.Equal(without.Multiplications, with.Multiplications);
        Assert.Equal(without.Additions + (8 * 8 * 256), with.Additions);
        Assert.Equal((19_200, 256, 19_456), (with.Weights, with.Biases, with.Parameters));
        Assert.Equal(without.BytesMoved + (4 * 256), with.BytesMoved);
    }

    [Fact]
    public void Groups_divide_the_standard_convolution()
    {
        var grouped = ConvGeometry.Create(2, (9, 7), 8, 12, (3, 5), (2, 1), (1, 1), Padding.Same, groups: 4);
        var cost = ConvCost.Standard(grouped);
        Assert.Equal(2L * 5 * 7 * 12 * 3 * 5 * 2, cost.Multiplications);
        Assert.Equal(12 * 3 * 5 * 2, cost.Parameters);

        // One group a channel is the depthwise convolution.
        var depthwise = ConvGeometry.Create(1, (9, 7), 8, 16, 3, 1, 1, Padding.Valid, groups: 8);
        Assert.Equal(ConvCost.Standard(depthwise), ConvCost.Depthwise(depthwise, 2));
    }

    [Fact]
    public void Spatially_separable_per_channel()
    {
        // 20x30x4, 5x3 valid: the column step leaves 16 rows of 30, the row step 28 columns.
        var cost = ConvCost.SpatiallySeparablePerChannel(Geometry((20, 30), 4, 4, (5, 3)));
        Assert.Equal((4 * 16 * 30 * 5) + (4 * 16 * 28 * 3), cost.Multiplications);
        Assert.Equal(4 * (5 + 3), cost.Parameters);
        Assert.Equal((new Size2D(16, 28), 4), (cost.Output, cost.OutChannels));

        var twice = ConvCost.SpatiallySeparablePerChannel(Geometry((20, 30), 4, 4, (5, 3)), rank: 2);
        Assert.Equal(2 * cost.Multiplications, twice.Multiplications);
        Assert.Equal(2 * cost.Parameters, twice.Parameters);
        Assert.Equal(4, twice.OutChannels);
    }

    [Fact]
    public void Spatially_separable_across_channels()
    {
        // R*(C*kH*outH*inW + O*kW*outH*outW)
        var cost = ConvCost.SpatiallySeparableAcrossChannels(Geometry((20, 30), 4, 10, (5, 3), (2, 3), batch: 2), 6);
        Assert.Equal(2L * 6 * ((4 * 5 * 8 * 30) + (10 * 3 * 8 * 10)), cost.Multiplications);
        Assert.Equal(6 * ((4 * 5) + (10 * 3)), cost.Parameters);
        Assert.Equal((new Size2D(8, 10), 10), (cost.Output, cost.OutChannels));
    }

    [Fact]
    public void Filters_count_for_each_pixel()
    {
        Assert.Equal(9, ConvCost.FilterMultiplications(3));
        Assert.Equal(6, ConvCost.FilterMultiplications(3, 1));
        Assert.Equal(225, ConvCost.FilterMultiplications(15));
        Assert.Equal(90, ConvCost.FilterMultiplications(15, 3));
        Assert.Equal(0, ConvCost.FilterMultiplications(15, 0));
    }

    [Fact]
    public void MobileNetV1()
    {
        // Output channels and stride of the 13 depthwise separable blocks, 1.0 at 224.
        (int Filters, int Stride)[] blocks =
        [
            (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2),
            (1024, 1),
        ];
        var first = Geometry((224, 224), 3, 32, 3, 2, Padding.Same);
        var (depthwise, pointwise, standard) = (0L, 0L, ConvCost.Standard(first).Macs);
        var total = ConvCost.Standard(first);
        var normalized = 32L;
        foreach (var (filters, stride) in blocks)
        {
            var block = Geometry(total.Output, total.OutChannels, filters, 3, stride, Padding.Same);
            normalized += block.InChannels + filters;
            depthwise += ConvCost.Depthwise(block).Macs;
            pointwise += ConvCost.Pointwise(block).Macs;
            standard += ConvCost.Standard(block).Macs;
            total = total.Then(ConvCost.DepthwiseSeparable(block));
        }

        Assert.Equal((new Size2D(7, 7), 1024), (total.Output, total.OutChannels));
        var classifier = ConvCost.Pointwise(Geometry((1, 1), 1024, 1000, 1), bias: true);
        Assert.Equal(1_024_000, classifier.Macs);
        standard += classifier.Macs;
        total = total.Then(classifier);

        Assert.Equal(568_740_352, total.Macs);
        Assert.Equal(4_867_293_184, standard);

        // Keras counts four numbers a normalized channel: scale, shift, moving mean and variance.
        Assert.Equal(4_253_864, total.Parameters + (4 * normalized));
        Assert.Equal(0.9486, (double)pointwise / total.Macs, 5e-5);
        Assert.Equal(0.0306, (double)depthwise / total.Macs, 5e-5);
    }

    [Fact]
    public void Counts_that_overflow_throw()
    {
        var huge = Geometry((100_000, 100_000), 1_000_000, 1_000_000, 1);
        Assert.Throws<OverflowException>(() => ConvCost.Standard(huge));
        Assert.Throws<OverflowException>(() => ConvCost.Depthwise(Article, int.MaxValue));
    }

    [Fact]
    public void Faults_are_refused_with_the_numbers()
    {
        Assert.Contains("multiplier is 0", Assert.Throws<ArgumentException>(() => ConvCost.Depthwise(Article, 0)).Message);
        Assert.Contains("multiplier is -1", Assert.Throws<ArgumentException>(() => ConvCost.DepthwiseSeparable(Article, -1)).Message);
        Assert.Contains("-5 bytes", Assert.Throws<ArgumentException>(() => ConvCost.DepthwiseSeparableFused(Article, -5)).Message);
        Assert.Contains("rank is 0", Assert.Throws<ArgumentException>(() => ConvCost.SpatiallySeparableAcrossChannels(Article, 0)).Message);
        Assert.Contains("rank is 0", Assert.Throws<ArgumentException>(() => ConvCost.SpatiallySeparablePerChannel(Article, 0)).Message);
        Assert.Contains("0x3", Assert.Throws<ArgumentException>(() => ConvCost.FilterMultiplications((0, 3))).Message);
        Assert.Contains("rank is -1", Assert.Throws<ArgumentException>(() => ConvCost.FilterMultiplications(3, -1)).Message);
    }
}
