using System.Buffers;
using System.Globalization;
using System.Numerics.Tensors;
using SeparableConv.Filtering;
using SeparableConv.Loops;
using SeparableConv.Threading;

namespace SeparableConv;

/// <summary>
/// A filter made ready for pictures of one shape: y[i,j,c] = round(scale * sum over u,v of x[i+u-kH/2, j+v-kW/2, c] * k[u,v] + offset).
/// </summary>
/// <remarks>
/// Sums are made in float32 from the widened pixels and rounded once, half to even, and saturated; so a byte is within
/// 0.5 + 1e-3 of the exact value for kernels whose absolute sum is about 1. In float pictures, taps of weight zero are
/// not read: a NaN or an infinity reaches only the pixels whose kernel has a weight on it. Of 2 and 4 channels the last is alpha, and
/// colours then weigh as much as they are seen (see <see cref="FilterOptions.FilterAlpha"/>). Results do not depend on the number of
/// threads, nor on whether a picture is filtered whole or region by region.
/// Pictures are tensors (H, W, C), or (H, W) with one channel. The pixels of a row lie side by side; from row to row may be any
/// distance, the tensor's first stride. After a first call <see cref="Run{T}(in ReadOnlyTensorSpan{T}, in TensorSpan{T})"/> and its like
/// allocate nothing, and one filter may run on several threads at once. Where the output lies in memory that is also read, as in
/// filtering a picture in place, what is read is copied first, into an array of <see cref="ArrayPool{T}.Shared"/>.
/// </remarks>
/// <example>
/// <code>
/// var filter = ImageFilter.Create(kernel, new ImageShape(height, width, 3, ElementType.UInt8));
/// filter.Run(new ReadOnlyTensorSpan&lt;byte&gt;(pixels, [height, width, 3]), new TensorSpan&lt;byte&gt;(result, [height, width, 3]));
///
/// // Rows that are 4096 bytes apart, filtered in place.
/// var frame = new TensorSpan&lt;byte&gt;(camera, [height, width, 3], [4096, 3, 1]);
/// filter.Run(frame, frame);
/// </code>
/// </example>
public sealed unsafe class ImageFilter
{
    private const int CacheLine = 64;

    private readonly PinnedTables _tables = new();
    private readonly SimdWidth _width;
    private readonly FilterBorders _borders;
    private readonly SeparableBands _separable;
    private readonly DenseBands _dense;
    private readonly BoxTaps _box;
    private readonly Lazy<TransparentFilter>? _transparent;

    /// <summary>Prepares a plan.</summary>
    /// <param name="plan">The plan.</param>
    /// <exception cref="ArgumentException">The kernel's numbers, scaled, are beyond float32.</exception>
    public ImageFilter(FilterPlan plan)
        : this(plan, SimdWidths.Best)
    {
    }

