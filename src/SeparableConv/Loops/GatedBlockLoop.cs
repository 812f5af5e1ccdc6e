namespace SeparableConv.Loops;

/// <summary>
/// A block that squeezes and excites, as MobileNetV3's and EfficientNet's do: pointwise into many channels or nothing, depthwise, the mean
/// of each channel, two small convolutions of the means, whose result weighs the channels, pointwise into few, and the shortcut's sum where
/// there is one. To the bit what the steps give one after the other, where a mean is that of the sums of the rows.
/// </summary>
/// <remarks>
/// What the depthwise step gives is whole, for its means must be known before any of it is weighed. But each thread reads the rows again
/// that it wrote, out of its own cache.
/// </remarks>
internal sealed unsafe class GatedBlockLoop
{
    // Each buffer begins on a cache line.
    private const int LineFloats = 16;

    private readonly FusedExpansionLoop _front;
    private readonly PointwiseLoop _squeeze;
    private readonly PointwiseLoop _excite;
    private readonly PointwiseLoop _project;
    private readonly ExpansionSizes _sizes;

    /// <param name="expand">The first convolution, or none.</param>
    /// <param name="depthwise">The depthwise step.</param>
    /// <param name="squeeze">The convolution of the means.</param>
    /// <param name="excite">The one behind it: a gate for each channel of the depthwise step.</param>
    /// <param name="project">The last convolution.</param>
    /// <param name="sizes">The sizes of the steps.</param>
    public GatedBlockLoop(
        IRowLoop? expand, DepthwiseLoop depthwise, PointwiseLoop squeeze, PointwiseLoop excite, PointwiseLoop project,
        in ExpansionSizes sizes)
    {
        _front = new FusedExpansionLoop(expand, depthwise, null);
        (_squeeze, _excite, _project, _sizes) = (squeeze, excite, project, sizes);
    }

    private nint ImageFloats => Lines((nint)_sizes.Depthwise.Batch * Pixels * _sizes.Depthwise.OutChannels);

    private nint RowSumFloats => Lines((nint)_sizes.Depthwise.Batch * _sizes.Depthwise.Rows.Out * _sizes.Depthwise.OutChannels);

    private nint GateFloats => Lines((nint)_sizes.Depthwise.Batch * _sizes.Depthwise.OutChannels);

    private nint SqueezedFloats => Lines((nint)_sizes.Depthwise.Batch * _squeeze.OutChannels);

    private nint Pixels => (nint)_sizes.Depthwise.Rows.Out * _sizes.Depthwise.Columns.Out;

    /// <summary>Floats of memory that a run needs beside its input and output.</summary>
    public nint ScratchFloats => checked(ImageFloats + RowSumFloats + (2 * GateFloats) + SqueezedFloats);

    /// <summary>Computes (N, outH, outW, O) from (N, inH, inW, C).</summary>
    /// <param name="input">(N, inH, inW, C).</param>
    /// <param name="shortcut">(N, outH, outW, O), added to the last sums behind their activation; null for none.</param>
    /// <param name="output">(N, outH, outW, O).</param>
    /// <param name="scratch"><see cref="ScratchFloats"/>, aligned to a cache line.</param>
    /// <param name="threads">Threads to use at most.</param>
    public void Run(float* input, float* shortcut, float* output, float* scratch, int threads)
    {
        var g = _sizes.Depthwise;
        var image = scratch;
        var rowSums = image + ImageFloats;
        var means = rowSums + RowSumFloats;
        var squeezed = means + GateFloats;
        var gates = squeezed + SqueezedFloats;
        _front.Run(input, null, image, _sizes, threads, new ChannelMeans(rowSums, means));
        _squeeze.Run(means, squeezed, g.Batch, threads);
        _excite.Run(squeezed, gates, g.Batch, threads);
        _project.RunGated(image, gates, shortcut, output, g.Batch, Pixels, threads);
    }

    private static nint Lines(nint floats) => checked(floats + LineFloats - 1) / LineFloats * LineFloats;
}
