using System.Buffers;
using System.Numerics.Tensors;
using SeparableConv.Loops;
using SeparableConv.Threading;

namespace SeparableConv.Filtering;

/// <summary>
/// Filters pictures that are transparent somewhere: colours weigh as much as they are seen, so that those under transparent pixels reach no
/// others (<see cref="Matters"/>). A band of rows is multiplied by its alpha, filtered as floats, and divided again.
/// </summary>
/// <remarks>
/// For a pixel let P = sum a*x*k and W = sum a*k, over what the kernel k reaches, with colours x and alphas a of 0 to 1; S = sum k. Unseen
/// colour stands for the mean m of the seen one, weighed by |k|: the colour is P + m * (S - W), which is S * P/W for kernels without
/// negative numbers, and P where all is opaque. Where next to nothing is seen, m is the pixel's own colour, 0 if that is transparent.
/// </remarks>
internal sealed unsafe class TransparentFilter
{
    // Of what an opaque picture would weigh: less than a quarter of a step of 16 bits, and more than the rounding of float sums.
    public const double LeastSeen = 1.0 / (1 << 18);

    // Rows of a band on top of those that the kernel reaches.
    private const int LeastRows = 32;

    private readonly FilterPlan _plan;
    private readonly FilterBorders _borders;
    private readonly int _bandRows;
    private readonly ImageFilter _sums;
    private readonly ImageFilter? _magnitudes;
    private readonly float _gain;
    private readonly float _leastSeen;

    public TransparentFilter(FilterPlan plan, SimdWidth width)
    {
        (_plan, _borders) = (plan, new FilterBorders(plan));
        var reach = plan.Kernel.Height - 1;
        _bandRows = Math.Max(LeastRows, reach);
        var shape = new ImageShape(
            _bandRows + reach, plan.Shape.Width + plan.Kernel.Width - 1, plan.Shape.Channels, ElementType.Float32);

        // What is left of a kernel by --plan rank:R is another kernel. An error that may be made is not.
        var isCut = plan.Options.Plan.Kind == FilterPlanKind.RankR && plan.ErrorBound > 0;
        var kernel = isCut ? plan.Separable!.ToKernel() : plan.Kernel;
        var scale = plan.Options.Scale;
        var options = new FilterOptions
        {
            Convolve = plan.Options.Convolve,
            FilterAlpha = true,
            Scale = scale,
            Threads = 1,
            Plan = plan.Options.Plan,
        };
        _sums = Inner(kernel, shape, options, width);
        _gain = (float)(kernel.Sum * scale);
        _leastSeen = (float)(kernel.AbsoluteSum * Math.Abs(scale) * LeastSeen * plan.Shape.MaxValue);
        if (scale >= 0 && kernel.Values.IndexOfAnyInRange(double.NegativeInfinity, -double.Epsilon) < 0)
            return;

        // Sums without signs must not be differences of large terms.
        var magnitudes = Magnitudes(kernel);
        var isProduct = KernelSeparation.Decompose(magnitudes).Rank == 1;
        _magnitudes = Inner(
            magnitudes,
            shape,
            options with { Scale = Math.Abs(scale), Plan = isProduct ? FilterPlanChoice.Auto : FilterPlanChoice.Dense },
            width);
    }

    /// <summary>
    /// Whether alpha can matter: not where each output is made of one pixel alone, whose alpha stays with it; its colour then does not mix.
    /// </summary>
    public static bool Matters(FilterKernel kernel, ImageShape shape, FilterOptions options)
    {
        if (!shape.HasAlpha)
            return false;
        var taps = kernel.Values.Length - kernel.Values.Count(0.0);
        return taps > 1 || (taps == 1 && !options.FilterAlpha && kernel[kernel.Height / 2, kernel.Width / 2] == 0);
    }