    internal ImageFilter(FilterPlan plan, SimdWidth width, bool weighsAlpha = true)
    {
        ArgumentNullException.ThrowIfNull(plan);
        CheckWeights(plan);
        Plan = plan;
        if (weighsAlpha && TransparentFilter.Matters(plan.Kernel, plan.Shape, plan.Options))
            _transparent = new(() => new TransparentFilter(plan, width));
        _borders = new FilterBorders(plan);
        if (plan.Kind == FilterPlanKind.Box)
        {
            _box = BoxSetup.Create(plan, _tables);
        }
        else if (plan.Separable is null)
        {
            _dense = DenseSetup.Create(plan, _borders, width, _tables, out _width);
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
                ElementType.UInt8 => SeparableSetup.Create<byte>(plan, _borders, width, _tables, out _width),
                ElementType.UInt16 => SeparableSetup.Create<ushort>(plan, _borders, width, _tables, out _width),
                _ => SeparableSetup.Create<float>(plan, _borders, width, _tables, out _width),
            };
        }
    }

    /// <summary>The plan.</summary>
    public FilterPlan Plan { get; }

    /// <summary>Bytes of working memory that each thread takes beside input and output: a few lines.</summary>
    public long ScratchBytes => Plan.Kind == FilterPlanKind.Box ? _box.ScratchBytes
        : Plan.Separable is null ? _dense.ScratchBytes
        : _separable.ScratchBytes;

    /// <summary>Plans and prepares a filter.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="shape">The pictures.</param>
    /// <param name="options">How it is applied; <see cref="FilterOptions.Default"/> where null.</param>
    /// <returns>The filter.</returns>
    /// <exception cref="ArgumentException">
    /// As <see cref="FilterPlan.Create"/>, or the kernel's numbers, scaled, are beyond float32.
    /// </exception>
    public static ImageFilter Create(FilterKernel kernel, ImageShape shape, FilterOptions? options = null) =>
        new(FilterPlan.Create(kernel, shape, options));

    /// <summary>Filters a picture into one of the same type, which may be the picture itself.</summary>
    /// <typeparam name="T">byte, ushort or float, as the plan's shape says.</typeparam>
    /// <param name="input">The picture.</param>
    /// <param name="output">The same shape.</param>
    /// <exception cref="ArgumentException">Type, shape or strides do not suit.</exception>
    public void Run<T>(in ReadOnlyTensorSpan<T> input, in TensorSpan<T> output)
        where T : unmanaged => Execute(input, Everything, output);

    /// <summary>
    /// Filters a rectangle of a picture. Its pixels come out as they do when the whole picture is filtered: around the region the real
    /// neighbours are read, and a border only beyond the picture's own edge.
    /// </summary>
    /// <typeparam name="T">byte, ushort or float, as the plan's shape says.</typeparam>
    /// <param name="input">The whole picture, of the plan's shape.</param>
    /// <param name="region">What is filtered.</param>
    /// <param name="output">As high and wide as the region; it may lie inside the picture itself.</param>
    /// <exception cref="ArgumentException">The region is not inside the picture; or type, shape or strides do not suit.</exception>
    public void Run<T>(in ReadOnlyTensorSpan<T> input, ImageRegion region, in TensorSpan<T> output)
        where T : unmanaged => Execute(input, region, output);

    /// <summary>Filters a picture of integers into floats: nothing is rounded or saturated.</summary>
    /// <typeparam name="T">byte, ushort or float, as the plan's shape says.</typeparam>
    /// <param name="input">The picture.</param>
    /// <param name="output">The same shape.</param>
    /// <exception cref="ArgumentException">Type, shape or strides do not suit.</exception>
    public void RunToFloat<T>(in ReadOnlyTensorSpan<T> input, in TensorSpan<float> output)
        where T : unmanaged => Execute(input, Everything, output);

    /// <summary>Filters a rectangle of a picture of integers into floats: nothing is rounded or saturated.</summary>
    /// <typeparam name="T">byte, ushort or float, as the plan's shape says.</typeparam>
    /// <param name="input">The whole picture, of the plan's shape.</param>
    /// <param name="region">What is filtered.</param>
    /// <param name="output">As high and wide as the region.</param>
    /// <exception cref="ArgumentException">The region is not inside the picture; or type, shape or strides do not suit.</exception>
    public void RunToFloat<T>(in ReadOnlyTensorSpan<T> input, ImageRegion region, in TensorSpan<float> output)
        where T : unmanaged => Execute(input, region, output);

    private ImageRegion Everything => new(0, 0, Plan.Shape.Width, Plan.Shape.Height);

    private void Execute<TIn, TOut>(in ReadOnlyTensorSpan<TIn> input, ImageRegion region, in TensorSpan<TOut> output)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var shape = Plan.Shape;
        if (ImageShape.TypeOf<TIn>() != shape.Type)
        {
            throw new ArgumentException(
                $"The input has elements of type {typeof(TIn).Name} but the filter was planned for {shape}; make a plan for it.");
        }

        region.Check(shape.Height, shape.Width);
        var inputRow = PictureRows.Stride("input", input.Lengths, input.Strides, shape, shape) * sizeof(TIn);
        var result = shape with { Height = region.Height, Width = region.Width };
        var outputRow = PictureRows.Stride("output", output.Lengths, output.Strides, result, shape) * sizeof(TOut);

        fixed (TIn* source = &input.GetPinnableReference())
        fixed (TOut* target = &output.GetPinnableReference())
        {
            var read = _borders.Read(region);
            var inputBytes = (byte*)source;
            var isTransparent = _transparent is not null && !LooksOnTheWay(region)
                && TransparentFilter.Suits<TIn>(Plan, inputBytes, inputRow);
            var outputBytes = (byte*)target;
            var pixelBytes = shape.Channels * sizeof(TIn);
            var readStart = inputBytes + (read.Top * inputRow) + ((nint)read.Left * pixelBytes);
            var readEnd = readStart + ((read.Height - 1) * inputRow) + ((nint)read.Width * pixelBytes);
            var outputEnd = outputBytes + ((region.Height - 1) * outputRow) + ((nint)region.Width * shape.Channels * sizeof(TOut));
            if (readStart < outputEnd && outputBytes < readEnd)
                RunOnCopy<TIn, TOut>(readStart, inputRow, read, outputBytes, outputRow, region, isTransparent);
            else
                Run<TIn, TOut>(inputBytes, inputRow, read, outputBytes, outputRow, region, isTransparent);
        }

        GC.KeepAlive(this);
    }

    // A filter reads pixels whose neighbours it has already written, so what is read is copied.
    private void RunOnCopy<TIn, TOut>(
        byte* source, nint sourceRow, ImageRegion read, byte* output, nint outputRow, ImageRegion region, bool isTransparent)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var pixelBytes = Plan.Shape.Channels * sizeof(TIn);
        var copyRow = (nint)read.Width * pixelBytes;
        var bytes = read.Height * copyRow;
        if (bytes > Array.MaxLength)
        {
            throw new ArgumentException(
                $"Input and output overlap in memory, and what is read ({bytes} bytes) is too much for the copy that this takes (at most "
                + $"{Array.MaxLength}); give the output memory of its own.");
        }

        var copy = ArrayPool<byte>.Shared.Rent((int)bytes);
        fixed (byte* start = copy)
        {
            for (var y = 0; y < read.Height; y++)
                Buffer.MemoryCopy(source + (y * sourceRow), start + (y * copyRow), copyRow, copyRow);
            var first = start - (read.Top * copyRow) - ((nint)read.Left * pixelBytes);
            Run<TIn, TOut>(first, copyRow, read, output, outputRow, region, isTransparent);
        }

        ArrayPool<byte>.Shared.Return(copy);
    }

    // Both pointers are to where the picture's first pixel would lie, whether or not it is read or written: bands count in its columns and
    // rows.
    private void Run<TIn, TOut>(
        byte* input, nint inputRow, ImageRegion read, byte* output, nint outputRow, ImageRegion region, bool isTransparent)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var pictures = new FilterPair
        {
            Input = input,
            InputRowBytes = inputRow,
            InputElementBytes = sizeof(TIn),
            Output = output - (region.Top * outputRow) - ((nint)region.Left * Plan.Shape.Channels * sizeof(TOut)),
            OutputRowBytes = outputRow,
            OutputElementBytes = sizeof(TOut),
            Top = region.Top,
            Bottom = region.Top + region.Height,
            Left = region.Left,
            Right = region.Left + region.Width,
        };
        if (Plan.Shape.HasAlpha && !Plan.Options.FilterAlpha)
            pictures.KeepAlpha = typeof(TIn) == typeof(TOut) ? &AlphaPass.Copy<TIn> : &AlphaPass.CopyToFloat<TIn>;
        if (isTransparent)
        {
            _transparent!.Value.Run<TIn, TOut>(pictures);
            return;
        }

        var found = 0;
        if (_transparent is not null && LooksOnTheWay(region))
        {
            pictures.FoundTransparent = &found;
            pictures.IsOpaque = &AlphaPass.IsOpaque<TIn>;
        }

        RunOpaque<TIn, TOut>(pictures, read, region);
        if (found != 0)
            _transparent!.Value.Run<TIn, TOut>(pictures);
    }

    // A whole picture is looked at band by band while it is filtered as an opaque one; a part of it depends on all the rest.
    private bool LooksOnTheWay(ImageRegion region) =>
        Plan.Kind != FilterPlanKind.Box && region == Everything && !TransparentFilter.HasClearBorder(Plan);

    private void RunOpaque<TIn, TOut>(in FilterPair pictures, ImageRegion read, ImageRegion region)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        if (Plan.Kind == FilterPlanKind.Box)
            RunBox<TIn, TOut>(pictures);
        else if (Plan.Separable is null)
            RunDense<TOut>(pictures, region);
        else
            RunSeparable<TIn, TOut>(pictures, read, region);
    }

    private void RunBox<TIn, TOut>(in FilterPair pictures)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var bands = new BoxBands<TIn, TOut> { Taps = _box, Pictures = pictures };
        WorkerPool.Shared.Run(ref bands, bands.Parts, Plan.Options.Threads);
    }

    private void RunSeparable<TIn, TOut>(in FilterPair pictures, ImageRegion read, ImageRegion region)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var bands = _separable;
        bands.Pictures = pictures;
        (bands.FirstColumn, bands.LastColumn) = (read.Left, read.Left + read.Width);
        bands.Strips = Strip.Count(bands.Strips, bands.Width, region.Width);
        bands.Streams = Streams<TOut>(region);
        var width = SeparableSetup.Narrow(_width, Strip.Smallest(bands.Strips, region.Width) * bands.Channels, SeparableSetup.Vectors);
        var (taps, step, mirror) = (bands.RowTaps.Taps, bands.RowTaps.Step, bands.RowTaps.Mirror);
        if (region.Width == bands.Width)
            SmallFilterSetup.Choose<TIn, TOut>(ref bands, width);
        bands.Row = bands.Streams
            ? FilterLoops.Row<Streamed<TOut>>(width, taps, step, mirror)
            : FilterLoops.Row<TOut>(width, taps, step, mirror);
        WorkerPool.Shared.Run(ref bands, (region.Height + bands.BandRows - 1) / bands.BandRows, Plan.Options.Threads);
    }

    private void RunDense<TOut>(in FilterPair pictures, ImageRegion region)
        where TOut : unmanaged
    {
        var bands = _dense;
        bands.Pictures = pictures;
        bands.Strips = Strip.Count(bands.Strips, bands.Width, region.Width);
        var stripElements = Strip.Smallest(bands.Strips, region.Width) * bands.Channels;
        var width = SeparableSetup.Narrow(_width, stripElements, DensePass.Vectors);
        bands.OneRow = FilterLoops.Row<TOut>(width, bands.SingleTaps);
        var first = (nint)pictures.Output + (region.Left * bands.Channels * sizeof(TOut));
        var streams = Streams<TOut>(region) && first % CacheLine == 0
            && pictures.OutputRowBytes % CacheLine == 0;

        // Rows shorter than one block of the narrowest width are summed one by one.
        if (stripElements >= DensePass.Vectors * (int)width)
            bands.FourRows = streams ? FilterLoops.DenseFourRows<Streamed<TOut>>(width) : FilterLoops.DenseFourRows<TOut>(width);
        WorkerPool.Shared.Run(ref bands, (region.Height + bands.BandRows - 1) / bands.BandRows, Plan.Options.Threads);
    }

    // Alpha is put back into rows just written, which should then still be in cache.
    private bool Streams<TOut>(ImageRegion region)
        where TOut : unmanaged =>
        (long)region.Height * region.Width * Plan.Shape.Channels * sizeof(TOut) >= Streaming.WorthwhileBytes
        && (!Plan.Shape.HasAlpha || Plan.Options.FilterAlpha);

    private static void CheckWeights(FilterPlan plan)
    {
        var (largest, scale) = (plan.Kernel.MaxAbsolute, plan.Options.Scale);
        if (!float.IsFinite((float)(largest * scale)))
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"{plan.Kernel} has numbers up to {largest} and the scale is {scale}; sums are float32, so the product of the two must be "
                + $"at most {float.MaxValue}."));
        }
    }
}
