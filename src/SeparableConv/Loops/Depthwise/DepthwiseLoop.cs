using System.Diagnostics;
using System.Runtime.InteropServices;
using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// A depthwise convolution with its weights packed: y[n,i,j,c*M+m] = act(b[c*M+m] + sum over u,v of
/// x[n, i*s+u*d-p, j*s+v*d-p, c] * w[u,v,c,m]). Input (N, inH, inW, C), output (N, outH, outW, C*M), both dense NHWC. Where channels are
/// mapped, output channel e of E reads input channel map[e], and its weights are w[u,v,e].
/// </summary>
/// <remarks>
/// 3x3 and 5x5 kernels with stride 1 or 2 slide along the rows with their sums in registers; any other kernel goes through a
/// list of taps, a large one of rows that are padded in scratch memory (<see cref="DepthwisePadded"/>), a small one of the image
/// (<see cref="DepthwiseDirect"/>). A depth multiplier is a map too, and mapped channels are permuted as they are loaded
/// (<see cref="DepthwiseSources"/>). With fewer channels than a vector has lanes, a map in no order, or a map and a large kernel that does
/// not slide, the rows are first spread out in scratch memory (<see cref="DepthwiseSpread"/>). Every sum runs over the same taps in the
/// same order whatever the band, slice or thread.
/// </remarks>
internal sealed unsafe class DepthwiseLoop : IRowLoop
{
    // Mapped kernels of so many taps: 2x2 is twice as fast read in place, 4x4 twice as fast spread.
    private const int SpreadTaps = 16;

    private readonly PackedBuffer _weights;
    private readonly PackedBuffer _bias;
    private readonly Size2D _kernel;
    private readonly int _inChannels;
    private readonly int _outChannels;
    private readonly Activation _activation;
    private readonly SimdWidth _width;

    // Held while _zeros is replaced by a longer row.
    private readonly Lock _gate = new();

    // Pixels that share a vector where a pixel has fewer channels than a vector has lanes; 1 elsewhere.
    private readonly int _pixelsTogether;

    // Whether rows are spread whatever the sizes.
    private readonly bool _isSpread;

    // M of a depth multiplier, 0 for any other map: rows are then spread by the map.
    private readonly int _multiplier;
    private readonly PackedBuffer? _map;

    // Null where output channels read their own input channels, or rows are spread.
    private readonly DepthwiseSources? _sources;
    private volatile PackedBuffer _zeros = new(0);

    /// <summary>Packs the weights (kH, kW, C, M) and the bias (C*M), which may be empty.</summary>
    public DepthwiseLoop(
        ReadOnlySpan<float> weights,
        Size2D kernel,
        int channels,
        int multiplier,
        ReadOnlySpan<float> bias,
        Activation activation,
        SimdWidth width)
        : this(weights, kernel, DepthwiseMap.Uniform(channels, multiplier), bias, activation, width)
    {
    }

    /// <summary>Packs the weights (kH, kW, E) of mapped channels and the bias (E), which may be empty.</summary>
    public DepthwiseLoop(
        ReadOnlySpan<float> weights, Size2D kernel, DepthwiseMap map, ReadOnlySpan<float> bias, Activation activation, SimdWidth width)
    {
        Debug.Assert(weights.Length == kernel.Height * kernel.Width * map.OutChannels, "weights are (kH, kW, C, M) or (kH, kW, E)");
        Debug.Assert(bias.IsEmpty || bias.Length == map.OutChannels, "bias is (C*M) or (E)");
        (_kernel, _inChannels, _outChannels, _activation, _width) = (kernel, map.InChannels, map.OutChannels, activation, width);

        var lanes = (int)width;
        _isSpread = Math.Min(_inChannels, _outChannels) < lanes || !DepthwiseSources.Suits(map, lanes);
        _pixelsTogether = _outChannels >= lanes ? 1 : lanes / GreatestCommonDivisor(lanes, _outChannels);
        _multiplier = map.Multiplier;
        if (_multiplier == 0)
        {
            _map = new PackedBuffer(_outChannels);
            map.Sources.CopyTo(MemoryMarshal.Cast<float, int>(_map.Span));
        }

        if (!_isSpread && _multiplier != 1)
            _sources = new DepthwiseSources(map, lanes);

        _weights = new PackedBuffer((nint)Vectors * kernel.Height * kernel.Width * lanes);
        _bias = new PackedBuffer((nint)Vectors * lanes);
        Refill(weights, bias);
    }

