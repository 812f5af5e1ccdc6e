using System.Numerics.Tensors;
using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// A 1x1 convolution of stride 1 without padding: every pixel of the batch is a row of one matrix product,
/// y[p, o] = activation(bias[o] + sum over c of x[p, c] * w[c, o]).
/// </summary>
internal sealed unsafe class PointwiseLoop : IRowLoop
{
    // Below so many multiplications, of which the layers between a squeeze and its excitation have few, two threads take longer than one:
    // 120 to 32 took 1.8 us on two and 0.6 on one (Zen 5).
    private const long LeastProductsToShare = 64 * 1024;

    private const int ActivationBlockFloats = 16 * 1024;

    // Rows that a gate was applied to: they stay in a half of the smallest second-level cache in use (512 KB).
    private const int GatedBlockFloats = 64 * 1024;

    private readonly PackedMatrix _weights;
    private readonly Activation _activation;
    private readonly SimdWidth _width;

    /// <param name="weights">(C, O).</param>
    /// <param name="inChannels">C.</param>
    /// <param name="outChannels">O.</param>
    /// <param name="bias">(O), or none.</param>
    /// <param name="activation">Applied to the sum.</param>
    /// <param name="width">The vector width to run with.</param>
    public PointwiseLoop(
        ReadOnlySpan<float> weights, int inChannels, int outChannels, ReadOnlySpan<float> bias, Activation activation, SimdWidth width)
    {
        _weights = new PackedMatrix(weights, outChannels, inChannels, outChannels, bias, width, segmentLength: inChannels);
        _activation = activation;
        _width = width;
    }

    /// <summary>Packs other weights (C, O), and a bias where there is one, in the place of those before; allocates nothing.</summary>
    public void Refill(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, int threads = 1) =>
        _weights.Fill(weights, _weights.Columns, bias, threads);

    /// <summary>Computes <paramref name="pixels"/> rows of (pixels, C) into (pixels, O).</summary>
    public void Run(float* input, float* output, nint pixels, int threads) => Run(input, _weights.Depth, output, pixels, threads);

    /// <summary>
    /// The same from pixels whose channels begin <paramref name="inputStride"/> floats apart; where there is a
    /// <paramref name="shortcut"/> (pixels, O) it is added behind the activation.
    /// </summary>
    public void Run(float* input, nint inputStride, float* output, nint pixels, int threads, float* shortcut = null)
    {
        var work = new Work
        {
            Loop = this,
            Input = input,
            InputStride = inputStride,
            Shortcut = shortcut,
            Output = output,
            Parts = Cut(pixels, threads),
        };
        WorkerPool.Shared.Run(ref work, work.Parts.Count, threads);
    }

    /// <summary>
    /// Computes (images, pixels, C) into (images, pixels, O), each pixel multiplied by the gate of its image (images, C) before. What is
    /// multiplied is a copy of some rows at a time: the bits are those of a product by itself and this convolution behind it.
    /// </summary>
    public void RunGated(float* input, float* gates, float* shortcut, float* output, int images, nint pixels, int threads)
    {
        var work = new Work
        {
            Loop = this,
            Input = input,
            InputStride = _weights.Depth,
            Gates = gates,
            Shortcut = shortcut,
            Output = output,
            Parts = Cut(pixels, (threads + images - 1) / images),
        };
        WorkerPool.Shared.Run(ref work, checked(images * work.Parts.Count), threads);
    }

    private ProductParts Cut(nint pixels, int threads)
    {
        var isTiny = (long)pixels * _weights.Depth * _weights.Columns < LeastProductsToShare;
        return ProductParts.Cut(pixels, _weights.Panels.Length, isTiny ? 1 : threads, CanShareFilters(threads));
    }

    /// <inheritdoc/>
    public void RunRows(float* image, float* output, nint outputPixelStride, in ConvGeometry geometry, int firstRow, int endRow)
    {
        var pixels = image + ((nint)firstRow * geometry.Columns.In * geometry.InChannels);
        RunPixels(pixels, geometry.InChannels, (nint)(endRow - firstRow) * geometry.Columns.In, output, outputPixelStride);
    }

    /// <summary>Whether the filters can be cut into so many parts, each of which is finished by itself.</summary>
    public bool CanShareFilters(int parts) => _weights.Panels.Length >= parts && !_activation.NeedsAllChannels;

    /// <summary>O.</summary>
    public int OutChannels => _weights.Columns;

    /// <summary>Runs of filters that can be computed by themselves.</summary>
    public int Panels => _weights.Panels.Length;

    /// <summary>The filters of a part, first up to and without end.</summary>
    public (int First, int End) Columns(int filterPart, int filterParts)
    {
        var (first, end) = PanelsOf(filterPart, filterParts);
        return (FirstColumn(first), FirstColumn(end));
    }

