using System.Diagnostics;
using SeparableConv.Filtering;

namespace SeparableConv.Loops;

/// <summary>Image filters as their formula says, in double precision: what every fast path is compared with.</summary>
internal static class FilterReference
{
    /// <summary>
    /// y[i,j,c] = scale * sum over u,v of x[i+u-aH, j+v-aW, c] * k[u,v] + offset, not rounded; colours weighed by alpha, which is copied
    /// where the options say so. Taps of weight zero are not read.
    /// </summary>
    /// <param name="input">Pixels, row-major.</param>
    /// <param name="shape">(H, W, C).</param>
    /// <param name="kernel">The kernel.</param>
    /// <param name="options">Border, flip, scale, offset, alpha; threads and plan do not matter here.</param>
    /// <param name="magnitudes">Receives |scale| * sum |x * k| + |offset| of each element; may be empty.</param>
    /// <returns>y, row-major.</returns>
    public static double[] Run(
        ReadOnlySpan<double> input, ImageShape shape, FilterKernel kernel, FilterOptions options, Span<double> magnitudes)
    {
        var pixels = input.ToArray();
        var output = new double[input.Length];
        for (var i = 0; i < shape.Height; i++)
        {
            for (var j = 0; j < shape.Width; j++)
            {
                for (var c = 0; c < shape.Channels; c++)
                {
                    var at = (((i * shape.Width) + j) * shape.Channels) + c;
                    var (value, magnitude) = Sum(index => pixels[index], shape, kernel, options, i, j, c);
                    output[at] = value;
                    if (!magnitudes.IsEmpty)
                        magnitudes[at] = magnitude;
                }
            }
        }

        return output;
    }

    /// <summary>One element of what <see cref="Run"/> gives, from pixels that are asked for by their index.</summary>
    public static double Element(
        Func<int, double> input, ImageShape shape, FilterKernel kernel, FilterOptions options, int i, int j, int c) =>
        Sum(input, shape, kernel, options, i, j, c).Value;

    private static (double Value, double Magnitude) Sum(
        Func<int, double> input, ImageShape shape, FilterKernel kernel, FilterOptions options, int i, int j, int c)
    {
        var isColor = !shape.HasAlpha || c < shape.Channels - 1;
        if (shape.HasAlpha && !options.FilterAlpha && !isColor)
        {
            var alpha = input((((i * shape.Width) + j) * shape.Channels) + c);
            return (alpha, Math.Abs(alpha));
        }

        var sums = new Sums();
        var weighs = TransparentFilter.Matters(kernel, shape, options);
        for (var u = 0; u < kernel.Height; u++)
        {
            for (var v = 0; v < kernel.Width; v++)
            {
                if (kernel[u, v] == 0)
                    continue;

                // Convolution: the kernel's element (u, v) lies on the other side of the anchor.
                var y = options.Convolve ? i - u + (kernel.Height / 2) : i + u - (kernel.Height / 2);
                var x = options.Convolve ? j - v + (kernel.Width / 2) : j + v - (kernel.Width / 2);
                var (value, alpha) = Pixel(input, shape, options, y, x, c);
                sums.Add(kernel[u, v], weighs && !isColor ? alpha : value, weighs && isColor ? alpha / shape.MaxValue : 1);
            }
        }

        var (own, ownAlpha) = Pixel(input, shape, options, i, j, c);
        var (sum, magnitude) = sums.Result(ownAlpha > 0 ? own : 0);
        return ((options.Scale * sum) + options.Offset, (Math.Abs(options.Scale) * magnitude) + Math.Abs(options.Offset));
    }

    // One step at a time towards the inside, so that nothing is shared with the fast paths' arithmetic.
    private static (double Value, double Alpha) Pixel(
        Func<int, double> input, ImageShape shape, FilterOptions options, int y, int x, int c)
    {
        var isOutside = y < 0 || y >= shape.Height || x < 0 || x >= shape.Width;
        if (options.Border == BorderMode.Constant && isOutside)
            return (options.ConstantValue, options.FilterAlpha ? Math.Max(0, options.ConstantValue) : shape.MaxValue);
        var pixel = ((Walk(y, shape.Height, options.Border) * shape.Width) + Walk(x, shape.Width, options.Border)) * shape.Channels;

        // An alpha below 0 is 0.
        return (input(pixel + c), shape.HasAlpha ? Math.Max(0, input(pixel + shape.Channels - 1)) : shape.MaxValue);
    }

    private static int Walk(int position, int length, BorderMode mode)
    {
        while (position < 0 || position >= length)
        {
            var isBefore = position < 0;
            position = mode switch
            {
                BorderMode.Replicate => isBefore ? 0 : length - 1,
                BorderMode.Wrap => isBefore ? position + length : position - length,
                BorderMode.Reflect => isBefore ? -1 - position : (2 * length) - 1 - position,
                BorderMode.Reflect101 => length == 1 ? 0 : isBefore ? -position : (2 * length) - 2 - position,
                _ => throw new UnreachableException($"The border {mode} is missing here."),
            };
        }

        return position;
    }

    // The formula of FilterOptions.FilterAlpha; where all alphas are 1 that of a plain sum.
    private struct Sums
    {
        private double _gain, _magnitudes, _weighed, _weighedMagnitudes, _absolute, _weight, _seen;

        public void Add(double tap, double value, double alpha)
        {
            _gain += tap;
            _magnitudes += Math.Abs(tap);
            _weight += tap * alpha;
            _seen += Math.Abs(tap) * alpha;

            // What is not seen may be no number.
            _weighed += alpha > 0 ? tap * alpha * value : 0;
            _absolute += alpha > 0 ? Math.Abs(tap * alpha * value) : 0;
            _weighedMagnitudes += alpha > 0 ? Math.Abs(tap) * alpha * value : 0;
        }

        public readonly (double Value, double Magnitude) Result(double own)
        {
            var isSeen = _seen > TransparentFilter.LeastSeen * _magnitudes;
            var mean = isSeen ? _weighedMagnitudes / _seen : own;
            var magnitude = isSeen ? _absolute / _seen : Math.Abs(own);
            return isSeen
                ? (_weighed + (mean * (_gain - _weight)), _absolute + (magnitude * (_magnitudes - _seen)))
                : (mean * _gain, magnitude * _magnitudes);
        }
    }
}
