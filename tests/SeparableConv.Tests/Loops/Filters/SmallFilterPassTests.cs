using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using SeparableConv.Loops;
using SeparableConv.Tests.Filtering;

namespace SeparableConv.Tests.Loops.Filters;

/// <summary>Compares the one pass of 512 bits, for filters of up to 7x7, with the two passes of 256 bits.</summary>
public class SmallFilterPassTests
{
    private static readonly FilterKernel[] Filters =
    [
        FilterKernel.OuterProduct([1, 2, 1], [-1, 0, 1], "sobel-x"),
        FilterKernel.OuterProduct([-1, 0, 1], [3, 10, 3], "scharr-y"),
        FilterKernel.OuterProduct([0.25, 0.5, 0.25], [0.3, 0.4, 0.3], "smooth"),
        FilterKernel.OuterProduct([-1, 0, 1], [-2, 0, 1], "corner"),
        FilterKernel.OuterProduct([0, 1, 2], [1, 2, 3], "two rows"),
        FilterKernel.OuterProduct([0.1, 0.25, 0.3, 0.2, 0.15], [0.12, 0.2, 0.4, 0.2, 0.08], "five"),
        FilterKernel.OuterProduct([-0.1, -0.3, 0, 0.4, 0.2], [0.3, -0.2, 0, 0.4, 0.1], "five, hollow"),
        FilterKernel.OuterProduct([0.05, 0.1, 0.2, 0.3, 0.2, 0.1, 0.05], [0.02, 0.1, 0.2, 0.3, 0.2, 0.1, 0.08], "seven"),
        FilterKernel.OuterProduct([0.2, 0.1, -0.3, 0, 0.2, 0.4, 0.1], [0.1, 0.2, -0.2, 0, 0.2, 0.3, 0.3], "seven, hollow"),
        FilterKernel.OuterProduct([0.3, 0.3, 0.4], [0.1, 0.1, 0.2, 0.2, 0.1, 0.1, 0.2], "3x7"),
        FilterKernel.OuterProduct([0.1, 0.1, 0.2, 0, 0.3, 0.1, 0.2], [0.1, 0.2, 0.4, 0.2, 0.1], "7x5"),
        FilterKernel.OuterProduct([0.2, 0.2, 0.2, 0.2, 0.2], [0, 0.25, 0.5, 0.25, 0], "zeros outside"),
    ];

