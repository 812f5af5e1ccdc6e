using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Filtering;

/// <summary>One picture, one kernel, one way to filter it; compared with the double reference.</summary>
internal sealed record FilterCase(ImageShape Shape, FilterKernel Kernel, FilterOptions Options, SimdWidth Width, int Seed)
{
    private const double Epsilon = 1.0 / (1 << 24);

    // In pixel steps, where the weights' absolute sum is 1: rounding, and what float sums add to it. A float has 24 bits, so a
    // 16-bit sum near 65536 is off by up to 1/512 a tap; ten taps stay within 0.02.
    private const double ByteTolerance = 0.5 + 1e-3;
    private const double FewTaps = 10;

    private double SummedTaps =>
        FilterPlan.Create(Kernel, Shape, Options).Separable is { } terms
            ? terms.Rank * (Kernel.Height + Kernel.Width)
            : Kernel.Height * Kernel.Width;

    public void Check()
    {
        switch (Shape.Type)
        {
            case ElementType.UInt8:
                CheckIntegers<byte>(ByteTolerance);
                break;
            case ElementType.UInt16:
                CheckIntegers<ushort>(0.5 + (0.02 * Math.Max(1, SummedTaps / FewTaps)));
                break;
            default:
                CheckFloats<float>(Filter<float, float>());
                break;
        }
    }

    public void CheckToFloat()
    {
        switch (Shape.Type)
        {
            case ElementType.UInt8:
                CheckFloats<byte>(Filter<byte, float>());
                break;
            case ElementType.UInt16:
                CheckFloats<ushort>(Filter<ushort, float>());
                break;
            default:
                CheckFloats<float>(Filter<float, float>());
                break;
        }
    }

    public TOut[] Filter<TIn, TOut>()
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var filter = new ImageFilter(FilterPlan.Create(Kernel, Shape, Options), Width);
        var output = new TOut[Shape.Height * Shape.RowElements];
        ReadOnlySpan<nint> lengths = [Shape.Height, Shape.Width, Shape.Channels];
        var input = new ReadOnlyTensorSpan<TIn>(Pixels<TIn>(Shape, Seed), lengths);
        if (typeof(TOut) == typeof(float))
            filter.RunToFloat(input, new TensorSpan<float>((float[])(object)output, lengths));
        else
            filter.Run(input, new TensorSpan<TIn>((TIn[])(object)output, lengths));
        return output;
    }

    public static T[] Pixels<T>(ImageShape shape, int seed)
        where T : unmanaged
    {
        var random = new Random(seed);
        var pixels = new T[shape.Height * shape.RowElements];
        for (var i = 0; i < pixels.Length; i++)
        {
            if (typeof(T) == typeof(byte))
                pixels[i] = (T)(object)(byte)random.Next(256);
            else if (typeof(T) == typeof(ushort))
                pixels[i] = (T)(object)(ushort)random.Next(65536);
            else
                pixels[i] = (T)(object)((2 * random.NextSingle()) - 1);
        }

        return pixels;
    }

    public static double[] Widen<T>(T[] pixels)
        where T : unmanaged => Array.ConvertAll(pixels, p => Convert.ToDouble(p));

    private void CheckIntegers<T>(double tolerance)
        where T : unmanaged
    {
        var expected = FilterReference.Run(Widen(Pixels<T>(Shape, Seed)), Shape, Kernel, Options, []);
        var actual = Widen(Filter<T, T>());
        for (var i = 0; i < expected.Length; i++)
        {
            var wanted = Math.Clamp(expected[i], 0, Shape.MaxValue);
            Assert.True(
                Math.Abs(actual[i] - wanted) <= tolerance,
                $"{this}: element {i} is {actual[i]}, exactly {expected[i]:R}; off by {Math.Abs(actual[i] - wanted):R}, allowed "
                + $"{tolerance}.");
        }
    }

    // A sum of terms rounds where the dense kernel would not: its bound is that of the terms' absolute values.
    private void CheckFloats<T>(float[] actual)
        where T : unmanaged
    {
        var pixels = Widen(Pixels<T>(Shape, Seed));
        var expected = FilterReference.Run(pixels, Shape, Kernel, Options, []);
        var magnitudes = new double[expected.Length];
        var absolute = Options with { ConstantValue = Math.Abs(Options.ConstantValue) };
        FilterReference.Run(AbsoluteColors(pixels), Shape, AbsoluteTerms(), absolute, magnitudes);

        // Of a transparent picture sums are divided by sums, and differences of means added. Where all that is seen lies under zeros of the
        // kernel, terms leave what they have there by their own rounding as doubles.
        var terms = Kernel.Height * Kernel.Width * (Shape.HasAlpha ? 8 : 1);
        var least = Shape.HasAlpha ? 16 * FilterKernel.DoubleEpsilon : float.Epsilon;
        for (var i = 0; i < expected.Length; i++)
        {
            var bound = (2 * (terms + 4) * Epsilon * (magnitudes[i] + Math.Abs(expected[i]))) + least;
            Assert.True(
                Math.Abs(actual[i] - expected[i]) <= bound,
                $"{this}: element {i} is {actual[i]:R}, the reference {expected[i]:R}; off by {Math.Abs(actual[i] - expected[i]):E2}, "
                + $"allowed {bound:E2}.");
        }
    }

    private double[] AbsoluteColors(double[] pixels) => [.. pixels.Select(
        (pixel, i) => Shape.HasAlpha && i % Shape.Channels == Shape.Channels - 1 ? pixel : Math.Abs(pixel))];

    private FilterKernel AbsoluteTerms()
    {
        var plan = FilterPlan.Create(Kernel, Shape, Options);
        var values = new double[Kernel.Height * Kernel.Width];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = plan.Separable is null
                ? Math.Abs(Kernel.Values[i])
                : plan.Separable.Terms.Sum(t => Math.Abs(t.Column[i / Kernel.Width] * t.Row[i % Kernel.Width]));
        }

        return new FilterKernel(values.AsSpan(), Kernel.Height, Kernel.Width);
    }
}
