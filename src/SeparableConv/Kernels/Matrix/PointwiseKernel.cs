using SeparableConv.Threading;

namespace SeparableConv.Kernels;

/// <summary>
/// A 1x1 convolution of stride 1 without padding: every pixel of the batch is a row of one matrix product,
/// y[p, o] = activation(bias[o] + sum over c of x[p, c] * w[c, o]).
/// </summary>
internal sealed unsafe class PointwiseKernel
{
    // Below so many rows a thread spends more on half-filled tiles than it saves by having a part of its own.
    private const int LeastRowsInPart = 2 * MatrixTile.MostRows;

    private const int ActivationBlockFloats = 16 * 1024;

    private readonly object _gate = new();
    private readonly int _inChannels;
    private readonly int _outChannels;
    private readonly Activation _activation;
    private readonly SimdWidth _width;
    private readonly bool _mayUseStrassen;
    private readonly float[] _bias;
    private float[]? _weights;
    private PackedMatrix? _plain;
    private StrassenMatrix? _strassen;

    /// <param name="weights">(C, O).</param>
    /// <param name="inChannels">C.</param>
    /// <param name="outChannels">O.</param>
    /// <param name="bias">(O), or none.</param>
    /// <param name="activation">Applied to the sum.</param>
    /// <param name="width">The vector width to run with.</param>
    /// <param name="fastAlgorithms">Whether images may be computed with <see cref="StrassenMatrix"/> where that is faster.</param>
    /// <param name="pixelsInImage">
    /// Pixels of the images to come, where that is known; else 0: then the first image decides how the weights are packed.
    /// </param>
    public PointwiseKernel(
        ReadOnlySpan<float> weights,
        int inChannels,
        int outChannels,
        ReadOnlySpan<float> bias,
        Activation activation,
        SimdWidth width,
        bool fastAlgorithms = false,
        nint pixelsInImage = 0)
    {
        (_inChannels, _outChannels, _activation, _width) = (inChannels, outChannels, activation, width);
        _bias = bias.ToArray();
        _mayUseStrassen = fastAlgorithms && StrassenMatrix.Pays(inChannels, outChannels)
            && (pixelsInImage == 0 || pixelsInImage >= StrassenMatrix.LeastRows);
        if (!_mayUseStrassen)
            _plain = CreatePlain(weights);
        else if (pixelsInImage > 0)
            _strassen = CreateStrassen(weights);
        else
            _weights = weights.ToArray();
    }

    /// <summary>Computes <paramref name="pixels"/> rows of (pixels, C) into (pixels, O).</summary>
    /// <param name="input">(pixels, C).</param>
    /// <param name="output">(pixels, O).</param>
    /// <param name="pixels">Pixels of all images together.</param>
    /// <param name="threads">Threads to use at most.</param>
    /// <param name="images">Images that the pixels belong to; an image's result does not depend on the others.</param>
    public void Run(float* input, float* output, nint pixels, int threads, int images = 1)
    {
        var pixelsInImage = pixels / images;
        if (UsesStrassen(pixelsInImage))
        {
            for (var image = 0; image < images; image++)
                RunImages(input + (image * pixelsInImage * _inChannels), output + (image * pixelsInImage * _outChannels), pixelsInImage, pixelsInImage, threads);
        }
        else
        {
            RunImages(input, output, pixels, pixelsInImage, threads);
        }
    }

    /// <summary>Whether images of so many pixels are computed in pairs of pixels, so that they may be cut at even ones only.</summary>
    public bool UsesStrassen(nint pixelsInImage) => _mayUseStrassen && pixelsInImage >= StrassenMatrix.LeastRows;

    /// <summary>Whether the filters can be cut into so many parts, each of which is finished by itself.</summary>
    public bool CanShareFilters(nint pixelsInImage, int parts) => Panels(pixelsInImage) >= parts && !_activation.NeedsAllChannels;

    /// <summary>
    /// Computes part <paramref name="filterPart"/> of <paramref name="filterParts"/> of the filters, for pixels of one image whose
    /// channels begin <paramref name="inputStride"/> floats apart, on the calling thread.
    /// </summary>
    public void RunPixels(
        float* input, nint inputStride, nint pixels, nint pixelsInImage, float* output, nint outputStride, int filterPart = 0, int filterParts = 1)
    {
        var panels = Panels(pixelsInImage);
        var (first, end) = (panels * filterPart / filterParts, panels * (filterPart + 1) / filterParts);
        if (UsesStrassen(pixelsInImage))
            RunStrassen(Strassen(), input, inputStride, pixels, output, outputStride, first, end);
        else
            RunPanels(Plain(), input, inputStride, pixels, output, outputStride, first, end);
    }

