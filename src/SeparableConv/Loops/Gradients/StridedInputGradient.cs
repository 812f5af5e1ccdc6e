using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// The gradient of the input of a standard convolution with a stride: the input positions that lie alike within a stride are met by the
/// same taps, so each such phase of the image is a convolution of stride 1 of the output's gradient, with these taps turned round.
/// </summary>
internal sealed unsafe class StridedInputGradient
{
    private readonly ConvGeometry _geometry;
    private readonly Phase[] _phases;

    /// <summary>Prepares for images of one size that <see cref="Handles"/> says yes to.</summary>
    public StridedInputGradient(in ConvGeometry geometry, SimdWidth width)
    {
        _geometry = geometry;
        var phases = new List<Phase>();
        for (var y = 0; y < Math.Min(geometry.Rows.Stride, geometry.Rows.In); y++)
        {
            for (var x = 0; x < Math.Min(geometry.Columns.Stride, geometry.Columns.In); x++)
                phases.Add(new Phase(geometry, y, x, width));
        }

        _phases = [.. phases];
    }

    /// <summary>Whether a convolution can be taken apart so.</summary>
    public static bool Handles(in ConvGeometry geometry) =>
        geometry is { Groups: 1, Rows.Dilation: 1, Columns.Dilation: 1 } && Fits(geometry.Rows) && Fits(geometry.Columns);

    /// <summary>Computes dx (N, inH, inW, C) from dz and the weights turned round and transposed, (kH, kW, O, C).</summary>
    public void Run(float* gradient, ReadOnlySpan<float> weights, float* inputGradient, int threads)
    {
        foreach (var phase in _phases)
            phase.Refill(weights);
        var work = new Work { Loop = this, Gradient = gradient, InputGradient = inputGradient };
        WorkerPool.Shared.Run(ref work, _geometry.Batch * _phases.Length, threads);
    }

    // No phase begins before the output's gradient does.
    private static bool Fits(in AxisGeometry axis)
    {
        for (var position = 0; position < axis.Stride; position++)
        {
            var (first, count) = Taps(axis, position);
            if (count > 0 && count - 1 < (position + axis.PadBefore - first) / axis.Stride)
                return false;
        }

        return true;
    }

    // Taps first, first + stride, ... meet a position within a stride.
    private static (int First, int Count) Taps(in AxisGeometry axis, int position)
    {
        var first = (position + axis.PadBefore) % axis.Stride;
        return (first, first < axis.Kernel ? ((axis.Kernel - 1 - first) / axis.Stride) + 1 : 0);
    }

    private struct Work : IParallelWork
    {
        public StridedInputGradient Loop;
        public float* Gradient;
        public float* InputGradient;

        public readonly void Execute(int part)
        {
            ref readonly var g = ref Loop._geometry;
            var (image, phase) = Math.DivRem(part, Loop._phases.Length);
            var gradient = Gradient + ((nint)image * g.Rows.Out * g.Columns.Out * g.OutChannels);
            var target = InputGradient + ((nint)image * g.Rows.In * g.Columns.In * g.InChannels);
            Loop._phases[phase].Run(gradient, target);
        }
    }

    private sealed class Phase
    {
        private readonly ConvGeometry _whole;
        private readonly ConvGeometry _geometry;
        private readonly int _y;
        private readonly int _x;
        private readonly StandardLoop? _loop;
        private readonly float[] _weights;

        public Phase(in ConvGeometry geometry, int y, int x, SimdWidth width)
        {
            (_whole, _y, _x) = (geometry, y, x);
            var rows = Axis(geometry.Rows, y);
            var columns = Axis(geometry.Columns, x);
            _geometry = new(1, geometry.OutChannels, geometry.InChannels, 1, rows, columns);
            _weights = new float[checked(rows.Kernel * columns.Kernel * geometry.OutChannels * geometry.InChannels)];
            if (_weights.Length > 0)
            {
                _loop = new StandardLoop(
                    _weights, _geometry.Kernel, geometry.OutChannels, geometry.InChannels, 1, default, Activation.None, width);
            }
        }

        // Turned round the taps go from the last to the first: every stride-th of the turned kernel.
        public void Refill(ReadOnlySpan<float> turned)
        {
            if (_loop is null)
                return;
            var matrix = _whole.OutChannels * _whole.InChannels;
            var target = _weights.AsSpan();
            for (var u = _geometry.Rows.Kernel - 1; u >= 0; u--)
            {
                for (var v = _geometry.Columns.Kernel - 1; v >= 0; v--)
                {
                    var row = Taps(_whole.Rows, _y).First + (u * _whole.Rows.Stride);
                    var column = Taps(_whole.Columns, _x).First + (v * _whole.Columns.Stride);
                    var tap = (_whole.Rows.Kernel * _whole.Columns.Kernel) - 1 - ((row * _whole.Columns.Kernel) + column);
                    turned.Slice(tap * matrix, matrix).CopyTo(target);
                    target = target[matrix..];
                }
            }

            _loop.Refill(_weights, default);
        }

        public void Run(float* gradient, float* target)
        {
            var (stride, channels) = (_whole.Columns.Stride, _whole.InChannels);
            for (var row = 0; row < _geometry.Rows.Out; row++)
            {
                var output = target + (((((nint)row * _whole.Rows.Stride) + _y) * _whole.Columns.In) + _x) * channels;
                if (_loop is not null)
                {
                    _loop.RunRows(gradient, output, (nint)stride * channels, _geometry, row, row + 1);
                    continue;
                }

                // No tap meets these positions.
                for (var column = 0; column < _geometry.Columns.Out; column++)
                    new Span<float>(output + ((nint)column * stride * channels), channels).Clear();
            }
        }

        private static AxisGeometry Axis(in AxisGeometry axis, int position)
        {
            var (first, count) = Taps(axis, position);
            var outputs = (axis.In - position + axis.Stride - 1) / axis.Stride;
            var before = count - 1 - ((position + axis.PadBefore - first) / axis.Stride);
            return new(axis.Out, outputs, count, 1, 1, before, outputs + count - 1 - axis.Out - before);
        }
    }
}
