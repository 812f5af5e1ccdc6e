using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Filtering;

public sealed unsafe class ImageFilterTests
{
    private static readonly FilterKernel Sobel = FilterKernel.OuterProduct([1, 2, 1], [-1, 0, 1], "sobel-x");

    public static TheoryData<int, ElementType, bool> GuardedCases
    {
        get
        {
            var cases = new TheoryData<int, ElementType, bool>();
            foreach (var width in SimdWidths.All)
            {
                foreach (var type in FilterCases.Types)
                {
                    cases.Add((int)width, type, true);
                    cases.Add((int)width, type, false);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(GuardedCases))]
    public void Nothing_is_touched_beyond_input_and_output(int width, ElementType type, bool endsAtGuard)
    {
        foreach (var plan in new[] { FilterPlanChoice.Dense, FilterPlanChoice.OfRank(1), FilterPlanChoice.OfRank(2) })
        {
            foreach (var (height, imageWidth, channels) in new[] { (1, 1, 1), (4, 33, 1), (9, 65, 3), (5, 17, 4), (33, 129, 2) })
            {
                var shape = new ImageShape(height, imageWidth, channels, type);
                var kernel = FilterCases.Kernel(5, 7, plan.Rank == 1 ? 1 : 2, 0, new Random(3));
                var filter = new ImageFilter(FilterPlan.Create(kernel, shape, new FilterOptions { Plan = plan }), (SimdWidth)width);
                switch (type)
                {
                    case ElementType.UInt8:
                        RunGuarded<byte>(filter, endsAtGuard);
                        break;
                    case ElementType.UInt16:
                        RunGuarded<ushort>(filter, endsAtGuard);
                        break;
                    default:
                        RunGuarded<float>(filter, endsAtGuard);
                        break;
                }
            }
        }
    }

    [Theory]
    [InlineData(ElementType.UInt8)]
    [InlineData(ElementType.UInt16)]
    [InlineData(ElementType.Float32)]
    public void The_same_bits_on_any_number_of_threads(ElementType type)
    {
        foreach (var plan in new[] { FilterPlanChoice.Dense, FilterPlanChoice.OfRank(1), FilterPlanChoice.OfRank(2) })
        {
            var shape = new ImageShape(301, 203, 3, type);
            var kernel = FilterCases.Kernel(7, 7, plan.Rank == 1 ? 1 : 2, 0, new Random(4));
            var alone = new FilterCase(shape, kernel, new FilterOptions { Plan = plan, Threads = 1 }, SimdWidths.Best, 9);
            foreach (var threads in new[] { 2, 7 })
            {
                var together = alone with { Options = alone.Options with { Threads = threads } };
                switch (type)
                {
                    case ElementType.UInt8:
                        Assert.Equal(alone.Filter<byte, byte>(), together.Filter<byte, byte>());
                        break;
                    case ElementType.UInt16:
                        Assert.Equal(alone.Filter<ushort, ushort>(), together.Filter<ushort, ushort>());
                        break;
                    default:
                        Assert.Equal(alone.Filter<float, float>(), together.Filter<float, float>());
                        break;
                }
            }
        }
    }

    [Theory]
    [InlineData(3.5, 4)]
    [InlineData(2.5, 2)]
    [InlineData(0.5, 0)]
    [InlineData(254.5, 254)]
    [InlineData(255.5, 255)]
    [InlineData(-3, 0)]
    [InlineData(1e12, 255)]
    [InlineData(-1e12, 0)]
    public void Bytes_are_rounded_half_to_even_and_saturated(double value, byte expected)
    {
        foreach (var width in SimdWidths.All)
        {
            var shape = new ImageShape(5, 70, 1, ElementType.UInt8);
            var identity = new FilterKernel([1.0], 1, 1);
            var filtered = new FilterCase(shape, identity, new FilterOptions { Scale = 0, Offset = value }, width, 1);
            Assert.All(filtered.Filter<byte, byte>(), pixel => Assert.Equal(expected, pixel));
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_pixel_that_is_no_number_reaches_only_those_that_weigh_it(float odd)
    {
        foreach (var width in SimdWidths.All)
        {
            foreach (var plan in new[] { FilterPlanChoice.Dense, FilterPlanChoice.Separable })
            {
                var input = new float[21 * 100];
                input[(10 * 100) + 50] = odd;
                var output = new float[input.Length];
                var filter = new ImageFilter(FilterPlan.Create(Sobel, new(21, 100, 1, ElementType.Float32), new() { Plan = plan }), width);
                filter.Run(new ReadOnlyTensorSpan<float>(input, [21, 100]), new TensorSpan<float>(output, [21, 100]));
                for (var i = 0; i < output.Length; i++)
                {
                    var (y, x) = (i / 100, i % 100);
                    var weighs = Math.Abs(y - 10) <= 1 && Math.Abs(x - 50) == 1;
                    Assert.True(
                        weighs ? !float.IsFinite(output[i]) : output[i] == 0,
                        $"{width} {plan}: pixel ({y},{x}) is {output[i]} beside {odd} at (10,50).");
                }
            }
        }
    }

    [Theory]
    [InlineData(2, ElementType.UInt8)]
    [InlineData(4, ElementType.UInt8)]
    [InlineData(4, ElementType.UInt16)]
    [InlineData(2, ElementType.Float32)]
    public void Alpha_is_copied_unless_asked(int channels, ElementType type)
    {
        var kernel = FilterCases.Kernel(3, 3, 1, 0, new Random(1));
        var filtered = new FilterCase(new ImageShape(13, 41, channels, type), kernel, new FilterOptions(), SimdWidths.Best, 2);
        filtered.Check();
        filtered.CheckToFloat();
        (filtered with { Options = new FilterOptions { FilterAlpha = true } }).Check();
    }

    [Fact]
    public void Rows_may_be_any_distance_apart()
    {
        var shape = new ImageShape(7, 30, 1, ElementType.Float32);
        var wide = FilterCase.Pixels<float>(new ImageShape(7, 50, 1, ElementType.Float32), 3);
        var dense = new float[7 * 30];
        for (var y = 0; y < 7; y++)
            wide.AsSpan(y * 50, 30).CopyTo(dense.AsSpan(y * 30));
        var filter = ImageFilter.Create(Sobel, shape);
        var expected = new float[7 * 30];
        filter.Run(new ReadOnlyTensorSpan<float>(dense, [7, 30]), new TensorSpan<float>(expected, [7, 30]));

        var output = new float[7 * 50];
        filter.Run(new ReadOnlyTensorSpan<float>(wide, [7, 30], [50, 1]), new TensorSpan<float>(output, [7, 30], [50, 1]));
        for (var y = 0; y < 7; y++)
        {
            Assert.Equal(expected.AsSpan(y * 30, 30), output.AsSpan(y * 50, 30));
            Assert.All(output[((y * 50) + 30)..((y + 1) * 50)], untouched => Assert.Equal(0f, untouched));
        }
    }

    [Fact]
    public void Shapes_types_and_strides_that_do_not_suit_are_refused()
    {
        var filter = ImageFilter.Create(Sobel, new ImageShape(4, 5, 3, ElementType.UInt8));
        var failure = Assert.Throws<ArgumentException>(() => filter.Run(
            new ReadOnlyTensorSpan<byte>(new byte[75], [5, 5, 3]), new TensorSpan<byte>(new byte[60], [4, 5, 3])));
        Assert.Contains("(5,5,3)", failure.Message, StringComparison.Ordinal);
        Assert.Contains("4x5x3 UInt8", failure.Message, StringComparison.Ordinal);

        failure = Assert.Throws<ArgumentException>(() => filter.Run(
            new ReadOnlyTensorSpan<ushort>(new ushort[60], [4, 5, 3]), new TensorSpan<ushort>(new ushort[60], [4, 5, 3])));
        Assert.Contains("UInt16", failure.Message, StringComparison.Ordinal);

        failure = Assert.Throws<ArgumentException>(() => filter.Run(
            new ReadOnlyTensorSpan<byte>(new byte[100], [4, 5, 3], [20, 4, 1]), new TensorSpan<byte>(new byte[60], [4, 5, 3])));
        Assert.Contains("strides (20,4,1)", failure.Message, StringComparison.Ordinal);
    }

    private static void RunGuarded<T>(ImageFilter filter, bool endsAtGuard)
        where T : unmanaged
    {
        var shape = filter.Plan.Shape;
        ReadOnlySpan<nint> lengths = [shape.Height, shape.Width, shape.Channels];
        var pixels = FilterCase.Pixels<T>(shape, 6);
        using var input = new GuardedMemory(pixels.Length * sizeof(T), endsAtGuard);
        using var output = new GuardedMemory(pixels.Length * sizeof(T), endsAtGuard);
        pixels.CopyTo(input.Span<T>());
        filter.Run(new ReadOnlyTensorSpan<T>(input.Span<T>(), lengths), new TensorSpan<T>(output.Span<T>(), lengths));

        var free = new T[pixels.Length];
        filter.Run(new ReadOnlyTensorSpan<T>(pixels, lengths), new TensorSpan<T>(free, lengths));
        Assert.Equal(free, output.Span<T>().ToArray());
    }
}
