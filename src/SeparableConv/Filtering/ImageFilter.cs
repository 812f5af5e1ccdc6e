using System.Globalization;
using System.Numerics.Tensors;
using SeparableConv.Filtering;
using SeparableConv.Loops;
using SeparableConv.Threading;

namespace SeparableConv;

/// <summary>A filter made ready for pictures of one shape: y[i,j,c] = round(scale * sum over u,v of x[i+u-kH/2, j+v-kW/2, c] * k[u,v] + offset).</summary>
/// <remarks>
/// Sums are made in float32 from the widened pixels and rounded once, half to even, and saturated; so a byte is within
/// 0.5 + 1e-3 of the exact value for kernels whose absolute sum is about 1. In float pictures, taps of weight zero are
/// not read: a NaN or an infinity reaches only the pixels whose kernel has a weight on it. Results do not depend on the number of
/// threads. <see cref="Run{T}"/> allocates nothing after its first call, and one filter may run on several threads at once.
/// </remarks>
/// <example>
/// <code>
/// var filter = new ImageFilter(FilterPlan.Create(kernel, new ImageShape(height, width, 3, ElementType.UInt8)));
/// filter.Run(new ReadOnlyTensorSpan&lt;byte&gt;(pixels, [height, width, 3]), new TensorSpan&lt;byte&gt;(result, [height, width, 3]));
/// </code>
/// </example>
public sealed unsafe class ImageFilter
{
    private const int CacheLine = 64;

    private readonly PinnedTables _tables = new();
    private readonly SimdWidth _width;
    private readonly SeparableBands _separable;
    private readonly DenseBands _dense;

    /// <summary>Prepares a plan.</summary>
    /// <param name="plan">The plan.</param>
    /// <exception cref="ArgumentException">The kernel's numbers, scaled, are beyond float32.</exception>
    public ImageFilter(FilterPlan plan)
        : this(plan, SimdWidths.Best)
    {
    }

    internal ImageFilter(FilterPlan plan, SimdWidth width)
    {
        ArgumentNullException.ThrowIfNull(plan);
        CheckWeights(plan);
        Plan = plan;
        var borders = new FilterBorders(plan);
        if (plan.Separable is null)
        {
            _dense = DenseSetup.Create(plan, borders, width, _tables, out _width);
            _dense.Widen = plan.Shape.Type switch
            {
                ElementType.UInt8 => FilterLoops.Widen<byte>(_width),
                ElementType.UInt16 => FilterLoops.Widen<ushort>(_width),
                _ => FilterLoops.Widen<float>(_width),
            };
        }
        else
        {
            _separable = plan.Shape.Type switch
            {
                ElementType.UInt8 => SeparableSetup.Create<byte>(plan, borders, width, _tables, out _width),
                ElementType.UInt16 => SeparableSetup.Create<ushort>(plan, borders, width, _tables, out _width),
                _ => SeparableSetup.Create<float>(plan, borders, width, _tables, out _width),
            };
            if (plan.Options.Border == BorderMode.Constant)
                _separable.ConstantRow = ConstantRow(plan);
        }
    }

    /// <summary>The plan.</summary>
    public FilterPlan Plan { get; }

    /// <summary>Bytes of working memory that each thread takes beside input and output: a few lines.</summary>
    public long ScratchBytes => Plan.Separable is null ? _dense.ScratchBytes : _separable.ScratchBytes;

    /// <summary>Plans and prepares a filter.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="shape">The pictures.</param>
    /// <param name="options">How it is applied; <see cref="FilterOptions.Default"/> where null.</param>
    /// <returns>The filter.</returns>
    /// <exception cref="ArgumentException">As <see cref="FilterPlan.Create"/>, or the kernel's numbers, scaled, are beyond float32.</exception>
    public static ImageFilter Create(FilterKernel kernel, ImageShape shape, FilterOptions? options = null) =>
        new(FilterPlan.Create(kernel, shape, options));

    /// <summary>Filters a picture into one of the same type.</summary>
    /// <typeparam name="T">byte, ushort or float, as the plan's shape says.</typeparam>
    /// <param name="input">(H, W, C), or (H, W) with one channel; pixels of a row dense, any distance from row to row.</param>
    /// <param name="output">The same shape; its memory must not overlap the input's.</param>
    /// <exception cref="ArgumentException">Type, shape or strides do not suit, or input and output overlap.</exception>
    public void Run<T>(in ReadOnlyTensorSpan<T> input, in TensorSpan<T> output)
        where T : unmanaged => Execute(input, output);

