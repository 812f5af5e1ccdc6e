using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Filtering;

/// <summary>Large pictures, whose results are written past the caches, beside halves of them, whose are not.</summary>
public class StreamedFilterTests
{
    [Theory]
    [InlineData(1473, 3)]
    [InlineData(2000, 4)]
    [InlineData(5003, 1)]
    public void Bytes_have_the_same_bits_in_halves(int width, int channels) => Check<byte>(width, channels);

    [Theory]
    [InlineData(1473, 3)]
    [InlineData(3001, 1)]
    public void Words_have_the_same_bits_in_halves(int width, int channels) => Check<ushort>(width, channels);

    private static unsafe void Check<T>(int width, int channels)
        where T : unmanaged
    {
        var height = (int)((Streaming.WorthwhileBytes / (width * channels * sizeof(T))) + 3);
        var shape = new ImageShape(height, width, channels, ImageShape.TypeOf<T>());
        ReadOnlySpan<nint> lengths = [height, width, channels];
        using var input = new GuardedMemory((nint)height * shape.RowElements * sizeof(T), endsAtGuard: true);
        using var output = new GuardedMemory(input.Bytes, endsAtGuard: true);
        new Random(1).NextBytes(input.Span<byte>());
        var x = new ReadOnlyTensorSpan<T>(input.Span<T>(), lengths);
        foreach (var size in new[] { 3, 7, 15 })
        {
            foreach (var plan in new[] { FilterPlanChoice.Separable, FilterPlanChoice.Dense })
            {
                double[] factor = [.. Enumerable.Range(0, size).Select(i => (1.0 + Math.Min(i, size - 1 - i)) / size / size * 3)];
                var options = new FilterOptions { Plan = plan, FilterAlpha = true, Border = BorderMode.Reflect, Threads = 2 };
                if (channels == 4)
                    MakeOpaque(input.Span<T>());
                var filter = ImageFilter.Create(FilterKernel.OuterProduct(factor, factor), shape, options);
                output.Span<byte>().Fill(99);
                filter.Run(x, new TensorSpan<T>(output.Span<T>(), lengths));
                var top = 0;
                foreach (var rows in new[] { height / 2, height - (height / 2) })
                {
                    var half = new T[rows * shape.RowElements];
                    filter.Run(x, new ImageRegion(0, top, width, rows), new TensorSpan<T>(half, [rows, width, channels]));
                    Assert.True(output.Span<T>().Slice(top * shape.RowElements, half.Length).SequenceEqual(half), $"{shape} {size} {plan}");
                    top += rows;
                }
            }
        }
    }

    private static unsafe void MakeOpaque<T>(Span<T> pixels)
        where T : unmanaged
    {
        for (var i = 3; i < pixels.Length; i += 4)
            new Span<byte>(System.Runtime.CompilerServices.Unsafe.AsPointer(ref pixels[i]), sizeof(T)).Fill(255);
    }
}