    // Rows enough to be streamed, and some left over after the last four.
    [Theory]
    [InlineData(1, 1472)]
    [InlineData(2, 736)]
    [InlineData(3, 496)]
    [InlineData(4, 128)]
    [InlineData(1, 1473)]
    public void Streamed_floats_have_the_bits_of_two_passes(int channels, int width)
    {
        var height = ((9 << 20) / (width * channels * sizeof(float))) + 3;
        Compare<float, float>(new ImageShape(height, width, channels, ElementType.Float32), Filters.AsSpan(0, 7), [BorderMode.Reflect101]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Streamed_bytes_have_the_bits_of_two_passes(int channels)
    {
        var width = 4096 / channels / 64 * 64;
        var height = ((9 << 20) / (width * channels)) + 3;
        Compare<byte, byte>(new ImageShape(height, width, channels, ElementType.UInt8), Filters.AsSpan(2, 4), [BorderMode.Replicate]);
        Compare<ushort, ushort>(
            new ImageShape(height / 2, width, channels, ElementType.UInt16), Filters.AsSpan(2, 4), [BorderMode.Replicate]);
    }

    // Rows around the shortest that have such a pass, and one of which sums are rounded in more than one piece.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Every_filter_and_border_has_the_bits_of_two_passes(int channels)
    {
        foreach (var (height, elements) in new[] { (9, 383), (22, 397), (14, 448), (31, 1201) })
        {
            var shape = new ImageShape(height, (elements + channels - 1) / channels, channels, ElementType.Float32);
            var borders = Enum.GetValues<BorderMode>();
            Compare<float, float>(shape, Filters, borders);
            Compare<byte, byte>(shape with { Type = ElementType.UInt8 }, Filters, borders);
            Compare<ushort, ushort>(shape with { Type = ElementType.UInt16 }, Filters, borders);
            Compare<byte, float>(shape with { Type = ElementType.UInt8 }, Filters, borders);
        }
    }

    [Fact]
    public void Filters_match_reference()
    {
        foreach (var kernel in Filters.Where(f => f.AbsoluteSum < 2))
        {
            foreach (var type in FilterCases.Types)
            {
                for (var channels = 1; channels <= 4; channels++)
                {
                    var options = new FilterOptions { Threads = 1, Plan = FilterPlanChoice.Separable, FilterAlpha = true, Convolve = true };
                    new FilterCase(new ImageShape(11, 400, channels, type), kernel, options, SimdWidth.V512, channels).Check();
                }
            }
        }
    }

    [Fact]
    public void A_region_has_the_bits_of_the_whole()
    {
        var shape = new ImageShape(19, 160, 3, ElementType.UInt8);
        var input = FilterCase.Pixels<byte>(shape, 3);
        var x = new ReadOnlyTensorSpan<byte>(input, [19, 160, 3]);
        foreach (var kernel in Filters)
        {
            var plan = FilterPlan.Create(kernel, shape, new FilterOptions { Threads = 1, Plan = FilterPlanChoice.Separable });
            var filter = new ImageFilter(plan);
            var whole = new byte[input.Length];
            filter.Run(x, new TensorSpan<byte>(whole, [19, 160, 3]));
            foreach (var region in new ImageRegion[] { new(0, 3, 160, 9), new(1, 7, 149, 5), new(0, 0, 160, 1) })
            {
                var part = new byte[region.Height * region.Width * 3];
                filter.Run(x, region, new TensorSpan<byte>(part, [region.Height, region.Width, 3]));
                for (var i = 0; i < region.Height; i++)
                {
                    var first = (((region.Top + i) * 160) + region.Left) * 3;
                    Assert.Equal(whole[first..(first + (region.Width * 3))], part[(i * region.Width * 3)..((i + 1) * region.Width * 3)]);
                }
            }
        }
    }

    private static unsafe void Compare<TIn, TOut>(ImageShape shape, ReadOnlySpan<FilterKernel> kernels, ReadOnlySpan<BorderMode> borders)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        ReadOnlySpan<nint> lengths = [shape.Height, shape.Width, shape.Channels];
        var elements = shape.Height * shape.RowElements;
        using var input = new GuardedMemory((nint)elements * sizeof(TIn), endsAtGuard: true);
        using var output = new GuardedMemory((nint)elements * sizeof(TOut), endsAtGuard: true);
        FilterCase.Pixels<TIn>(shape, 1).CopyTo(input.Span<TIn>());
        var x = new ReadOnlyTensorSpan<TIn>(input.Span<TIn>(), lengths);
        var expected = new TOut[elements];
        foreach (var kernel in kernels)
        {
            foreach (var border in borders)
            {
                var options = new FilterOptions
                {
                    Border = border,
                    ConstantValue = border == BorderMode.Constant ? typeof(TIn) == typeof(float) ? 0.25 : 77 : 0,
                    Plan = FilterPlanChoice.Separable,
                    FilterAlpha = true,
                    Offset = 0.125,
                    Threads = 2,
                };
                var plan = FilterPlan.Create(kernel, shape, options);
                Filter(new ImageFilter(plan, SimdWidth.V256), x, expected.AsSpan(), lengths);
                output.Span<TOut>().Fill(default);
                Filter(new ImageFilter(plan, SimdWidth.V512), x, output.Span<TOut>(), lengths);
                Assert.True(output.Span<TOut>().SequenceEqual(expected), $"{kernel} {border} {shape} to {typeof(TOut).Name}");
            }
        }
    }

    private static void Filter<TIn, TOut>(
        ImageFilter filter, in ReadOnlyTensorSpan<TIn> input, Span<TOut> output, ReadOnlySpan<nint> lengths)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        if (typeof(TOut) == typeof(float))
            filter.RunToFloat(input, new TensorSpan<float>(MemoryMarshal.Cast<TOut, float>(output), lengths));
        else
            filter.Run(input, new TensorSpan<TIn>(MemoryMarshal.Cast<TOut, TIn>(output), lengths));
    }
}
