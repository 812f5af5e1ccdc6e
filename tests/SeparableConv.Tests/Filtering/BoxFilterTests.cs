using System.Numerics.Tensors;
using FsCheck;
using FsCheck.Fluent;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Filtering;

/// <summary>Running sums: every size, border and type against the reference, to the bit where pixels are integers.</summary>
public sealed class BoxFilterTests
{
    private const int Cases = 300;

    [Fact]
    public void Boxes_match_the_reference() => Prop.ForAll(Any(), filtered =>
    {
        filtered.Check();
        filtered.CheckToFloat();
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(Cases));

    // The sum is exact, and so is the reference's: its kernel is whole numbers here, and the mean its scale.
    [Theory]
    [InlineData(3, 3, BorderMode.Reflect101)]
    [InlineData(6, 6, BorderMode.Wrap)]
    [InlineData(31, 31, BorderMode.Reflect)]
    [InlineData(101, 101, BorderMode.Replicate)]
    [InlineData(2, 101, BorderMode.Constant)]
    [InlineData(64, 1, BorderMode.Reflect101)]
    [InlineData(1, 1023, BorderMode.Replicate)]
    public void Integers_have_the_bits_of_the_exact_mean(int height, int width, BorderMode border)
    {
        var kernel = new FilterKernel(Enumerable.Repeat(1.0, height * width).ToArray(), height, width);
        foreach (var channels in new[] { 1, 3 })
        {
            foreach (var type in new[] { ElementType.UInt8, ElementType.UInt16 })
            {
                var shape = new ImageShape(23, 41, channels, type);
                var options = new FilterOptions { Border = border, Scale = 1.0 / (height * width), Plan = FilterPlanChoice.Box };
                var filtered = new FilterCase(shape, kernel, options, SimdWidths.Best, height);
                if (type == ElementType.UInt8)
                    CheckExactly<byte>(filtered);
                else
                    CheckExactly<ushort>(filtered);
            }
        }
    }

    [Theory]
    [InlineData(ElementType.UInt8, 3)]
    [InlineData(ElementType.UInt16, 1)]
    [InlineData(ElementType.Float32, 4)]
    [InlineData(ElementType.Float32, 1)]
    public void Regions_and_threads_have_the_bits_of_the_whole(ElementType type, int channels)
    {
        foreach (var (height, width) in new[] { (5, 5), (40, 17), (1, 9), (9, 1) })
        {
            var kernel = KernelLibrary.Box(height, width);
            foreach (var border in new[] { BorderMode.Reflect101, BorderMode.Wrap, BorderMode.Constant })
            {
                var options = new FilterOptions { Border = border, Plan = FilterPlanChoice.Box, FilterAlpha = true, Threads = 1 };
                var whole = new FilterCase(new ImageShape(97, 700, channels, type), kernel, options, SimdWidths.Best, 3);
                switch (type)
                {
                    case ElementType.UInt8:
                        CheckParts<byte>(whole);
                        break;
                    case ElementType.UInt16:
                        CheckParts<ushort>(whole);
                        break;
                    default:
                        CheckParts<float>(whole);
                        break;
                }
            }
        }
    }

    // Nothing is subtracted from sums of floats: what is huge, or no number, is forgotten with the window that it was in.
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(1e30f)]
    public void An_odd_pixel_reaches_only_the_windows_that_it_is_in(float odd)
    {
        var input = Enumerable.Repeat(0.25f, 60 * 300).ToArray();
        input[(20 * 300) + 100] = odd;
        var output = new float[input.Length];
        var filter = ImageFilter.Create(
            KernelLibrary.Box(9, 15), new ImageShape(60, 300, 1, ElementType.Float32), new FilterOptions { Plan = FilterPlanChoice.Box });
        filter.Run(new ReadOnlyTensorSpan<float>(input, [60, 300]), new TensorSpan<float>(output, [60, 300]));
        for (var i = 0; i < output.Length; i++)
        {
            var isIn = Math.Abs((i / 300) - 20) <= 4 && Math.Abs((i % 300) - 100) <= 7;
            Assert.True(isIn ? !(Math.Abs(output[i]) < 1e20) : Math.Abs(output[i] - 0.25f) < 1e-6f, $"Element {i} is {output[i]}.");
        }
    }