    private int PackedChannels => _outChannels * _pixelsTogether;

    private int Vectors => (PackedChannels + (int)_width - 1) / (int)_width;

    /// <summary>Convolves a batch.</summary>
    public void Run(float* input, float* output, in ConvGeometry g, int threads)
    {
        var parts = Parts(g, threads);
        var work = new Work { Loop = this, Input = input, Output = output, Geometry = g, Parts = parts };
        WorkerPool.Shared.Run(ref work, parts.Count, threads);
        GC.KeepAlive(this);
    }

    /// <summary>
    /// Convolves rows <paramref name="firstRow"/> up to and without <paramref name="endRow"/> of one image, on this thread,
    /// into memory whose pixels begin <paramref name="outputPixelStride"/> floats apart and whose first row is row
    /// <paramref name="firstRow"/>.
    /// </summary>
    public void RunRows(float* image, float* output, nint outputPixelStride, in ConvGeometry g, int firstRow, int endRow) =>
        RunRows(image, RowRing.None, output, outputPixelStride, g, firstRow, endRow);

    /// <summary>The same of an image whose rows lie in a ring.</summary>
    public void RunRows(
        float* image, RowRing ring, float* output, nint outputPixelStride, in ConvGeometry g, int firstRow, int endRow)
    {
        var parts = Parts(g, 1);
        for (var slice = 0; slice < parts.Slices; slice++)
        {
            var (firstVector, endVector) = parts.Slice(slice);
            RunBlock(image, ring, output, outputPixelStride, g, firstRow, endRow, firstVector, endVector);
        }

        GC.KeepAlive(this);
    }

    /// <summary>Whether channels can be convolved without those beside them: no vector overlaps another.</summary>
    public bool CanSlice => !_isSpread && _multiplier == 1 && !_activation.NeedsAllChannels && _outChannels % (int)_width == 0;

    /// <summary>The vectors that it runs with.</summary>
    public SimdWidth Width => _width;

    /// <summary>Channels between which they may be cut.</summary>
    public int Lanes => (int)_width;

    /// <summary>
    /// Convolves channels <paramref name="first"/> up to and without <paramref name="end"/> of a whole image, on this thread, where
    /// <see cref="CanSlice"/>. Both are multiples of the vector's lanes.
    /// </summary>
    public void RunChannels(float* image, float* output, nint outputPixelStride, in ConvGeometry g, int first, int end)
    {
        Debug.Assert(CanSlice && first % Lanes == 0 && end % Lanes == 0, "channels are cut between vectors");
        RunBlock(image, RowRing.None, output, outputPixelStride, g, 0, g.Rows.Out, first / Lanes, end / Lanes);
        GC.KeepAlive(this);
    }

    private DepthwiseParts Parts(in ConvGeometry g, int threads) =>
        DepthwiseParts.Cut(g, !Spreads(g) && !_activation.NeedsAllChannels, Vectors, (int)_width, threads);

    // A kernel of many taps reads a column as often, and would permute it as often.
    private bool Spreads(in ConvGeometry g) =>
        _isSpread || (_sources is not null && _kernel.Height * _kernel.Width >= SpreadTaps && !DepthwiseSlide.Handles(g));

    private static int GreatestCommonDivisor(int a, int b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);

    /// <summary>
    /// Packs other weights, laid out as those before, and a bias where there is one, in the place of those before; allocates nothing.
    /// They lie [vector][tap][lane] and [vector][lane]; the last vector ends with the last channel.
    /// </summary>
    public void Refill(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias)
    {
        var lanes = (int)_width;
        var taps = _kernel.Height * _kernel.Width;
        for (var vector = 0; vector < Vectors; vector++)
        {
            var first = Math.Min(vector * lanes, PackedChannels - lanes);
            for (var lane = 0; lane < lanes; lane++)
            {
                var channel = (first + lane) % _outChannels;
                for (var tap = 0; tap < taps; tap++)
                    _weights.Pointer[((((nint)vector * taps) + tap) * lanes) + lane] = weights[(tap * _outChannels) + channel];
                _bias.Pointer[(vector * lanes) + lane] = bias.IsEmpty ? 0 : bias[channel];
            }
        }

        GC.KeepAlive(this);
    }

