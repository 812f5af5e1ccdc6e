using FsCheck;
using FsCheck.Fluent;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Filtering;

public class FilterProperties
{
    private const int Cases = 250;

    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Dense_matches_reference(int width) => CheckAll((SimdWidth)width, 9, FilterPlanChoice.Dense);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Separable_matches_reference(int width) => CheckAll((SimdWidth)width, 1, FilterPlanChoice.Separable);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Rank_r_matches_reference(int width) => CheckAll((SimdWidth)width, 3, FilterPlanChoice.OfRank(1));

    [Fact]
    public void The_automatic_plan_matches_reference() => CheckAll(SimdWidths.Best, 4, FilterPlanChoice.Auto);

    // 3, 5, 7 taps with and without a zero in the middle have bodies of their own; 8, 15 and 31 share one.
    [Theory]
    [MemberData(nameof(Widths))]
    public void Every_number_of_taps_matches_reference(int width)
    {
        foreach (var type in FilterCases.Types)
        {
            foreach (var taps in new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 31 })
            {
                foreach (var holes in new[] { 0, 1, 2 })
                {
                    var kernel = FilterCases.Kernel(taps, taps, 1, holes, new Random(taps));
                    var options = new FilterOptions { Threads = 1, Plan = FilterPlanChoice.Separable };
                    new FilterCase(new ImageShape(11, 67, 1, type), kernel, options, (SimdWidth)width, taps).Check();
                    new FilterCase(
                        new ImageShape(6, 43, 3, type), kernel, options with { Plan = FilterPlanChoice.Dense }, (SimdWidth)width, taps)
                        .Check();
                }
            }
        }
    }

    // Wide enough for several strips and tall enough for several bands.
    [Theory]
    [InlineData(ElementType.UInt8, 3, 70, 1501, 7, 5)]
    [InlineData(ElementType.UInt8, 4, 35, 999, 15, 15)]
    [InlineData(ElementType.UInt16, 1, 37, 3003, 3, 31)]
    [InlineData(ElementType.Float32, 3, 39, 1103, 7, 7)]
    [InlineData(ElementType.Float32, 1, 65, 2101, 3, 3)]
    public void Strips_and_bands_match_reference(ElementType type, int channels, int height, int width, int kernelH, int kernelW)
    {
        foreach (var rank in new[] { 0, 1, 2 })
        {
            var kernel = FilterCases.Kernel(kernelH, kernelW, Math.Max(1, rank), 0, new Random(5));
            var plan = rank == 0 ? FilterPlanChoice.Dense : FilterPlanChoice.OfRank(rank);
            foreach (var border in new[] { BorderMode.Reflect101, BorderMode.Wrap })
            {
                var options = new FilterOptions { Plan = plan, Border = border };
                var simd = border == BorderMode.Wrap ? SimdWidth.V256 : SimdWidths.Best;
                new FilterCase(new ImageShape(height, width, channels, type), kernel, options, simd, 17).Check();
            }
        }
    }

    // A streamed row differs from a plain one only in the instruction that stores it; any alignment, any length.
    [Theory]
    [MemberData(nameof(Widths))]
    public void Streamed_rows_have_the_same_bits_as_plain_ones(int width)
    {
        CheckStreamed<byte>((SimdWidth)width);
        CheckStreamed<ushort>((SimdWidth)width);
        CheckStreamed<float>((SimdWidth)width);
    }

    private static unsafe void CheckStreamed<T>(SimdWidth width)
        where T : unmanaged
    {
        var line = FilterCase.Pixels<float>(new ImageShape(1, 700, 1, ElementType.Float32), 8);
        float[] weights = [0.5f, -1, 0.25f, 2, 1, 0.125f, 3, -0.5f, 1.5f];
        nint[] offsets = [0, 3, 6, 9, 12, 15, 18, 21, 24];
        var plain = new T[700];
        var streamed = new T[700];
        fixed (float* linePointer = line, weightPointer = weights)
        fixed (T* plainPointer = plain, streamedPointer = streamed)
        fixed (nint* offsetPointer = offsets)
        {
            foreach (var taps in new[] { 1, 2, 3, 5, 7, 9 })
            {
                foreach (var count in new[] { 1, 31, 64, 65, 130, 513 })
                {
                    for (var shift = 0; shift < 17; shift++)
                    {
                        RowTaps call = default;
                        call.Line = linePointer;
                        call.Offsets = offsetPointer;
                        call.Weights = weightPointer;
                        call.Taps = taps;
                        call.Offset = 0.75f;
                        call.Count = count;
                        call.Target = plainPointer + shift;
                        FilterLoops.Row<T>(width, taps)(&call);
                        call.Target = streamedPointer + shift;
                        FilterLoops.Row<Streamed<T>>(width, taps)(&call);
                        Assert.Equal(plain, streamed);
                    }
                }
            }
        }
    }

    private static void CheckAll(SimdWidth width, int mostRank, FilterPlanChoice plan) =>
        Prop.ForAll(FilterCases.Any(width, mostRank, plan), filtered =>
        {
            filtered.Check();
            filtered.CheckToFloat();
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Cases));
}
