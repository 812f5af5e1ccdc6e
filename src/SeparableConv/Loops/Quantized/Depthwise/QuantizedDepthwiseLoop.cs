using System.Diagnostics;
using System.Runtime.Intrinsics;
using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// Quantized depthwise convolution: the sums bias[c*M+m] + sum over u,v of (x[n, i*s+u*d-p, j*s+v*d-p, c] - zeroPoint) * w[u,v,c,m],
/// exact in 32 bits (beyond which they wrap around), made bytes by <see cref="Requantizer"/>, or given as they are.
/// </summary>
/// <remarks>
/// Some channels are taken through some rows of the image at a time, in one of four forms: small kernels slide along the rows, those of
/// 3x3 four bytes at once where the machine can; those that read every number once pair them on the way, all others read pairs of
/// numbers that are made first. A depth multiplier above 1, or fewer channels than fill two vectors, are spread out in scratch memory
/// before, some rows at a time.
/// </remarks>
internal sealed unsafe class QuantizedDepthwiseLoop
{
    // Spread rows stay in a part of the second-level cache.
    private const int SpreadBytes = 192 * 1024;

    private readonly ConvGeometry _geometry;
    private readonly ChannelBlocks _blocks;
    private readonly ChannelSpread? _spread;
    private readonly QuantizedDepthwiseForm _form;
    private readonly int _outputBytes;

    /// <param name="layer">Weights (kH, kW, C, M).</param>
    /// <param name="geometry">The sizes; its groups are its channels.</param>
    /// <param name="width">The vector width to run with.</param>
    public QuantizedDepthwiseLoop(in QuantizedLayer layer, in ConvGeometry geometry, SimdWidth width)
    {
        Debug.Assert(
            layer.Weights.Length == geometry.Kernel.Height * geometry.Kernel.Width * geometry.OutChannels, "weights are (kH, kW, C, M)");
        _geometry = geometry;
        _blocks = new ChannelBlocks(width, geometry.OutChannels);
        if (_blocks.Channels != geometry.InChannels)
            _spread = new ChannelSpread(geometry.InChannels, geometry.OutChannels / geometry.InChannels, _blocks.Channels);
        var requantizer = new Requantizer(
            layer.Factors, layer.LargestSums(geometry.OutChannels), layer.Output, _blocks.Width, _blocks.Order());
        _outputBytes = requantizer.OutputBytes;
        _form = QuantizedDepthwiseQuads.Fits(layer, geometry, _blocks.Width, requantizer.Rounding)
            ? new QuantizedDepthwiseQuads(layer, geometry)
            : QuantizedDepthwiseSliding.Fits(geometry, requantizer) ? new QuantizedDepthwiseSliding(layer, geometry, _blocks, requantizer)
            : QuantizedDepthwiseOnce.Fits(geometry) ? new QuantizedDepthwiseOnce(layer, geometry, _blocks, requantizer)
            : new QuantizedDepthwisePaired(layer, geometry, _blocks, requantizer);
    }

    /// <summary>Whether channels of an image are spread out before, in a thread's tile.</summary>
    public static bool Spreads(in ConvGeometry geometry, SimdWidth width) =>
        new ChannelBlocks(width, geometry.OutChannels).Channels != geometry.InChannels;

    /// <summary>Blocks of channels, which can be convolved by themselves.</summary>
    public int Blocks => _form.Blocks;

    /// <summary>Channels of a block; 0 where blocks share channels.</summary>
    public int BlockChannels => _spread is null && _blocks.Channels % _form.BlockChannels == 0 ? _form.BlockChannels : 0;

    private bool IsPadded => _blocks.Channels != _blocks.Used;

    /// <summary>Computes (N, outH, outW, C*M) from (N, inH, inW, C).</summary>
    public void Run(byte* input, byte* output, int threads)
    {
        // A thread has rows of its own; few rows read nearly all of their neighbours' input, channels nothing. Spreading is done for all
        // channels.
        var g = _geometry;
        var byRows = threads > 1 && (g.Rows.Out >= 12 * threads || _form.Blocks < threads || _spread is not null);
        var work = new Work
        {
            Loop = this,
            Input = input,
            Output = output,
            RowParts = byRows ? Math.Min(2 * threads, g.Rows.Out) : 1,
            BlockParts = threads > 1 && !byRows ? Math.Min(2 * threads, _form.Blocks) : 1,
        };
        WorkerPool.Shared.Run(ref work, checked(g.Batch * work.RowParts * work.BlockParts), threads);
    }

    /// <summary>
    /// Convolves rows <paramref name="firstRow"/> up to and without <paramref name="endRow"/> of one image, on the calling thread, where no
    /// channels are spread. Only rows of the image that these read need be there.
    /// </summary>
    public void RunRows(byte* image, byte* output, int firstRow, int endRow)
    {
        Debug.Assert(_spread is null, "Spread channels need a tile.");
        _form.Run(image, output, firstRow, endRow, 0, _form.Blocks);
    }

    /// <summary>Convolves some runs of channels of a whole image, on the calling thread, which may share none.</summary>
    public void RunBlocks(byte* image, byte* output, int firstBlock, int endBlock) =>
        _form.Run(image, output, 0, _geometry.Rows.Out, firstBlock, endBlock);