    private void RunImages(float* input, float* output, nint pixels, nint pixelsInImage, int threads)
    {
        if (threads <= 1)
        {
            RunPixels(input, _inChannels, pixels, pixelsInImage, output, _outChannels);
            return;
        }

        // Cut pixels where there are enough of them; else cut the filters, unless the activation looks across them.
        var pixelParts = (int)Math.Min(4 * threads, pixels / LeastRowsInPart / threads * threads);
        var sharesFilters = pixelParts < threads && CanShareFilters(pixelsInImage, threads);
        var work = new Work
        {
            Kernel = this,
            Input = input,
            Output = output,
            Pixels = pixels,
            PixelsInImage = pixelsInImage,
            PixelParts = Math.Max(1, pixelParts),
            FilterParts = sharesFilters ? Math.Min(2 * threads, Panels(pixelsInImage)) : 1,
        };
        if (work.PixelParts < threads && work.FilterParts == 1)
            work.PixelParts = (int)Math.Min(threads, pixels);
        WorkerPool.Shared.Run(ref work, work.PixelParts * work.FilterParts, threads);
    }

    private int Panels(nint pixelsInImage) => UsesStrassen(pixelsInImage) ? Strassen().Panels : Plain().Panels.Length;

    private PackedMatrix Plain()
    {
        if (Volatile.Read(ref _plain) is { } ready)
            return ready;
        lock (_gate)
        {
            if (_plain is null)
            {
                Volatile.Write(ref _plain, CreatePlain(_weights));
                Release();
            }

            return _plain!;
        }
    }

    private StrassenMatrix Strassen()
    {
        if (Volatile.Read(ref _strassen) is { } ready)
            return ready;
        lock (_gate)
        {
            if (_strassen is null)
            {
                Volatile.Write(ref _strassen, CreateStrassen(_weights));
                Release();
            }

            return _strassen!;
        }
    }

    // Once both are there nobody asks for the weights again.
    private void Release()
    {
        if (_plain is not null && _strassen is not null)
            _weights = null;
    }

    private PackedMatrix CreatePlain(ReadOnlySpan<float> weights) =>
        new(weights, _outChannels, _inChannels, _outChannels, _bias, _width, segmentLength: _inChannels);

    private StrassenMatrix CreateStrassen(ReadOnlySpan<float> weights) => new(weights, _inChannels, _outChannels, _bias, _width);

    private void RunStrassen(
        StrassenMatrix weights, float* input, nint inputStride, nint pixels, float* output, nint outputStride, int firstPanel, int endPanel)
    {
        weights.Run(input, inputStride, pixels, output, outputStride, _activation.LowerBound, _activation.UpperBound, firstPanel, endPanel);
        if (_activation.IsClamp)
            return;
        if (endPanel - firstPanel == weights.Panels)
        {
            _activation.ApplyRows(output, pixels, _outChannels, outputStride, 0, _width);
            return;
        }

        var (first, end) = (weights.FirstColumn(firstPanel), weights.FirstColumn(endPanel));
        foreach (var half in (ReadOnlySpan<int>)[0, _outChannels / 2])
            _activation.ApplyRows(output + half + first, pixels, end - first, outputStride, half + first, _width);
    }

    private void RunPanels(
        PackedMatrix weights, float* input, nint inputStride, nint pixels, float* output, nint outputStride, int firstPanel, int endPanel)
    {
        var panels = weights.Panels;
        var firstColumn = panels[firstPanel].FirstColumn;
        var columns = (endPanel < panels.Length ? panels[endPanel].FirstColumn : weights.Columns) - firstColumn;

        // What is not a clamp is applied to finished pixels while they are in the cache.
        var block = _activation.IsClamp ? pixels : Math.Max(MatrixTile.MostRows, ActivationBlockFloats / columns);
        nint segment = 0;
        var left = new LeftRows { RowStride = inputStride, SegmentOffsets = &segment, Segments = 1, SegmentLength = weights.Depth };
        for (nint first = 0; first < pixels; first += block)
        {
            left.Start = input + (first * inputStride);
            left.Rows = Math.Min(block, pixels - first);
            var target = output + (first * outputStride);
            MatrixProduct.Run(weights, left, target, outputStride, _activation.LowerBound, _activation.UpperBound, firstPanel, endPanel);
            _activation.ApplyRows(target + firstColumn, left.Rows, columns, outputStride, firstColumn, _width);
        }
    }

    private struct Work : IParallelWork
    {
        public PointwiseKernel Kernel;
        public float* Input;
        public float* Output;
        public nint Pixels;
        public nint PixelsInImage;
        public int PixelParts;
        public int FilterParts;

        public readonly void Execute(int part)
        {
            var (filterPart, pixelPart) = Math.DivRem(part, PixelParts);
            var first = Cut(pixelPart);
            var end = Cut(pixelPart + 1);
            var (depth, columns) = (Kernel._inChannels, Kernel._outChannels);
            if (first < end)
                Kernel.RunPixels(Input + (first * depth), depth, end - first, PixelsInImage, Output + (first * columns), columns, filterPart, FilterParts);
        }

        // At even pixels, so that a pair of them is never torn apart.
        private readonly nint Cut(int part) => part == PixelParts ? Pixels : Pixels * part / PixelParts & ~1;
    }
}
