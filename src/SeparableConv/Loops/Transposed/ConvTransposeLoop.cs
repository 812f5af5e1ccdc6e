using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// Transposed convolution with its weights packed: y[n, i*s + u*d - p, j*s + v*d - p, o] = act(b[o] + sum over the i, u, j, v, c that
/// meet there of x[n, i, j, c] * w[u, v, c, o]). Input (N, inH, inW, C), output (N, outH, outW, O), both dense NHWC.
/// </summary>
/// <remarks>
/// Output positions that lie alike within a stride are reached by the same taps, so each such phase is an ordinary convolution of stride 1
/// (<see cref="ConvTransposePart"/>), depthwise where each channel is a group. Nothing is multiplied by the zeros between input pixels,
/// and nothing is unfolded or added up afterwards. Sizes that would make many phases, or little ones, are gathered pixel by pixel
/// (<see cref="ConvTransposeGather"/>).
/// </remarks>
internal sealed unsafe class ConvTransposeLoop
{
    private readonly ConvTransposeGeometry _geometry;
    private readonly ConvTransposePart[] _parts = [];
    private readonly ConvTransposeGather? _gather;

    /// <param name="weights">(kH, kW, C, O/groups).</param>
    /// <param name="bias">(O), or none.</param>
    /// <param name="geometry">The sizes.</param>
    /// <param name="activation">Applied to the sum.</param>
    /// <param name="width">The vector width to run with.</param>
    public ConvTransposeLoop(
        ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, in ConvTransposeGeometry geometry, Activation activation, SimdWidth width)
    {
        _geometry = geometry;
        var rows = ConvTransposeAxis.Create(
            geometry.Input.Height, geometry.Output.Height, geometry.Kernel.Height, geometry.Stride.Height, geometry.Dilation.Height,
            geometry.Top);
        var columns = ConvTransposeAxis.Create(
            geometry.Input.Width, geometry.Output.Width, geometry.Kernel.Width, geometry.Stride.Width, geometry.Dilation.Width,
            geometry.Left);
        if (rows is null || columns is null)
        {
            _gather = new ConvTransposeGather(weights, bias, geometry, activation, width);
            return;
        }

        var joinsColumns = columns.IsTiling && geometry.Groups == 1;
        var parts = new List<ConvTransposePart>();
        for (var row = 0; row < rows.Phases.Length; row++)
        {
            for (var column = 0; column < (joinsColumns ? 1 : columns.Phases.Length); column++)
                parts.Add(new ConvTransposePart(geometry, rows, columns, row, column, joinsColumns, activation, width));
        }

        _parts = [.. parts];
        RefillFloats = parts.Max(part => part.WeightCount);
        Refill(weights, bias, new float[RefillFloats], 1);
    }

    /// <summary>Floats that <see cref="Refill"/> needs.</summary>
    public int RefillFloats { get; }

    /// <summary>
    /// Packs other weights (kH, kW, C, O/groups), and a bias where there is one, in the place of those before; allocates nothing. No
    /// convolution may be running.
    /// </summary>
    /// <param name="weights">The weights.</param>
    /// <param name="bias">(O), or none.</param>
    /// <param name="scratch">Room for <see cref="RefillFloats"/> floats.</param>
    /// <param name="threads">Threads to pack with.</param>
    public void Refill(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, Span<float> scratch, int threads)
    {
        _gather?.Refill(weights, bias);
        foreach (var part in _parts)
            part.Refill(weights, bias, scratch, threads);
    }

    /// <summary>Computes the output.</summary>
    public void Run(float* input, float* output, int threads)
    {
        if (_gather is not null)
        {
            _gather.Run(input, output, threads);
            return;
        }

        // Bands outside, phases inside: all that reads a band, and writes between the same pixels, comes one after the other.
        var bands = 0;
        foreach (var part in _parts)
            bands = Math.Max(bands, part.Parts(threads));
        var work = new Work { Loop = this, Input = input, Output = output, Bands = bands, Threads = threads };
        WorkerPool.Shared.Run(ref work, checked(_geometry.Batch * bands * _parts.Length), threads);
        GC.KeepAlive(this);
    }

    private struct Work : IParallelWork
    {
        public ConvTransposeLoop Loop;
        public float* Input;
        public float* Output;
        public int Bands;
        public int Threads;

        public readonly void Execute(int part)
        {
            ref readonly var g = ref Loop._geometry;
            var (place, phase) = Math.DivRem(part, Loop._parts.Length);
            var (n, band) = Math.DivRem(place, Bands);
            var image = Input + ((nint)n * g.Input.Height * g.Input.Width * g.InChannels);
            var output = Output + ((nint)n * g.Output.Height * g.Output.Width * g.OutChannels);
            Loop._parts[phase].Run(image, output, band, Threads);
        }
    }
}