    private void RunSpread(ChannelSpread spread, byte* image, byte* output, int firstRow, int endRow)
    {
        var g = _geometry;
        var rowBytes = checked((nint)g.Columns.In * _blocks.Channels);
        nint outBytes = IsPadded ? checked((nint)g.Columns.Out * _blocks.Channels * _outputBytes) : 0;
        var span = Math.Min(g.Rows.Span, g.Rows.In);
        var rows = (int)Math.Clamp(
            (SpreadBytes - (span * rowBytes)) / ((Math.Min(g.Rows.Stride, g.Rows.In) * rowBytes) + outBytes), 1, endRow - firstRow);
        var inRows = (int)Math.Min(g.Rows.In, ((rows - 1) * (long)g.Rows.Stride) + g.Rows.Span);
        var padded = (byte*)Scratch.Tile((checked((rows * outBytes) + (inRows * rowBytes) + ChannelSpread.Slack) / sizeof(float)) + 1);
        var copy = padded + (rows * outBytes);
        for (var row = firstRow; row < endRow; row += rows)
        {
            var end = Math.Min(endRow, row + rows);
            var firstIn = Math.Clamp(g.Rows.InputStart(row), 0, g.Rows.In);
            var endIn = (int)Math.Clamp((long)g.Rows.InputStart(end - 1) + g.Rows.Span, firstIn, g.Rows.In);
            spread.Run(image + ((nint)firstIn * g.Columns.In * g.InChannels), (nint)(endIn - firstIn) * g.Columns.In, copy);

            // The form counts rows from the image's first.
            var target = output + ((nint)(row - firstRow) * g.Columns.Out * _blocks.Used * _outputBytes);
            _form.Run(copy - (firstIn * rowBytes), IsPadded ? padded : target, row, end, 0, _form.Blocks);
            if (IsPadded)
                TakeUsed(padded, (nint)(end - row) * g.Columns.Out, target);
        }
    }

    /// <summary>Copies pixels without the channels that pad.</summary>
    private void TakeUsed(byte* source, nint pixels, byte* target)
    {
        var (stride, used) = (_blocks.Channels * _outputBytes, _blocks.Used * _outputBytes);
        nint pixel = 0;

        // What is copied too much the next pixel is written over; not behind the last one.
        for (; stride == 32 && (pixels - pixel) * used >= 32; pixel++)
            Vector256.Load(source + (pixel * 32)).Store(target + (pixel * used));
        for (; stride == 16 && (pixels - pixel) * used >= 16; pixel++)
            Vector128.Load(source + (pixel * 16)).Store(target + (pixel * used));
        for (; stride == 8 && (pixels - pixel) * used >= 8; pixel++)
            *(ulong*)(target + (pixel * used)) = *(ulong*)(source + (pixel * 8));
        for (; pixel < pixels; pixel++)
            new Span<byte>(source + (pixel * stride), used).CopyTo(new Span<byte>(target + (pixel * used), used));
    }

    private struct Work : IParallelWork
    {
        public QuantizedDepthwiseLoop Loop;
        public byte* Input;
        public byte* Output;
        public int RowParts;
        public int BlockParts;

        public readonly void Execute(int part)
        {
            var g = Loop._geometry;
            var (blockPart, rest) = Math.DivRem(part, g.Batch * RowParts);
            var (n, rowPart) = Math.DivRem(rest, RowParts);
            var first = (int)((long)g.Rows.Out * rowPart / RowParts);
            var end = (int)((long)g.Rows.Out * (rowPart + 1) / RowParts);
            var image = Input + ((nint)n * g.Rows.In * g.Columns.In * g.InChannels);
            var output = Output + ((((nint)n * g.Rows.Out) + first) * g.Columns.Out * g.OutChannels * Loop._outputBytes);
            if (Loop._spread is { } spread)
            {
                Loop.RunSpread(spread, image, output, first, end);
                return;
            }

            var firstBlock = (int)((long)Loop._form.Blocks * blockPart / BlockParts);
            var endBlock = (int)((long)Loop._form.Blocks * (blockPart + 1) / BlockParts);
            Loop._form.Run(image, output, first, end, firstBlock, endBlock);
        }
    }
}

/// <summary>How <see cref="QuantizedDepthwiseLoop"/> computes rows of an image that has as many channels as its output has.</summary>
internal abstract unsafe class QuantizedDepthwiseForm
{
    /// <summary>Blocks that all channels are cut into.</summary>
    public abstract int Blocks { get; }

    /// <summary>Channels of a block.</summary>
    public abstract int BlockChannels { get; }

    /// <summary>Computes some rows of some blocks of channels.</summary>
    /// <param name="image">The image: <see cref="ChannelBlocks.Channels"/> a pixel.</param>
    /// <param name="output">The first of the rows; as many a pixel.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="endRow">One past the last row.</param>
    /// <param name="firstBlock">The first block.</param>
    /// <param name="endBlock">One past the last block.</param>
    public abstract void Run(byte* image, byte* output, int firstRow, int endRow, int firstBlock, int endBlock);
}