    /// <summary>Filters a picture of integers into floats: nothing is rounded or saturated.</summary>
    /// <typeparam name="T">byte, ushort or float, as the plan's shape says.</typeparam>
    /// <param name="input">(H, W, C), or (H, W) with one channel; pixels of a row dense, any distance from row to row.</param>
    /// <param name="output">The same shape; its memory must not overlap the input's.</param>
    /// <exception cref="ArgumentException">Type, shape or strides do not suit, or input and output overlap.</exception>
    public void RunToFloat<T>(in ReadOnlyTensorSpan<T> input, in TensorSpan<float> output)
        where T : unmanaged => Execute(input, output);

    private void Execute<TIn, TOut>(in ReadOnlyTensorSpan<TIn> input, in TensorSpan<TOut> output)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var shape = Plan.Shape;
        if (ImageShape.TypeOf<TIn>() != shape.Type)
            throw new ArgumentException($"The input has elements of type {typeof(TIn).Name} but the filter was planned for {shape}; make a plan for it.");
        var inputRow = RowStride("input", input.Lengths, input.Strides);
        var outputRow = RowStride("output", output.Lengths, output.Strides);

        fixed (TIn* source = &input.GetPinnableReference())
        fixed (TOut* target = &output.GetPinnableReference())
        {
            var inputBytes = (byte*)source;
            var outputBytes = (byte*)target;
            var inputEnd = inputBytes + ((((shape.Height - 1) * inputRow) + shape.RowElements) * sizeof(TIn));
            var outputEnd = outputBytes + ((((shape.Height - 1) * outputRow) + shape.RowElements) * sizeof(TOut));
            if (inputBytes < outputEnd && outputBytes < inputEnd)
                throw new ArgumentException("Input and output overlap in memory; a filter reads rows it has already passed, so give the output memory of its own.");

            if (Plan.Separable is null)
                RunDense<TIn, TOut>(inputBytes, inputRow, outputBytes, outputRow);
            else
                RunSeparable<TIn, TOut>(inputBytes, inputRow, outputBytes, outputRow);
        }