    private void RunBlock(
        float* image, RowRing ring, float* output, nint outputPixelStride, in ConvGeometry g, int firstRow, int endRow, int firstVector,
        int endVector)
    {
        var block = new DepthwiseBlock
        {
            Image = image,
            Ring = ring,
            Output = output,
            OutputPixelStride = outputPixelStride,
            FirstRow = firstRow,
            EndRow = endRow,
            InChannels = _inChannels,
            OutChannels = _outChannels,
            Multiplier = _multiplier,
            Map = _map is null ? null : (int*)_map.Pointer,
            Sources = _sources is null ? null : _sources.Sources,
            Lanes = _sources is null ? null : _sources.Lanes,
            PixelsTogether = _pixelsTogether,
            FirstVector = firstVector,
            EndVector = endVector,
            Weights = _weights.Pointer,
            Bias = _bias.Pointer,
            Lower = _activation.LowerBound,
            Upper = _activation.UpperBound,
        };
        var work = new BlockWork(this, in block, in g);
        _width.Dispatch(ref work);
    }

    private readonly ref struct BlockWork(DepthwiseLoop loop, ref readonly DepthwiseBlock block, ref readonly ConvGeometry geometry)
        : ISimdWork
    {
        private readonly ref readonly DepthwiseBlock _block = ref block;
        private readonly ref readonly ConvGeometry _geometry = ref geometry;

        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => loop.RunBlock<TSimd, TVec>(_block, _geometry);
    }

    private void RunBlock<TSimd, TVec>(in DepthwiseBlock block, in ConvGeometry g)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        if (Spreads(g))
        {
            DepthwiseSpread.Run<TSimd, TVec>(block, g, _activation, _width);
        }
        else if (DepthwiseSlide.Handles(g))
        {
            var zeros = Zeros(g.Columns.In * _inChannels);
            DepthwiseSlide.Run<TSimd, TVec>(block, g, zeros.Pointer, _activation, _width);
            GC.KeepAlive(zeros);
        }
        else if (_sources is null && DepthwisePadded.Handles(g, TSimd.Count))
        {
            DepthwisePadded.Run<TSimd, TVec>(block, g, _activation, _width);
        }
        else
        {
            DepthwiseDirect.Run<TSimd, TVec>(block, g, _activation, _width);
        }
    }

    // A row of zeros that stands for the rows above and below the image. All threads read it; a wider image gets a longer one.
    private PackedBuffer Zeros(int floats)
    {
        var zeros = _zeros;
        if (zeros.Length >= floats)
            return zeros;
        lock (_gate)
        {
            if (_zeros.Length < floats)
                _zeros = new PackedBuffer(floats);
            return _zeros;
        }
    }

    private struct Work : IParallelWork
    {
        public DepthwiseLoop Loop;
        public float* Input;
        public float* Output;
        public ConvGeometry Geometry;
        public DepthwiseParts Parts;

        public readonly void Execute(int part)
        {
            var (image, firstRow, endRow, firstSlice, endSlice) = Parts.Part(part);
            var rows = Geometry.Rows;
            var columns = Geometry.Columns;
            var input = Input + ((nint)image * rows.In * columns.In * Geometry.InChannels);
            var output = Output + ((((nint)image * rows.Out) + firstRow) * columns.Out * Geometry.OutChannels);
            for (var slice = firstSlice; slice < endSlice; slice++)
            {
                var (firstVector, endVector) = Parts.Slice(slice);
                Loop.RunBlock(input, RowRing.None, output, Geometry.OutChannels, Geometry, firstRow, endRow, firstVector, endVector);
            }
        }
    }
}
