using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Filters;

/// <summary>Compares the one pass of 512 bits, for 3x3 filters of large float pictures, with the two passes of 256 bits.</summary>
public class SmallFilterPassTests
{
    private static readonly FilterKernel[] Filters =
    [
        FilterKernel.OuterProduct([1, 2, 1], [-1, 0, 1], "sobel-x"),
        FilterKernel.OuterProduct([-1, 0, 1], [3, 10, 3], "scharr-y"),
        FilterKernel.OuterProduct([0.25, 0.5, 0.25], [0.3, 0.4, 0.3], "smooth"),
        FilterKernel.OuterProduct([-1, 0, 1], [-2, 0, 1], "corner"),
        FilterKernel.OuterProduct([0, 1, 2], [1, 2, 3], "two rows"),
    ];

    [Theory]
    [InlineData(1, 1472)]
    [InlineData(2, 736)]
    [InlineData(3, 496)]
    [InlineData(4, 128)]
    [InlineData(1, 1473)]
    public void One_pass_gives_the_bits_of_two(int channels, int width)
    {
        // Rows enough to be streamed, and some left over after the last four.
        var height = ((9 << 20) / (width * channels * sizeof(float))) + 3;
        var shape = new ImageShape(height, width, channels, ElementType.Float32);
        ReadOnlySpan<nint> lengths = [height, width, channels];
        using var input = new GuardedMemory((nint)height * shape.RowElements * sizeof(float), endsAtGuard: true);
        using var output = new GuardedMemory(input.Bytes, endsAtGuard: true);
        RandomData.Floats(height * shape.RowElements, 1).CopyTo(input.Span<float>());
        var expected = new float[height * shape.RowElements];
        foreach (var kernel in Filters)
        {
            foreach (var border in Enum.GetValues<BorderMode>())
            {
                var options = new FilterOptions
                {
                    Border = border,
                    ConstantValue = border == BorderMode.Constant ? 0.25 : 0,
                    Plan = FilterPlanChoice.Separable,
                    FilterAlpha = true,
                    Offset = 0.125,
                    Threads = 2,
                };
                var plan = FilterPlan.Create(kernel, shape, options);
                var x = new ReadOnlyTensorSpan<float>(input.Span<float>(), lengths);
                new ImageFilter(plan, SimdWidth.V256).Run<float>(x, new TensorSpan<float>(expected, lengths));
                output.Span<float>().Fill(float.NaN);
                new ImageFilter(plan, SimdWidth.V512).Run<float>(x, new TensorSpan<float>(output.Span<float>(), lengths));
                Assert.True(output.Span<float>().SequenceEqual(expected), $"{kernel} {border} x{channels}");
            }
        }
    }
}
