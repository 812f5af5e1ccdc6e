using System.Numerics.Tensors;
using SeparableConv.Loops;
using SeparableConv.Tests.Filtering;

namespace SeparableConv.Tests.Loops.Filters;

/// <summary>Filters whose taps mirror, which are summed in pairs.</summary>
public class MirrorTests
{
    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    [Fact]
    public void Mirrors_are_told_apart()
    {
        Assert.Equal(Mirror.Even, Mirrors.Of([1, 2, 3, 4, 4, 3, 2, 1]));
        Assert.Equal(Mirror.Even, Mirrors.Of([1, 2, 3, 4, -5, 4, 3, 2, 1]));
        Assert.Equal(Mirror.Odd, Mirrors.Of([1, 2, 3, 4, -4, -3, -2, -1]));
        Assert.Equal(Mirror.None, Mirrors.Of([1, 2, 3, 4, 5, -4, -3, -2, -1]));
        Assert.Equal(Mirror.None, Mirrors.Of([1, 2, 3, 4, 4, 3, 2, 2]));
        Assert.Equal(Mirror.None, Mirrors.Of([1, 2, 1]));
    }

    // Chunks of eight pairs, and what is left of one; zeros in the middle, and elsewhere.
    [Theory]
    [MemberData(nameof(Widths))]
    public void Mirrored_taps_match_reference(int width)
    {
        foreach (var type in FilterCases.Types)
        {
            foreach (var taps in new[] { 8, 9, 15, 16, 17, 19, 31, 37 })
            {
                foreach (var (oddColumn, oddRow, hole) in new[] { (false, false, 0), (true, false, 0), (false, true, 0), (true, true, 2) })
                {
                    var kernel = Kernel(taps, oddColumn, oddRow, hole);
                    var options = new FilterOptions { Threads = 1, Plan = FilterPlanChoice.Separable };
                    new FilterCase(new ImageShape(11, 67, 1, type), kernel, options, (SimdWidth)width, taps).Check();
                    new FilterCase(new ImageShape(6, 43, 3, type), kernel, options, (SimdWidth)width, taps).Check();
                    new FilterCase(new ImageShape(5, 3, 1, type), kernel, options, (SimdWidth)width, taps).Check();
                }
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Every_width_gives_the_same_bits(int channels)
    {
        var shape = new ImageShape(23, 211, channels, ElementType.Float32);
        foreach (var taps in new[] { 9, 15, 20, 31 })
        {
            foreach (var isOdd in new[] { false, true })
            {
                var options = new FilterOptions { Threads = 1, Plan = FilterPlanChoice.Separable, FilterAlpha = true };
                var filter = new FilterCase(shape, Kernel(taps, isOdd, isOdd, 0), options, SimdWidth.V256, taps);
                Assert.Equal(filter.Filter<float, float>(), (filter with { Width = SimdWidth.V512 }).Filter<float, float>());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void A_region_has_the_bits_of_the_whole(int width)
    {
        var shape = new ImageShape(19, 150, 3, ElementType.Float32);
        var kernel = Kernel(15, isOddColumn: true, isOddRow: false, 0);
        var plan = FilterPlan.Create(kernel, shape, new FilterOptions { Threads = 1, Plan = FilterPlanChoice.Separable });
        var filter = new ImageFilter(plan, (SimdWidth)width);
        var input = FilterCase.Pixels<float>(shape, 3);
        var whole = new float[input.Length];
        var x = new ReadOnlyTensorSpan<float>(input, [19, 150, 3]);
        filter.Run(x, new TensorSpan<float>(whole, [19, 150, 3]));
        foreach (var region in new ImageRegion[] { new(0, 0, 150, 3), new(1, 7, 149, 5), new(70, 2, 5, 16), new(149, 18, 1, 1) })
        {
            var part = new float[region.Height * region.Width * 3];
            filter.Run(x, region, new TensorSpan<float>(part, [region.Height, region.Width, 3]));
            for (var i = 0; i < region.Height; i++)
            {
                var first = (((region.Top + i) * 150) + region.Left) * 3;
                Assert.Equal(whole[first..(first + (region.Width * 3))], part[(i * region.Width * 3)..((i + 1) * region.Width * 3)]);
            }
        }
    }

    private static FilterKernel Kernel(int taps, bool isOddColumn, bool isOddRow, int hole) =>
        FilterKernel.OuterProduct(Factor(taps, isOddColumn, hole, 1), Factor(taps, isOddRow, hole, 2));

    // The absolute values sum to 1.
    private static double[] Factor(int taps, bool isOdd, int hole, int seed)
    {
        var random = new Random(seed + taps);
        var factor = new double[taps];
        for (var i = 0; i < (taps + 1) / 2; i++)
        {
            var value = hole != 0 && i == hole ? 0 : 0.25 + random.NextDouble();
            (factor[i], factor[taps - 1 - i]) = (value, isOdd ? -value : value);
        }

        if (isOdd && taps % 2 != 0)
            factor[taps / 2] = 0;
        var sum = factor.Sum(Math.Abs);
        return Array.ConvertAll(factor, f => f / sum);
    }
}
