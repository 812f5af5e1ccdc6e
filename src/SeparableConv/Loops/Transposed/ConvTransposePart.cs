using System.Diagnostics;

namespace SeparableConv.Loops;

/// <summary>
/// The output pixels of a transposed convolution that the same taps reach, a phase of its rows and one of its columns: a convolution of
/// stride 1 with these taps in reverse, whose pixels are written a stride apart. Where the kernel tiles the output row, all phases of the
/// columns are one convolution, whose filters are neighbouring pixels.
/// </summary>
internal sealed unsafe class ConvTransposePart
{
    private readonly ConvTransposeGeometry _whole;
    private readonly ConvGeometry _geometry;
    private readonly ConvTransposePhase _rows;
    private readonly ConvTransposePhase _columns;
    private readonly Size2D _stride;
    private readonly Size2D _tapStep;
    private readonly bool _joinsColumns;
    private readonly Activation _activation;
    private readonly SimdWidth _width;
    private readonly StandardLoop? _standard;
    private readonly DepthwiseLoop? _depthwise;

    // What a pixel is that no tap reaches.
    private readonly PackedBuffer _bias;

    public ConvTransposePart(
        in ConvTransposeGeometry whole, ConvTransposeAxis rows, ConvTransposeAxis columns, int row, int column, bool joinsColumns,
        Activation activation, SimdWidth width)
    {
        (_whole, _activation, _width, _joinsColumns) = (whole, activation, width, joinsColumns);
        (_rows, _columns) = (rows.Phases[row], columns.Phases[column]);
        (_stride, _tapStep) = ((rows.Stride, columns.Stride), (rows.TapStep, columns.TapStep));
        var filters = joinsColumns ? checked(whole.OutChannels * columns.Stride) : whole.OutChannels;
        _geometry = new(1, whole.InChannels, filters, whole.Groups, _rows.Axis, _columns.Axis);
        _bias = new PackedBuffer(filters);
        if (WeightCount == 0)
            return;

        // Joined columns are pixels only when they are done.
        var inLoop = joinsColumns && !activation.IsClamp ? Activation.None : activation;
        var zeros = new float[WeightCount];
        if (whole.Groups > 1 && whole.Groups == whole.InChannels)
            _depthwise = new DepthwiseLoop(
                zeros, _geometry.Kernel, whole.InChannels, whole.OutChannels / whole.InChannels, default, inLoop, width);
        else
            _standard = new StandardLoop(
                zeros, _geometry.Kernel, whole.InChannels, filters, whole.Groups, _columns.Axis.Dilation, default, inLoop, width);
    }

    /// <summary>Weights of the phase; none where no tap reaches it.</summary>
    public int WeightCount => checked(
        _geometry.Kernel.Height * _geometry.Kernel.Width * (_whole.InChannels / _whole.Groups) * _geometry.OutChannels);

    private LineStrides OutputStride => new(
        (nint)_stride.Height * _whole.Output.Width * _whole.OutChannels, (nint)_stride.Width * _whole.OutChannels);

    /// <summary>Packs the phase's share of other weights (kH, kW, C, O/groups) and a bias (O) or none; allocates nothing.</summary>
    /// <param name="weights">All weights.</param>
    /// <param name="bias">The bias, or none.</param>
    /// <param name="scratch">Room for <see cref="WeightCount"/> floats.</param>
    /// <param name="threads">Threads to pack with.</param>
    public void Refill(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, Span<float> scratch, int threads)
    {
        for (var at = 0; at < _geometry.OutChannels && !bias.IsEmpty; at += bias.Length)
            bias.CopyTo(_bias.Span[at..]);
        if (WeightCount == 0)
            return;
        var target = scratch;
        for (var u = _geometry.Kernel.Height - 1; u >= 0; u--)
        {
            for (var v = _geometry.Kernel.Width - 1; v >= 0; v--)
                target = Gather(weights, _rows.FirstTap + (u * _tapStep.Height), _columns.FirstTap + (v * _tapStep.Width), target);
        }

        _standard?.Refill(scratch[..WeightCount], _bias.Span, threads);
        _depthwise?.Refill(scratch[..WeightCount], _bias.Span);
    }

    /// <summary>Into how many parts an image is cut for so many threads.</summary>
    public int Parts(int threads) => _standard is null ? Math.Min(_geometry.Rows.Out, 2 * threads) : Cut(threads).Parts;

    /// <summary>Computes a part of an image; beyond the last part nothing.</summary>
    public void Run(float* image, float* output, int part, int threads)
    {
        output += (((nint)_rows.First * _whole.Output.Width) + _columns.First) * _whole.OutChannels;
        if (_standard is null)
        {
            var parts = Parts(threads);
            var (rows, end) = ((long)_geometry.Rows.Out, Math.Min(part + 1, parts));
            for (var row = (int)(rows * part / parts); row < (int)(rows * end / parts); row++)
                RunRow(image, output + (row * OutputStride.Line), row);
            return;
        }

        var cut = Cut(threads);
        if (part >= cut.Parts)
            return;
        _standard.RunPart(image, output, OutputStride, _geometry, cut, part);
        if (!_joinsColumns || _activation.IsClamp)
            return;
        var rectangle = cut.Rectangle(part);
        Debug.Assert(cut.PanelParts == 1, "A part has whole pixels.");
        for (var row = rectangle.FirstRow; row < rectangle.EndRow; row++)
        {
            var pixels = output + (row * OutputStride.Line) + (rectangle.FirstColumn * OutputStride.Pixel);
            _activation.Apply(pixels, rectangle.Columns * _stride.Width, _whole.OutChannels, _width);
        }
    }

    private StandardCut Cut(int threads) => _standard!.Cut(_geometry, threads, needsAllChannels: _joinsColumns && !_activation.IsClamp);

    private void RunRow(float* image, float* output, int row)
    {
        if (_depthwise is not null)
        {
            _depthwise.RunRows(image, output, OutputStride.Pixel, _geometry, row, row + 1);
            return;
        }

        for (var x = 0; x < _geometry.Columns.Out; x++)
        {
            var pixel = output + (x * OutputStride.Pixel);
            _bias.Span.CopyTo(new Span<float>(pixel, _geometry.OutChannels));
            _activation.Apply(pixel, _geometry.OutChannels / _whole.OutChannels, _whole.OutChannels, _width);
        }
    }

    /// <summary>Copies a tap's weights as the phase's loop wants them, and returns what is behind them.</summary>
    private Span<float> Gather(ReadOnlySpan<float> weights, int row, int column, Span<float> target)
    {
        var (groups, filters) = (_whole.Groups, _whole.OutChannels / _whole.Groups);
        var channels = _whole.InChannels / groups;
        var matrix = _whole.InChannels * filters;
        var tap = weights.Slice(((row * _whole.Kernel.Width) + column) * matrix);
        if (_depthwise is not null || (groups == 1 && !_joinsColumns))
        {
            tap[..matrix].CopyTo(target);
            return target[matrix..];
        }

        // (C, kW*O) of joined columns, (C/groups, O) of groups: the same copies.
        var pieces = _joinsColumns ? _whole.Kernel.Width : groups;
        for (var c = 0; c < channels; c++)
        {
            for (var piece = 0; piece < pieces; piece++)
            {
                var from = _joinsColumns ? (piece * matrix) + (c * filters) : ((piece * channels) + c) * filters;
                tap.Slice(from, filters).CopyTo(target);
                target = target[filters..];
            }
        }

        return target;
    }
}
