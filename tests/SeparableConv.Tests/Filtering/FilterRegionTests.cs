using System.Numerics.Tensors;
using FsCheck;
using FsCheck.Fluent;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Filtering;

/// <summary>
/// Parts of pictures, rows with padding, and pictures filtered in place: the bits of the whole picture, which the reference holds.
/// </summary>
public sealed class FilterRegionTests
{
    private const int Cases = 250;

    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Regions_of_dense_filters_have_the_bits_of_the_whole(int width) => CheckAll((SimdWidth)width, 9, FilterPlanChoice.Dense);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Regions_of_separable_filters_have_the_bits_of_the_whole(int width) =>
        CheckAll((SimdWidth)width, 1, FilterPlanChoice.Separable);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Regions_of_sums_of_filters_have_the_bits_of_the_whole(int width) =>
        CheckAll((SimdWidth)width, 3, FilterPlanChoice.OfRank(1));

    // Wide enough for several strips and tall enough for several bands; regions begin and end anywhere in them.
    [Theory]
    [InlineData(ElementType.UInt8, 3, 70, 1501, 7, 5)]
    [InlineData(ElementType.UInt8, 4, 75, 999, 15, 15)]
    [InlineData(ElementType.UInt16, 1, 37, 3003, 3, 31)]
    [InlineData(ElementType.Float32, 3, 39, 1103, 7, 7)]
    [InlineData(ElementType.Float32, 1, 1100, 2001, 3, 3)]
    public void Regions_over_strips_and_bands_have_the_bits_of_the_whole(
        ElementType type, int channels, int height, int width, int kernelH, int kernelW)
    {
        var random = new Random(11);
        foreach (var plan in new[] { FilterPlanChoice.Dense, FilterPlanChoice.OfRank(1), FilterPlanChoice.OfRank(2) })
        {
            foreach (var border in new[] { BorderMode.Reflect101, BorderMode.Wrap, BorderMode.Constant })
            {
                var kernel = FilterCases.Kernel(kernelH, kernelW, Math.Max(1, plan.Rank), 1, new Random(5));
                var whole = new FilterCase(
                    new ImageShape(height, width, channels, type),
                    kernel,
                    new FilterOptions { Plan = plan, Border = border },
                    SimdWidths.Best,
                    17);
                var regions = new List<ImageRegion>
                {
                    new(0, 0, width, height), new(1, 1, width - 1, height - 1), new(0, 3, width - 1, 21),
                    new(width - 1, 0, 1, height), new(3, height - 1, width - 5, 1),
                };
                for (var i = 0; i < 12; i++)
                    regions.Add(Any(whole.Shape, random));
                Check(whole, regions);
            }
        }
    }

    [Theory]
    [InlineData(1, 1472)]
    [InlineData(3, 496)]
    public void Regions_of_streamed_small_filters_have_the_bits_of_the_whole(int channels, int width)
    {
        var height = ((9 << 20) / (width * channels * sizeof(float))) + 7;
        var sobel = FilterKernel.OuterProduct([1, 2, 1], [-1, 0, 1]);
        foreach (var plan in new[] { FilterPlanChoice.Separable, FilterPlanChoice.Dense })
        {
            var whole = new FilterCase(
                new ImageShape(height, width, channels, ElementType.Float32), sobel, new FilterOptions { Plan = plan }, SimdWidths.Best, 3);
            Check(whole, [new(0, 3, width, height - 5), new(16, 0, width - 16, height), new(5, 1, width - 9, height - 2)]);
        }
    }

    [Theory]
    [InlineData(ElementType.UInt8)]
    [InlineData(ElementType.UInt16)]
    [InlineData(ElementType.Float32)]
    public void In_place_gives_the_bits_of_a_result_of_its_own(ElementType type)
    {
        foreach (var plan in new[] { FilterPlanChoice.Dense, FilterPlanChoice.OfRank(1), FilterPlanChoice.OfRank(2) })
        {
            foreach (var border in Enum.GetValues<BorderMode>())
            {
                var kernel = FilterCases.Kernel(5, 7, Math.Max(1, plan.Rank), 1, new Random(3));
                var options = new FilterOptions { Plan = plan, Border = border, Threads = 2 };
                var whole = new FilterCase(new ImageShape(83, 67, 3, type), kernel, options, SimdWidths.Best, 5);
                switch (type)
                {
                    case ElementType.UInt8:
                        CheckInPlace<byte>(whole);
                        break;
                    case ElementType.UInt16:
                        CheckInPlace<ushort>(whole);
                        break;
                    default:
                        CheckInPlace<float>(whole);
                        break;
                }
            }
        }
    }