    /// <summary>Whether a picture must be filtered in this way: something is transparent in it, or beyond its edge.</summary>
    public static bool Suits<TIn>(FilterPlan plan, byte* input, nint inputRow)
        where TIn : unmanaged
    {
        var shape = plan.Shape;
        return HasClearBorder(plan) || !AlphaPass.IsOpaque<TIn>(input, inputRow, shape.Height, shape.Width, shape.Channels);
    }

    /// <summary>Whether what lies beyond the edge is transparent.</summary>
    public static bool HasClearBorder(FilterPlan plan) =>
        plan.Options is { Border: BorderMode.Constant, FilterAlpha: true } && plan.Options.ConstantValue != plan.Shape.MaxValue;

    /// <summary>Filters a rectangle.</summary>
    public void Run<TIn, TOut>(in FilterPair pictures)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var first = pictures.Top / _bandRows;
        var work = new Bands<TIn, TOut> { Filter = this, Pictures = pictures, First = first };
        WorkerPool.Shared.Run(ref work, ((pictures.Bottom - 1) / _bandRows) - first + 1, _plan.Options.Threads);
    }

    private static ImageFilter Inner(FilterKernel kernel, ImageShape shape, FilterOptions options, SimdWidth width) =>
        new(FilterPlan.Create(kernel, shape, options), width, weighsAlpha: false);

    private static FilterKernel Magnitudes(FilterKernel kernel)
    {
        var values = new double[kernel.Values.Length];
        TensorPrimitives.Abs(kernel.Values, values);
        return new FilterKernel(values, kernel.Height, kernel.Width, kernel.Epsilon, kernel.Name);
    }

    private void FilterBand<TIn, TOut>(in FilterPair pictures, int band)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var shape = _sums.Plan.Shape;
        var (top, bottom) = (Math.Max(pictures.Top, band * _bandRows), Math.Min(pictures.Bottom, (band + 1) * _bandRows));
        var region = new ImageRegion(
            pictures.Left + _borders.Before, top - (band * _bandRows) + _borders.Above, pictures.Right - pictures.Left, bottom - top);
        var weighed = ArrayPool<float>.Shared.Rent(shape.Height * shape.RowElements);
        var result = region.Height * region.Width * shape.Channels;
        var sums = ArrayPool<float>.Shared.Rent(result);
        var magnitudes = _magnitudes is null ? sums : ArrayPool<float>.Shared.Rent(result);

        Weigh<TIn>(pictures, band, region, weighed);
        Filter(_sums, weighed, region, sums);
        if (_magnitudes is not null)
            Filter(_magnitudes, weighed, region, magnitudes);
        for (var y = 0; y < region.Height; y++)
        {
            var row = y * region.Width * shape.Channels;
            Divide<TIn, TOut>(pictures, top + y, sums.AsSpan(row), magnitudes.AsSpan(row));
        }

        pictures.CopyAlpha(top, bottom, shape.Channels);
        if (_magnitudes is not null)
            ArrayPool<float>.Shared.Return(magnitudes);
        ArrayPool<float>.Shared.Return(sums);
        ArrayPool<float>.Shared.Return(weighed);
    }

    private void Filter(ImageFilter filter, float[] weighed, ImageRegion region, float[] sums)
    {
        var shape = filter.Plan.Shape;
        ReadOnlySpan<nint> lengths = [shape.Height, shape.Width, shape.Channels];
        ReadOnlySpan<nint> part = [region.Height, region.Width, shape.Channels];
        filter.Run(
            new ReadOnlyTensorSpan<float>(weighed.AsSpan(0, shape.Height * shape.RowElements), lengths),
            region,
            new TensorSpan<float>(sums.AsSpan(0, region.Height * region.Width * shape.Channels), part));
    }

    // What the region's sums read: rows and columns of the picture, and what stands for those beyond its edge.
    private void Weigh<TIn>(in FilterPair pictures, int band, ImageRegion region, float[] weighed)
        where TIn : unmanaged
    {
        var (shape, inner, options) = (_plan.Shape, _sums.Plan.Shape, _plan.Options);
        var (first, last) = (region.Left - _borders.Before, region.Left + region.Width + _borders.After);
        fixed (float* start = weighed)
        {
            for (var y = region.Top - _borders.Above; y < region.Top + region.Height + _borders.Below; y++)
            {
                var row = start + ((nint)y * inner.RowElements);
                var source = Borders.Resolve((band * _bandRows) + y - _borders.Above, shape.Height, options.Border);
                var input = (TIn*)(pictures.Input + (source * pictures.InputRowBytes));
                for (var x = first; x < last; x++)
                {
                    var column = source == Borders.Outside
                        ? Borders.Outside
                        : Borders.Resolve(x - _borders.Before, shape.Width, options.Border);
                    if (column == Borders.Outside)
                    {
                        WeighBorder(row + ((nint)x * shape.Channels));
                        continue;
                    }

                    // As many pixels at once as lie side by side.
                    var count = column == x - _borders.Before ? Math.Min(last - x, shape.Width - column) : 1;
                    Weigh(input + ((nint)column * shape.Channels), row + ((nint)x * shape.Channels), count, shape.Channels);
                    x += count - 1;
                }
            }
        }
    }

    private void WeighBorder(float* pixel)
    {
        var (channels, options) = (_plan.Shape.Channels, _plan.Options);
        var color = (float)options.ConstantValue;
        var alpha = options.FilterAlpha ? Math.Max(0, color) : (float)_plan.Shape.MaxValue;
        new Span<float>(pixel, channels - 1).Fill(color * alpha);
        pixel[channels - 1] = alpha;
    }

    private static void Weigh<TIn>(TIn* source, float* target, int pixels, int channels)
        where TIn : unmanaged
    {
        for (var end = source + ((nint)pixels * channels); source < end; source += channels, target += channels)
        {
            // No comparison with NaN is true. A colour that is not seen may be no number.
            var alpha = SimdScalar.LoadPixels(source + channels - 1);
            alpha = alpha > 0 ? alpha : 0;
            for (var c = 0; c < channels - 1; c++)
                target[c] = alpha > 0 ? SimdScalar.LoadPixels(source + c) * alpha : 0;
            target[channels - 1] = alpha;
        }
    }

    private void Divide<TIn, TOut>(in FilterPair pictures, int y, ReadOnlySpan<float> sums, ReadOnlySpan<float> magnitudes)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var channels = _plan.Shape.Channels;
        var offset = (float)_plan.Options.Offset;
        var left = (nint)pictures.Left * channels;
        var source = (TIn*)(pictures.Input + (y * pictures.InputRowBytes)) + left;
        var target = (TOut*)(pictures.Output + (y * pictures.OutputRowBytes)) + left;
        var (opaque, signed) = ((float)_plan.Shape.MaxValue, _magnitudes is not null);
        for (int x = 0, last = channels - 1; last < (pictures.Right - pictures.Left) * channels; x += channels, last += channels)
        {
            var (weight, seen) = (sums[last], magnitudes[last]);
            var isSeen = seen > _leastSeen;
            var share = isSeen ? 1 / seen : 0;
            for (var c = x; c < last; c++)
            {
                var mean = isSeen ? magnitudes[c] * share : Own(source + c, source + last);
                var color = signed && isSeen ? (sums[c] + (mean * ((_gain * opaque) - weight))) / opaque : mean * _gain;
                SimdScalar.StorePixel(color + offset, target + c);
            }

            SimdScalar.StorePixel(weight + offset, target + last);
        }
    }

    private static float Own<TIn>(TIn* color, TIn* alpha)
        where TIn : unmanaged => SimdScalar.LoadPixels(alpha) > 0 ? SimdScalar.LoadPixels(color) : 0;

    private struct Bands<TIn, TOut> : IParallelWork
        where TIn : unmanaged
        where TOut : unmanaged
    {
        public TransparentFilter Filter;
        public FilterPair Pictures;
        public int First;

        public readonly void Execute(int part) => Filter.FilterBand<TIn, TOut>(Pictures, First + part);
    }
}
