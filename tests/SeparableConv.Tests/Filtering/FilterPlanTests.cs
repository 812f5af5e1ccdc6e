using SeparableConv.Loops;

namespace SeparableConv.Tests.Filtering;

public class FilterPlanTests
{
    private static readonly ImageShape Picture = new(1080, 1920, 3, ElementType.UInt8);
    private static readonly FilterKernel RankTwo = new([0.0, 1, 0, 0, -4, 5, 0, 1, 0], 3, 3);

    [Fact]
    public void A_large_separable_kernel_is_run_separably()
    {
        var plan = FilterPlan.Create(FilterKernel.OuterProduct(Ramp(15), Ramp(15)), Picture);
        Assert.Equal(FilterPlanKind.Separable, plan.Kind);
        Assert.Equal(1, plan.Rank);
        Assert.Equal(30, plan.MultiplicationsPerPixel);
        Assert.Equal(0, plan.ErrorBound);
        Assert.Contains("cheapest", plan.Reason, StringComparison.Ordinal);
        Assert.Contains("dense (225 multiplications)", plan.Reason, StringComparison.Ordinal);
        Assert.True(plan.Alternatives[0].EstimatedNanosecondsPerPixel <= plan.Alternatives[1].EstimatedNanosecondsPerPixel);
    }

    [Fact]
    public void A_kernel_of_full_rank_is_run_dense()
    {
        var random = new Random(2);
        double[] values = [.. Enumerable.Range(0, 25).Select(_ => random.NextDouble())];
        var plan = FilterPlan.Create(new FilterKernel(values.AsSpan(), 5, 5), Picture);
        Assert.Equal(FilterPlanKind.Dense, plan.Kind);
        Assert.Null(plan.Separable);
    }

    [Fact]
    public void An_error_bound_lets_terms_be_dropped_and_the_bound_is_kept()
    {
        var kernel = AlmostSeparable();
        Assert.Equal(2, FilterPlan.Create(kernel, Picture, new() { Plan = FilterPlanChoice.OfRank(2) }).Rank);
        var plan = FilterPlan.Create(kernel, Picture, new() { MaxError = 0.25 });
        Assert.Equal(1, plan.Rank);
        Assert.InRange(plan.ErrorBound, 1e-9, 0.25);
        Assert.Contains("dropping terms", plan.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_that_is_named_is_taken()
    {
        Assert.Equal(FilterPlanKind.Dense, FilterPlan.Create(AlmostSeparable(), Picture, new() { Plan = FilterPlanChoice.Dense }).Kind);
        var approximate = FilterPlan.Create(RankTwo, Picture, new() { Plan = FilterPlanChoice.OfRank(1) });
        Assert.Equal(1, approximate.Rank);
        Assert.True(approximate.ErrorBound > 0);
        Assert.Equal(2, FilterPlan.Create(RankTwo, Picture, new() { Plan = FilterPlanChoice.OfRank(3) }).Rank);
    }

    [Fact]
    public void Separable_is_refused_for_rank_two_with_the_remedy()
    {
        var failure = Assert.Throws<ArgumentException>(
            () => FilterPlan.Create(RankTwo, Picture, new() { Plan = FilterPlanChoice.Separable }));
        Assert.Contains("rank 2", failure.Message, StringComparison.Ordinal);
        Assert.Contains("rank:2", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_zero_kernel_is_planned()
    {
        var zero = new FilterKernel(new double[9].AsSpan(), 3, 3);
        foreach (var choice in new[] { FilterPlanChoice.Auto, FilterPlanChoice.Dense, FilterPlanChoice.OfRank(1) })
        {
            var filtered = new FilterCase(new(9, 40, 3, ElementType.UInt8), zero, new() { Plan = choice, Offset = 12 }, SimdWidths.Best, 1);
            Assert.All(filtered.Filter<byte, byte>(), pixel => Assert.Equal(12, pixel));
        }
    }

    [Theory]
    [InlineData("auto", null, 0)]
    [InlineData("dense", FilterPlanKind.Dense, 0)]
    [InlineData("Separable", FilterPlanKind.Separable, 0)]
    [InlineData("rank:12", FilterPlanKind.RankR, 12)]
    public void Choices_are_read_and_written(string text, FilterPlanKind? kind, int rank)
    {
        var choice = FilterPlanChoice.Parse(text);
        Assert.Equal(new FilterPlanChoice(kind, rank), choice);
        Assert.Equal(text.ToLowerInvariant(), choice.ToString());
    }

    [Theory]
    [InlineData("fast")]
    [InlineData("rank:0")]
    [InlineData("rank:")]
    public void Unknown_choices_are_refused(string text)
    {
        var failure = Assert.Throws<FormatException>(() => FilterPlanChoice.Parse(text));
        Assert.Contains(text, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_out_of_range_are_refused_with_numbers()
    {
        Refused(new() { Threads = 0 }, Picture, "0");
        Refused(new() { MaxError = -1 }, Picture, "-1");
        Refused(new() { Scale = double.NaN }, Picture, "NaN");
        Refused(new() { Border = BorderMode.Constant, ConstantValue = 300 }, Picture, "300");
        Refused(new() { Border = BorderMode.Constant, ConstantValue = 0.5 }, Picture, "0.5");
        Refused(new() { Plan = FilterPlanChoice.OfRank(4) }, Picture, "rank:4");
        Refused(new(), Picture with { Channels = 5 }, "5 channels");
        Refused(new(), Picture with { Width = 0 }, "1080x0");
    }

    private static void Refused(FilterOptions options, ImageShape shape, string mentioned)
    {
        var failure = Assert.Throws<ArgumentException>(() => FilterPlan.Create(RankTwo, shape, options));
        Assert.Contains(mentioned, failure.Message, StringComparison.Ordinal);
    }

    private static double[] Ramp(int length) => [.. Enumerable.Range(1, length).Select(i => (double)i / length / length)];

    private static FilterKernel AlmostSeparable()
    {
        var values = FilterKernel.OuterProduct(Ramp(9), Ramp(9)).Values.ToArray();
        values[40] += 1e-4;
        return new FilterKernel(values.AsSpan(), 9, 9);
    }
}