        GC.KeepAlive(this);
    }

    private void RunSeparable<TIn, TOut>(byte* input, nint inputRow, byte* output, nint outputRow)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var bands = _separable;
        bands.Input = input;
        bands.InputRowBytes = inputRow * sizeof(TIn);
        bands.InputElementBytes = sizeof(TIn);
        bands.Output = output;
        bands.OutputRowBytes = outputRow * sizeof(TOut);
        bands.OutputElementBytes = sizeof(TOut);
        bands.KeepAlpha = AlphaCopy<TIn, TOut>();
        bands.Streams = Streams<TOut>();
        var (taps, step) = (bands.RowTaps.Taps, bands.RowTaps.Step);
        if (typeof(TIn) == typeof(float) && bands.Streams && _width == SimdWidth.V512)
            bands.Small = SmallPass(bands);
        bands.Row = bands.Streams ? FilterLoops.Row<StreamedFloat>(_width, taps, step) : FilterLoops.Row<TOut>(_width, taps, step);
        WorkerPool.Shared.Run(ref bands, (bands.Height + bands.BandRows - 1) / bands.BandRows, Plan.Options.Threads);
    }

    // Rows of at least a few vectors, whose vectors begin in all rows alike.
    private static delegate*<SmallFilterTaps*, void> SmallPass(in SeparableBands bands)
    {
        var fits = bands is { TermCount: 1, Before: 1, After: 1, Border: not BorderMode.Wrap } && bands.Terms[0] is { Span: 3, FourLines: not null }
            && bands.RowTaps.Step * (bands.RowTaps.Taps - 1) == 2 * bands.Channels
            && bands.OutputRowBytes % CacheLine == 0 && bands.Width * bands.Channels >= 8 * SmallFilterPass.V;
        return fits ? SmallFilterPass.For(bands.Terms[0].Taps == 2, bands.RowTaps.Taps, bands.Channels) : null;
    }

    private void RunDense<TIn, TOut>(byte* input, nint inputRow, byte* output, nint outputRow)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var bands = _dense;
        bands.Input = input;
        bands.InputRowBytes = inputRow * sizeof(TIn);
        bands.InputElementBytes = sizeof(TIn);
        bands.Output = output;
        bands.OutputRowBytes = outputRow * sizeof(TOut);
        bands.OutputElementBytes = sizeof(TOut);
        bands.KeepAlpha = AlphaCopy<TIn, TOut>();
        bands.OneRow = FilterLoops.Row<TOut>(_width, bands.SingleTaps);
        var streams = Streams<TOut>() && (nint)output % CacheLine == 0 && bands.OutputRowBytes % CacheLine == 0;

        // Rows shorter than one block of the narrowest width are summed one by one.
        if (Strip.Smallest(bands.Strips, bands.Width) * bands.Channels >= DensePass.Vectors * (int)_width)
            bands.TwoRows = streams ? FilterLoops.DenseTwoRows<StreamedFloat>(_width) : FilterLoops.DenseTwoRows<TOut>(_width);
        WorkerPool.Shared.Run(ref bands, (bands.Height + bands.BandRows - 1) / bands.BandRows, Plan.Options.Threads);
    }

    // Alpha is put back into rows just written, which should then still be in cache.
    private bool Streams<TOut>()
        where TOut : unmanaged =>
        typeof(TOut) == typeof(float)
        && (long)Plan.Shape.Height * Plan.Shape.RowElements * sizeof(float) >= StreamedFloat.WorthwhileBytes
        && (!Plan.Shape.HasAlpha || Plan.Options.FilterAlpha);

    private delegate*<byte*, byte*, int, int, void> AlphaCopy<TIn, TOut>()
        where TIn : unmanaged
        where TOut : unmanaged
    {
        if (!Plan.Shape.HasAlpha || Plan.Options.FilterAlpha)
            return null;
        return typeof(TIn) == typeof(TOut) ? &AlphaPass.Copy<TIn> : &AlphaPass.CopyToFloat<TIn>;
    }

    // The distance from row to row in elements.
    private nint RowStride(string what, ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> strides)
    {
        var shape = Plan.Shape;
        var fits = (lengths.Length == 3 || (lengths.Length == 2 && shape.Channels == 1))
            && lengths[0] == shape.Height && lengths[1] == shape.Width && (lengths.Length == 2 || lengths[2] == shape.Channels);
        if (!fits)
        {
            throw new ArgumentException(
                $"The {what} has shape ({string.Join(',', lengths.ToArray())}) but the filter was planned for {shape}; "
                + "shapes are (H, W, C), or (H, W) for one channel.");
        }

        // A dimension of length 1 is never stepped along, and its stride is then 0.
        var dense = (shape.Width == 1 || strides[1] == shape.Channels)
            && (lengths.Length == 2 || shape.Channels == 1 || strides[2] == 1);
        var rowStride = shape.Height == 1 ? shape.RowElements : strides[0];
        if (!dense || rowStride < shape.RowElements)
        {
            throw new ArgumentException(
                $"The {what} of shape ({string.Join(',', lengths.ToArray())}) has strides ({string.Join(',', strides.ToArray())}); "
                + "the pixels of a row must lie side by side and rows must not overlap. Copy it into a dense tensor first.");
        }

        return rowStride;
    }

    private static void CheckWeights(FilterPlan plan)
    {
        var (largest, scale) = (plan.Kernel.MaxAbsolute, plan.Options.Scale);
        if (!float.IsFinite((float)(largest * scale)))
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"{plan.Kernel} has numbers up to {largest} and the scale is {scale}; sums are float32, so the product of the two must be at most {float.MaxValue}."));
        }
    }

    private byte* ConstantRow(FilterPlan plan)
    {
        var count = plan.Shape.RowElements;
        var value = plan.Options.ConstantValue;
        return plan.Shape.Type switch
        {
            ElementType.UInt8 => (byte*)_tables.Add<byte>(Filled((byte)value, count)),
            ElementType.UInt16 => (byte*)_tables.Add<ushort>(Filled((ushort)value, count)),
            _ => (byte*)_tables.Add<float>(Filled((float)value, count)),
        };
    }

    private static T[] Filled<T>(T value, int count)
    {
        var row = new T[count];
        Array.Fill(row, value);
        return row;
    }
}
