using System.Runtime.CompilerServices;
using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// Transposed convolution whose output pixels gather the taps that reach them: for the sizes that <see cref="ConvTransposeLoop"/> does not
/// take apart, such as a kernel far larger than the image, or a stride of many positions.
/// </summary>
/// <remarks>
/// Pixels a stride apart are reached by the same taps from neighbouring input pixels, so four of them share every weight that is loaded.
/// Sums run over u, v and c in order, whatever the cut.
/// </remarks>
internal sealed unsafe class ConvTransposeGather
{
    private const int PixelsTogether = 4;
    private const int VectorsTogether = 2;

    private readonly ConvTransposeGeometry _geometry;
    private readonly Activation _activation;
    private readonly SimdWidth _width;
    private readonly ConvTransposeTaps _rowTaps;
    private readonly ConvTransposeTaps _columnTaps;
    private readonly PackedBuffer _weights;
    private readonly PackedBuffer _bias;
    private readonly PackedBuffer _zeros;
    private readonly int _paddedFilters;

    /// <param name="weights">(kH, kW, C, O/groups).</param>
    /// <param name="bias">(O), or none.</param>
    /// <param name="geometry">The sizes.</param>
    /// <param name="activation">Applied to the sum.</param>
    /// <param name="width">The vector width to run with.</param>
    public ConvTransposeGather(
        ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, ConvTransposeGeometry geometry, Activation activation, SimdWidth width)
    {
        (_geometry, _activation, _width) = (geometry, activation, width);
        _rowTaps = new(geometry.Input.Height, geometry.Kernel.Height, geometry.Stride.Height, geometry.Dilation.Height, geometry.Top);
        _columnTaps = new(geometry.Input.Width, geometry.Kernel.Width, geometry.Stride.Width, geometry.Dilation.Width, geometry.Left);
        var (channels, filters) = (geometry.InChannels / geometry.Groups, geometry.OutChannels / geometry.Groups);
        var lanes = VectorsTogether * (int)width;
        _paddedFilters = checked((filters + lanes - 1) / lanes * lanes);
        _zeros = new PackedBuffer(channels);
        _bias = new PackedBuffer((nint)geometry.Groups * _paddedFilters);
        _weights = new PackedBuffer(
            checked((nint)geometry.Groups * geometry.Kernel.Height * geometry.Kernel.Width * channels * _paddedFilters));
        Refill(weights, bias);
    }

    /// <summary>
    /// Packs other weights (kH, kW, C, O/groups), and a bias where there is one, in the place of those before; allocates nothing. They lie
    /// [group][tap][block of lanes][channel][lane]: what one block of filters reads lies together.
    /// </summary>
    public void Refill(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias)
    {
        var geometry = _geometry;
        var (channels, filters) = (geometry.InChannels / geometry.Groups, geometry.OutChannels / geometry.Groups);
        var lanes = VectorsTogether * (int)_width;
        for (var group = 0; group < geometry.Groups && !bias.IsEmpty; group++)
            bias.Slice(group * filters, filters).CopyTo(new Span<float>(_bias.Pointer + (group * _paddedFilters), filters));
        var taps = geometry.Kernel.Height * geometry.Kernel.Width;
        var target = _weights.Pointer;
        for (var group = 0; group < geometry.Groups; group++)
        {
            for (var tap = 0; tap < taps; tap++)
            {
                for (var first = 0; first < _paddedFilters; first += lanes)
                {
                    for (var c = 0; c < channels; c++)
                    {
                        var row = (((tap * geometry.InChannels) + (group * channels) + c) * filters) + first;
                        weights.Slice(row, Math.Min(lanes, filters - first)).CopyTo(new Span<float>(target, lanes));
                        target += lanes;
                    }
                }
            }
        }
    }

    /// <summary>Computes the output.</summary>
    public void Run(float* input, float* output, int threads)
    {
        var work = new Work { Loop = this, Input = input, Output = output };
        WorkerPool.Shared.Run(ref work, checked(_geometry.Batch * _geometry.Output.Height), threads);
    }

    private void RunRow(float* input, float* output, int image, int y)
    {
        var work = new RowWork(this, input, output, image, y);
        _width.Dispatch(ref work);
        GC.KeepAlive(this);
    }

    private readonly struct RowWork(ConvTransposeGather loop, float* input, float* output, int image, int y) : ISimdWork
    {
        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => loop.RunRow<TSimd, TVec>(input, output, image, y);
    }

    private void RunRow<TSimd, TVec>(float* input, float* output, int image, int y)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var g = _geometry;
        var source = input + ((nint)image * g.Input.Height * g.Input.Width * g.InChannels);
        var target = output + ((((nint)image * g.Output.Height) + y) * g.Output.Width * g.OutChannels);
        var rows = _rowTaps.Reaching(y);
        for (var phase = 0; phase < Math.Min(g.Stride.Width, g.Output.Width); phase++)
        {
            var firstTap = _columnTaps.First(phase);
            var pixels = (g.Output.Width - phase + g.Stride.Width - 1) / g.Stride.Width;
            for (var group = 0; group < g.Groups; group++)
            {
                for (var first = 0; first < pixels; first += PixelsTogether)
                    RunPixels<TSimd, TVec>(
                        source, target, y, rows, phase, firstTap, first, Math.Min(PixelsTogether, pixels - first), group);
            }
        }