    /// <summary>
    /// Computes part <paramref name="filterPart"/> of <paramref name="filterParts"/> of the filters, for pixels whose channels begin
    /// <paramref name="inputStride"/> floats apart, on the calling thread.
    /// </summary>
    public void RunPixels(
        float* input, nint inputStride, nint pixels, float* output, nint outputStride, int filterPart = 0, int filterParts = 1,
        float* shortcut = null)
    {
        var (firstPanel, endPanel) = PanelsOf(filterPart, filterParts);
        var firstColumn = FirstColumn(firstPanel);
        var columns = FirstColumn(endPanel) - firstColumn;

        // What registers do not do is applied to finished pixels while they are in the cache.
        var addsApart = shortcut != null && (!_activation.IsClamp || _weights.IsDots);
        var isProductAlone = _activation.IsInRegisters && !addsApart;
        var block = isProductAlone ? pixels : Math.Max(MatrixTile.MostRows, ActivationBlockFloats / columns);
        nint segment = 0;
        var left = new LeftRows { RowStride = inputStride, SegmentOffsets = &segment, Segments = 1, SegmentLength = _weights.Depth };
        for (nint first = 0; first < pixels; first += block)
        {
            left.Start = input + (first * inputStride);
            left.Rows = Math.Min(block, pixels - first);
            var target = output + (first * outputStride);
            var added = shortcut == null || addsApart ? null : shortcut + (first * outputStride);
            MatrixProduct.Run(_weights, left, target, outputStride, _activation, firstPanel, endPanel, added);
            if (!_activation.IsInRegisters)
                _activation.ApplyRows(target + firstColumn, left.Rows, columns, outputStride, firstColumn, _width);
            if (addsApart)
                AddRows(target + firstColumn, shortcut + (first * outputStride) + firstColumn, left.Rows, columns, outputStride);
        }
    }

    private static void AddRows(float* sums, float* shortcut, nint rows, int columns, nint stride)
    {
        for (nint r = 0; r < rows; r++)
        {
            var target = new Span<float>(sums + (r * stride), columns);
            TensorPrimitives.Add(target, new ReadOnlySpan<float>(shortcut + (r * stride), columns), target);
        }
    }

    private (int First, int End) PanelsOf(int filterPart, int filterParts)
    {
        var panels = (long)_weights.Panels.Length;
        return ((int)(panels * filterPart / filterParts), (int)(panels * (filterPart + 1) / filterParts));
    }

    private int FirstColumn(int panel) => panel < _weights.Panels.Length ? _weights.Panels[panel].FirstColumn : _weights.Columns;

    private struct Work : IParallelWork
    {
        public PointwiseLoop Loop;
        public float* Input;
        public nint InputStride;

        /// <summary>(images, C); null where pixels are read as they are.</summary>
        public float* Gates;

        /// <summary>(images, pixels, O), or null.</summary>
        public float* Shortcut;

        public float* Output;
        public ProductParts Parts;

        public readonly void Execute(int part)
        {
            var (image, inImage) = Math.DivRem(part, Parts.Count);
            var (first, count, filterPart) = Parts.Part(inImage);
            first += image * Parts.Rows;
            var input = Input + (first * InputStride);
            if (Gates == null)
                Run(input, InputStride, first, count, filterPart);
            else
                RunGated(input, Gates + ((nint)image * Loop._weights.Depth), first, count, filterPart);
        }

        private readonly void Run(float* input, nint stride, nint first, nint count, int filterPart)
        {
            var columns = Loop._weights.Columns;
            var shortcut = Shortcut == null ? null : Shortcut + (first * columns);
            Loop.RunPixels(input, stride, count, Output + (first * columns), columns, filterPart, Parts.FilterParts, shortcut);
        }

        private readonly void RunGated(float* input, float* gate, nint start, nint pixels, int filterPart)
        {
            var depth = Loop._weights.Depth;
            var stride = Scratch.RowStride(depth);
            var most = Math.Max(4 * MatrixTile.MostRows, GatedBlockFloats / stride);
            var blocks = (pixels + most - 1) / most;
            var gated = Scratch.Tile(checked(Math.Min(most, pixels) * stride));
            for (nint block = 0; block < blocks; block++)
            {
                var first = pixels * block / blocks;
                var count = (pixels * (block + 1) / blocks) - first;
                var rows = new GatedRows(input + (first * depth), gate, gated, count, depth, stride);
                SimdWidths.ForChannels(Loop._width, depth).Dispatch(ref rows);
                Run(gated, stride, start + first, count, filterPart);
            }
        }
    }
}