    [Fact]
    public void Plans_say_where_sums_run()
    {
        var picture = new ImageShape(1080, 1920, 3, ElementType.UInt8);
        Assert.Equal(FilterPlanKind.Box, FilterPlan.Create(KernelLibrary.Box(101), picture).Kind);
        Assert.Equal(1, FilterPlan.Create(KernelLibrary.Box(101), picture).MultiplicationsPerPixel);
        Assert.NotEqual(FilterPlanKind.Box, FilterPlan.Create(KernelLibrary.Box(3), picture).Kind);
        Assert.Equal(
            FilterPlanKind.Separable,
            FilterPlan.Create(KernelLibrary.Box(101), picture, new FilterOptions { Plan = FilterPlanChoice.Separable }).Kind);
        Assert.Equal(FilterPlanChoice.Box, FilterPlanChoice.Parse(FilterPlanChoice.Box.ToString()));

        // A rectangle beside the middle is one; frames, single numbers and all others are none.
        var beside = new FilterKernel([0, 0, 0, 2, 2, 0, 2, 2, 0], 3, 3);
        var options = new FilterOptions { Plan = FilterPlanChoice.Box, Scale = 0.125 };
        new FilterCase(new ImageShape(9, 8, 3, ElementType.UInt16), beside, options, SimdWidths.Best, 1).Check();
        foreach (var kernel in new FilterKernel[]
            {
                KernelLibrary.Gauss(5), KernelLibrary.Identity(), new([1, 1, 1, 1, 0, 1, 1, 1, 1], 3, 3), new([1, 0, 0, 1], 2, 2),
                new([0, 1, 1, 0], 2, 2), new([0, 0], 1, 2), new([1, 2], 1, 2),
            })
        {
            var refusal = Assert.Throws<ArgumentException>(
                () => FilterPlan.Create(kernel, picture, new FilterOptions { Plan = FilterPlanChoice.Box }));
            Assert.Contains("not one number in a rectangle", refusal.Message, StringComparison.Ordinal);
        }
    }

    private static Arbitrary<FilterCase> Any() =>
        (from type in Gen.Elements(FilterCases.Types)
         from height in Gen.Choose(1, 29)
         from width in Gen.Elements(1, 2, 3, 7, 8, 9, 16, 17, 33, 64, 65, 130, 600)
         from channels in Gen.Choose(1, 4)
         from boxH in Gen.Choose(1, 40)
         from boxW in Gen.Choose(1, 40)
         from border in Gen.Elements(Enum.GetValues<BorderMode>())
         from flags in Gen.Choose(0, 15)
         from seed in Gen.Choose(0, int.MaxValue - 1)
         let shape = new ImageShape(height, width, channels, type)
         let kernel = (flags & 8) != 0 ? Beside(boxH, boxW, seed) : KernelLibrary.Box(boxH, Math.Max(boxW, boxH == 1 ? 2 : 1))
         let options = new FilterOptions
         {
             Border = border,
             ConstantValue = type == ElementType.Float32 ? -0.75 : 37,
             Convolve = (flags & 1) != 0,
             FilterAlpha = (flags & 2) != 0,
             Scale = (flags & 4) != 0 ? -0.5 : 1,
             Offset = (flags & 4) != 0 ? shape.MaxValue / 2 : 0,
             Plan = FilterPlanChoice.Box,
             Threads = 1 + (seed % 3),
         }
         select new FilterCase(shape, kernel, options, SimdWidths.Best, seed)).ToArbitrary();

    // A rectangle of at least two numbers somewhere in a kernel, whose absolute values sum to 1.
    private static FilterKernel Beside(int height, int width, int seed)
    {
        var random = new Random(seed);
        var (top, left) = (random.Next(4), random.Next(4));
        var (kernelH, kernelW) = (height + top + random.Next(3), width + 1 + left + random.Next(3));
        var values = new double[kernelH * kernelW];
        for (var y = 0; y < height; y++)
            values.AsSpan(((top + y) * kernelW) + left, width + 1).Fill(1.0 / (height * (width + 1)));
        return new FilterKernel(values.AsSpan(), kernelH, kernelW);
    }

    private static void CheckExactly<T>(FilterCase filtered)
        where T : unmanaged
    {
        var exact = FilterReference.Run(
            FilterCase.Widen(FilterCase.Pixels<T>(filtered.Shape, filtered.Seed)),
            filtered.Shape,
            filtered.Kernel,
            filtered.Options,
            []);
        var actual = FilterCase.Widen(filtered.Filter<T, T>());
        Assert.Equal(Array.ConvertAll(exact, value => Math.Round(Math.Clamp(value, 0, filtered.Shape.MaxValue))), actual);
    }

    private static void CheckParts<T>(FilterCase whole)
        where T : unmanaged
    {
        var shape = whole.Shape;
        nint[] lengths = [shape.Height, shape.Width, shape.Channels];
        var expected = whole.Filter<T, T>();
        var pixels = FilterCase.Pixels<T>(shape, whole.Seed);
        foreach (var threads in new[] { 1, 2, 3 })
        {
            var filter = ImageFilter.Create(whole.Kernel, shape, whole.Options with { Threads = threads });
            foreach (var region in new ImageRegion[] { new(0, 0, shape.Width, shape.Height), new(1, 7, 600, 1), new(301, 33, 399, 61) })
            {
                var output = new T[region.Height * region.Width * shape.Channels];
                filter.Run(
                    new ReadOnlyTensorSpan<T>(pixels, lengths),
                    region,
                    new TensorSpan<T>(output, [region.Height, region.Width, shape.Channels]));
                var row = region.Width * shape.Channels;
                for (var y = 0; y < region.Height; y++)
                {
                    var from = ((region.Top + y) * shape.RowElements) + (region.Left * shape.Channels);
                    Assert.True(expected.AsSpan(from, row).SequenceEqual(output.AsSpan(y * row, row)), $"{whole}: row {y} of {region}.");
                }
            }
        }
    }
}
