using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// Transposed convolution of bytes, with the arithmetic of <see cref="QuantizedConvLoop"/>: phase by phase, as
/// <see cref="ConvTransposeLoop"/> takes floats apart.
/// </summary>
internal sealed unsafe class QuantizedConvTransposeLoop
{
    private readonly ConvTransposeGeometry _geometry;
    private readonly Size2D _stride;
    private readonly Phase[] _phases;

    private QuantizedConvTransposeLoop(in ConvTransposeGeometry geometry, Size2D stride, Phase[] phases) =>
        (_geometry, _stride, _phases) = (geometry, stride, phases);

    /// <summary>The loop; null where an axis does not come apart, or a stride is longer than the kernel.</summary>
    /// <param name="layer">Weights (kH, kW, C, O).</param>
    /// <param name="geometry">The sizes, of one group.</param>
    /// <param name="width">The vector width to run with.</param>
    public static QuantizedConvTransposeLoop? Create(in QuantizedLayer layer, in ConvTransposeGeometry geometry, SimdWidth width)
    {
        var (input, output, kernel, stride) = (geometry.Input, geometry.Output, geometry.Kernel, geometry.Stride);
        var rows = ConvTransposeAxis.Create(
            input.Height, output.Height, kernel.Height, stride.Height, geometry.Dilation.Height, geometry.Top);
        var columns = ConvTransposeAxis.Create(
            input.Width, output.Width, kernel.Width, stride.Width, geometry.Dilation.Width, geometry.Left);
        if (rows is null || columns is null || !HasTaps(rows) || !HasTaps(columns))
            return null;
        var together = columns.IsTiling ? columns.Stride : 1;
        var phases = new List<Phase>();
        foreach (var row in rows.Phases)
        {
            for (var column = 0; column < columns.Phases.Length; column += together)
                phases.Add(CreatePhase(layer, geometry, rows, columns, row, columns.Phases[column], together, width));
        }

        return new(geometry, (rows.Stride, columns.Stride), [.. phases]);
    }

    /// <summary>Computes (N, outH, outW, O) from (N, inH, inW, C).</summary>
    public void Run(byte* input, byte* output, int threads)
    {
        var bands = threads <= 1 ? 1 : 2 * threads;
        var work = new Work { Loop = this, Input = input, Output = output, Bands = bands };
        WorkerPool.Shared.Run(ref work, checked(_geometry.Batch * bands * _phases.Length), threads);
        GC.KeepAlive(this);
    }

    private static bool HasTaps(ConvTransposeAxis axis) => Array.TrueForAll(axis.Phases, phase => phase.Axis.Kernel > 0);

    // Some columns' phases together are one of as many times the filters.
    private static Phase CreatePhase(
        in QuantizedLayer layer, in ConvTransposeGeometry geometry, ConvTransposeAxis rows, ConvTransposeAxis columns,
        ConvTransposePhase row, ConvTransposePhase column, int together, SimdWidth width)
    {
        var (channels, filters) = (geometry.InChannels, geometry.OutChannels);
        var g = new ConvGeometry(1, channels, checked(filters * together), 1, row.Axis, column.Axis);
        var weights = new short[checked(row.Axis.Kernel * column.Axis.Kernel * channels * g.OutChannels)];
        var target = weights.AsSpan();
        for (var u = row.Axis.Kernel - 1; u >= 0; u--)
        {
            for (var v = column.Axis.Kernel - 1; v >= 0; v--)
            {
                for (var c = 0; c < channels; c++)
                {
                    for (var next = 0; next < together; next++)
                    {
                        var tapY = row.FirstTap + (u * rows.TapStep);
                        var tapX = column.FirstTap + (v * columns.TapStep) + next;
                        var from = ((((tapY * geometry.Kernel.Width) + tapX) * channels) + c) * filters;
                        layer.Weights.Slice(from, filters).CopyTo(target);
                        target = target[filters..];
                    }
                }
            }
        }

        var phase = new QuantizedLayer
        {
            Weights = weights,
            Bias = Repeat(layer.Bias, together),
            Input = layer.Input,
            Factors = layer.Factors.Length == 1 ? layer.Factors : Repeat(layer.Factors, together),
            Output = layer.Output,
        };
        return new(row.First, column.First, g, new QuantizedConvLoop(phase, g.Kernel, channels, g.OutChannels, 1, width));
    }

    private static T[] Repeat<T>(ReadOnlySpan<T> numbers, int times)
    {
        var repeated = new T[checked(numbers.Length * times)];
        for (var i = 0; i < times; i++)
            numbers.CopyTo(repeated.AsSpan(i * numbers.Length));
        return repeated;
    }

    private sealed record Phase(int FirstRow, int FirstColumn, ConvGeometry Geometry, QuantizedConvLoop Loop);

    private struct Work : IParallelWork
    {
        public QuantizedConvTransposeLoop Loop;
        public byte* Input;
        public byte* Output;
        public int Bands;

        public readonly void Execute(int part)
        {
            ref readonly var whole = ref Loop._geometry;
            var (place, index) = Math.DivRem(part, Loop._phases.Length);
            var (n, band) = Math.DivRem(place, Bands);
            var phase = Loop._phases[index];
            var first = (int)((long)phase.Geometry.Rows.Out * band / Bands);
            var end = (int)((long)phase.Geometry.Rows.Out * (band + 1) / Bands);
            if (first == end)
                return;
            nint row = (nint)whole.Output.Width * whole.OutChannels;
            var line = ((nint)n * whole.Output.Height) + phase.FirstRow + ((nint)first * Loop._stride.Height);
            phase.Loop.RunRows(
                Input + ((nint)n * whole.Input.Height * whole.Input.Width * whole.InChannels),
                Output + (line * row) + ((nint)phase.FirstColumn * whole.OutChannels),
                new(Loop._stride.Height * row, (nint)Loop._stride.Width * whole.OutChannels),
                phase.Geometry,
                first,
                end);
        }
    }
}