        _activation.Apply(target, g.Output.Width, g.OutChannels, _width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunPixels<TSimd, TVec>(
        float* image, float* row, int y, (int First, int Last) rows, int phase, int firstTap, int first, int count, int group)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var g = _geometry;
        var (channels, filters) = (g.InChannels / g.Groups, g.OutChannels / g.Groups);
        var lanes = VectorsTogether * TSimd.Count;
        var tapFloats = (nint)channels * _paddedFilters;
        var weights = _weights.Pointer + ((nint)group * g.Kernel.Height * g.Kernel.Width * tapFloats);
        var lead = phase + ((long)first * g.Stride.Width);
        var (firstColumn, lastColumn) = _columnTaps.Reaching(lead, firstTap, PixelsTogether - 1);
        var buffer = stackalloc float[PixelsTogether * VectorsTogether * 16];
        for (var block = 0; block < _paddedFilters; block += lanes)
        {
            var bias = _bias.Pointer + (group * _paddedFilters) + block;
            var a0 = TSimd.Load(bias);
            var b0 = TSimd.Load(bias + TSimd.Count);
            TVec a1 = a0, b1 = b0, a2 = a0, b2 = b0, a3 = a0, b3 = b0;
            for (var u = rows.First; u <= rows.Last; u += _rowTaps.Step)
            {
                var i = _rowTaps.Input(y, u);
                for (var v = firstColumn; v <= lastColumn; v += _columnTaps.Step)
                {
                    // Pixels a stride apart read neighbouring input pixels; beside the image there are zeros.
                    var j = _columnTaps.Input(lead, v);
                    var line = image + ((nint)i * g.Input.Width * g.InChannels) + (group * channels);
                    var x0 = (uint)j < (uint)g.Input.Width ? line + ((nint)j * g.InChannels) : _zeros.Pointer;
                    var x1 = (uint)(j + 1) < (uint)g.Input.Width ? line + ((nint)(j + 1) * g.InChannels) : _zeros.Pointer;
                    var x2 = (uint)(j + 2) < (uint)g.Input.Width ? line + ((nint)(j + 2) * g.InChannels) : _zeros.Pointer;
                    var x3 = (uint)(j + 3) < (uint)g.Input.Width ? line + ((nint)(j + 3) * g.InChannels) : _zeros.Pointer;
                    var w = weights + ((((nint)u * g.Kernel.Width) + v) * tapFloats) + ((nint)block * channels);
                    for (var c = 0; c < channels; c++)
                    {
                        var wa = TSimd.Load(w);
                        var wb = TSimd.Load(w + TSimd.Count);
                        w += lanes;
                        var x = TSimd.Broadcast(x0[c]);
                        a0 = TSimd.MultiplyAdd(x, wa, a0);
                        b0 = TSimd.MultiplyAdd(x, wb, b0);
                        x = TSimd.Broadcast(x1[c]);
                        a1 = TSimd.MultiplyAdd(x, wa, a1);
                        b1 = TSimd.MultiplyAdd(x, wb, b1);
                        x = TSimd.Broadcast(x2[c]);
                        a2 = TSimd.MultiplyAdd(x, wa, a2);
                        b2 = TSimd.MultiplyAdd(x, wb, b2);
                        x = TSimd.Broadcast(x3[c]);
                        a3 = TSimd.MultiplyAdd(x, wa, a3);
                        b3 = TSimd.MultiplyAdd(x, wb, b3);
                    }
                }
            }

            Put<TSimd, TVec>(a0, b0, buffer);
            Put<TSimd, TVec>(a1, b1, buffer + lanes);
            Put<TSimd, TVec>(a2, b2, buffer + (2 * lanes));
            Put<TSimd, TVec>(a3, b3, buffer + (3 * lanes));
            for (var pixel = 0; pixel < count; pixel++)
            {
                var x = (nint)lead + ((nint)pixel * g.Stride.Width);
                new ReadOnlySpan<float>(buffer + (pixel * lanes), Math.Min(lanes, filters - block))
                    .CopyTo(new Span<float>(row + (x * g.OutChannels) + (group * filters) + block, filters - block));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<TSimd, TVec>(TVec a, TVec b, float* target)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        TSimd.Store(a, target);
        TSimd.Store(b, target + TSimd.Count);
    }

    private struct Work : IParallelWork
    {
        public ConvTransposeGather Loop;
        public float* Input;
        public float* Output;

        public readonly void Execute(int part)
        {
            var (image, y) = Math.DivRem(part, Loop._geometry.Output.Height);
            Loop.RunRow(Input, Output, image, y);
        }
    }
}
