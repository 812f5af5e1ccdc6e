using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// A 1x1 convolution of stride 1 without padding: every pixel of the batch is a row of one matrix product,
/// y[p, o] = activation(bias[o] + sum over c of x[p, c] * w[c, o]).
/// </summary>
internal sealed unsafe class PointwiseLoop : IRowLoop
{
    // Below so many rows a thread spends more on half-filled tiles than it saves by having a part of its own.
    private const int LeastRowsInPart = 2 * MatrixTile.MostRows;

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
    public void Run(float* input, float* output, nint pixels, int threads)
    {
        var work = new Work { Loop = this, Input = input, Output = output, Images = 1, Parts = Cut(pixels, threads) };
        WorkerPool.Shared.Run(ref work, work.Parts.Count, threads);
    }

    /// <summary>
    /// Computes (images, pixels, C) into (images, pixels, O), each pixel multiplied by the gate of its image (images, C) before. What is
    /// multiplied is a copy of some rows at a time: the bits are those of a product by itself and this convolution behind it.
    /// </summary>
    public void RunGated(float* input, float* gates, float* output, int images, nint pixels, int threads)
    {
        var work = new Work
        {
            Loop = this,
            Input = input,
            Gates = gates,
            Output = output,
            Images = images,
            Parts = Cut(pixels, (threads + images - 1) / images),
        };
        WorkerPool.Shared.Run(ref work, checked(images * work.Parts.Count), threads);
    }

    private ProductParts Cut(nint pixels, int threads)
    {
        if (threads <= 1 || (long)pixels * _weights.Depth * _weights.Columns < LeastProductsToShare)
            return new(pixels, 1, 1);

        // Cut pixels where there are enough of them; else cut the filters, unless the activation looks across them.
        var pixelParts = (int)Math.Min(4 * threads, pixels / LeastRowsInPart / threads * threads);
        var filterParts = pixelParts >= threads || !CanShareFilters(threads) ? 1 : Math.Min(2 * threads, _weights.Panels.Length);
        if (pixelParts < threads && filterParts == 1)
            pixelParts = (int)Math.Min(threads, pixels);
        return new(pixels, Math.Max(1, pixelParts), filterParts);
    }

    /// <inheritdoc/>
    public void RunRows(float* image, float* output, nint outputPixelStride, in ConvGeometry geometry, int firstRow, int endRow)
    {
        var pixels = image + ((nint)firstRow * geometry.Columns.In * geometry.InChannels);
        RunPixels(pixels, geometry.InChannels, (nint)(endRow - firstRow) * geometry.Columns.In, output, outputPixelStride);
    }

    /// <summary>Whether the filters can be cut into so many parts, each of which is finished by itself.</summary>
    public bool CanShareFilters(int parts) => _weights.Panels.Length >= parts && !_activation.NeedsAllChannels;

    /// <summary>
    /// Computes part <paramref name="filterPart"/> of <paramref name="filterParts"/> of the filters, for pixels whose channels begin
    /// <paramref name="inputStride"/> floats apart, on the calling thread.
    /// </summary>
    public void RunPixels(
        float* input, nint inputStride, nint pixels, float* output, nint outputStride, int filterPart = 0, int filterParts = 1)
    {
        var panels = _weights.Panels.Length;
        RunPanels(
            input, inputStride, pixels, output, outputStride, panels * filterPart / filterParts, panels * (filterPart + 1) / filterParts);
    }

    private void RunPanels(float* input, nint inputStride, nint pixels, float* output, nint outputStride, int firstPanel, int endPanel)
    {
        var panels = _weights.Panels;
        var firstColumn = panels[firstPanel].FirstColumn;
        var columns = (endPanel < panels.Length ? panels[endPanel].FirstColumn : _weights.Columns) - firstColumn;

        // What registers do not do is applied to finished pixels while they are in the cache.
        var block = _activation.IsInRegisters ? pixels : Math.Max(MatrixTile.MostRows, ActivationBlockFloats / columns);
        nint segment = 0;
        var left = new LeftRows { RowStride = inputStride, SegmentOffsets = &segment, Segments = 1, SegmentLength = _weights.Depth };
        for (nint first = 0; first < pixels; first += block)
        {
            left.Start = input + (first * inputStride);
            left.Rows = Math.Min(block, pixels - first);
            var target = output + (first * outputStride);
            MatrixProduct.Run(_weights, left, target, outputStride, _activation, firstPanel, endPanel);
            if (!_activation.IsInRegisters)
                _activation.ApplyRows(target + firstColumn, left.Rows, columns, outputStride, firstColumn, _width);
        }
    }

    private struct Work : IParallelWork
    {
        public PointwiseLoop Loop;
        public float* Input;

        /// <summary>(images, C); null where pixels are read as they are.</summary>
        public float* Gates;

        public float* Output;
        public int Images;
        public ProductParts Parts;

        public readonly void Execute(int part)
        {
            var (image, inImage) = Math.DivRem(part, Parts.Count);
            var (first, count, filterPart) = Parts.Part(inImage);
            first += image * Parts.Rows;
            var (depth, columns) = (Loop._weights.Depth, Loop._weights.Columns);
            var input = Input + (first * depth);
            var output = Output + (first * columns);
            if (Gates == null)
                Loop.RunPixels(input, depth, count, output, columns, filterPart, Parts.FilterParts);
            else
                RunGated(input, Gates + ((nint)image * depth), output, count, filterPart);
        }

        private readonly void RunGated(float* input, float* gate, float* output, nint pixels, int filterPart)
        {
            var (depth, columns) = (Loop._weights.Depth, Loop._weights.Columns);
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
                Loop.RunPixels(gated, stride, count, output + (first * columns), columns, filterPart, Parts.FilterParts);
            }
        }
    }
}