    [Theory]
    [InlineData(-1, 0, 2, 2)]
    [InlineData(0, -1, 2, 2)]
    [InlineData(0, 0, 0, 2)]
    [InlineData(0, 0, 2, 0)]
    [InlineData(4, 0, 2, 2)]
    [InlineData(0, 3, 2, 2)]
    [InlineData(int.MaxValue, 0, int.MaxValue, 1)]
    public void Regions_outside_the_picture_are_refused(int left, int top, int width, int height)
    {
        var filter = ImageFilter.Create(KernelLibrary.Box(3), new ImageShape(4, 5, 1, ElementType.UInt8));
        var failure = Assert.Throws<ArgumentException>(() => filter.Run(
            new ReadOnlyTensorSpan<byte>(new byte[20], [4, 5]),
            new ImageRegion(left, top, width, height),
            new TensorSpan<byte>(new byte[4], [2, 2])));
        Assert.Contains("not inside the picture of 5x4", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_result_of_another_size_than_the_region_is_refused()
    {
        var filter = ImageFilter.Create(KernelLibrary.Box(3), new ImageShape(4, 5, 1, ElementType.UInt8));
        var failure = Assert.Throws<ArgumentException>(() => filter.Run(
            new ReadOnlyTensorSpan<byte>(new byte[20], [4, 5]), new ImageRegion(0, 0, 3, 2), new TensorSpan<byte>(new byte[4], [2, 2])));
        Assert.Contains("the region is 2x3x1", failure.Message, StringComparison.Ordinal);
    }

    private static void CheckAll(SimdWidth width, int mostRank, FilterPlanChoice plan) =>
        Prop.ForAll(FilterCases.Any(width, mostRank, plan), filtered =>
        {
            var random = new Random(filtered.Seed);
            Check(filtered, [Any(filtered.Shape, random), Any(filtered.Shape, random)]);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Cases));

    private static ImageRegion Any(ImageShape shape, Random random)
    {
        var (left, top) = (random.Next(shape.Width), random.Next(shape.Height));
        return new(left, top, 1 + random.Next(shape.Width - left), 1 + random.Next(shape.Height - top));
    }

    private static void Check(FilterCase whole, IReadOnlyList<ImageRegion> regions)
    {
        switch (whole.Shape.Type)
        {
            case ElementType.UInt8:
                Check<byte, byte>(whole, regions);
                Check<byte, float>(whole, regions);
                break;
            case ElementType.UInt16:
                Check<ushort, ushort>(whole, regions);
                Check<ushort, float>(whole, regions);
                break;
            default:
                Check<float, float>(whole, regions);
                break;
        }
    }

    private static void Check<TIn, TOut>(FilterCase whole, IReadOnlyList<ImageRegion> regions)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var shape = whole.Shape;
        var expected = whole.Filter<TIn, TOut>();
        var filter = new ImageFilter(FilterPlan.Create(whole.Kernel, shape, whole.Options), whole.Width);

        // Rows of the input and of the results lie further apart than they are long.
        var stride = shape.RowElements + 5;
        var dense = FilterCase.Pixels<TIn>(shape, whole.Seed);
        var padded = new TIn[(shape.Height * stride) + 5];
        for (var y = 0; y < shape.Height; y++)
            dense.AsSpan(y * shape.RowElements, shape.RowElements).CopyTo(padded.AsSpan(y * stride));
        foreach (var region in regions)
        {
            var rowElements = region.Width * shape.Channels;
            var outStride = rowElements + 3;
            var output = new TOut[(region.Height * outStride) + 3];
            var x = new ReadOnlyTensorSpan<TIn>(
                padded, [shape.Height, shape.Width, shape.Channels], Strides(shape.Height, shape.Width, shape.Channels, stride));
            var view = new TensorSpan<TOut>(
                output, [region.Height, region.Width, shape.Channels], Strides(region.Height, region.Width, shape.Channels, outStride));
            if (typeof(TOut) == typeof(float))
                filter.RunToFloat(x, region, new TensorSpan<float>((float[])(object)output, view.Lengths, view.Strides));
            else
                filter.Run(x, region, new TensorSpan<TIn>((TIn[])(object)output, view.Lengths, view.Strides));
            for (var y = 0; y < region.Height; y++)
            {
                var row = expected.AsSpan(((region.Top + y) * shape.RowElements) + (region.Left * shape.Channels), rowElements);
                Assert.True(row.SequenceEqual(output.AsSpan(y * outStride, rowElements)), $"{whole}: row {y} of {region} differs.");
                Assert.True(
                    output.AsSpan((y * outStride) + rowElements, 3).IndexOfAnyExcept(default(TOut)) < 0,
                    $"{whole}: written behind row {y} of {region}.");
            }
        }
    }

    private static void CheckInPlace<T>(FilterCase whole)
        where T : unmanaged
    {
        var shape = whole.Shape;
        nint[] lengths = [shape.Height, shape.Width, shape.Channels];
        var expected = whole.Filter<T, T>();
        var pixels = FilterCase.Pixels<T>(shape, whole.Seed);
        var filter = ImageFilter.Create(whole.Kernel, shape, whole.Options);
        filter.Run(new ReadOnlyTensorSpan<T>(pixels, lengths), new TensorSpan<T>(pixels, lengths));
        Assert.Equal(expected, pixels);

        // A region in place, and one moved to a place that overlaps it.
        foreach (var (left, top) in new[] { (9, 0), (11, 31) })
        {
            pixels = FilterCase.Pixels<T>(shape, whole.Seed);
            var untouched = (T[])pixels.Clone();
            var region = new ImageRegion(9, 0, 50, 47);
            var target = pixels.AsSpan((top * shape.RowElements) + (left * shape.Channels));
            filter.Run(
                new ReadOnlyTensorSpan<T>(pixels, lengths), region, new TensorSpan<T>(target, [47, 50, 3], [shape.RowElements, 3, 1]));
            for (var y = 0; y < shape.Height; y++)
            {
                for (var x = 0; x < shape.RowElements; x++)
                {
                    var (fromY, fromX) = (y - top, x - (left * 3));
                    var isInside = fromY is >= 0 and < 47 && fromX is >= 0 and < 150;
                    var wanted = isInside
                        ? expected[((fromY + region.Top) * shape.RowElements) + fromX + (region.Left * 3)]
                        : untouched[(y * shape.RowElements) + x];
                    Assert.True(
                        wanted.Equals(pixels[(y * shape.RowElements) + x]),
                        $"{whole}: ({y},{x}) after filtering {region} to ({left},{top}).");
                }
            }
        }
    }

    // A dimension of length 1 has the stride 0.
    private static nint[] Strides(int height, int width, int channels, int row) =>
        [height == 1 ? 0 : row, width == 1 ? 0 : channels, channels == 1 ? 0 : 1];
}
