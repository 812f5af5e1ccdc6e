using System.Diagnostics;
using System.Runtime.Intrinsics;
using SeparableConv.Threading;

namespace SeparableConv.Kernels;

/// <summary>
/// Quantized depthwise convolution: the sums bias[c*M+m] + sum over u,v of (x[n, i*s+u*d-p, j*s+v*d-p, c] - zeroPoint) * w[u,v,c,m],
/// exact in 32 bits (beyond which they wrap around), made bytes by <see cref="Requantizer"/>, or given as they are.
/// </summary>
/// <remarks>
/// Two vectors of channels are taken through some rows of the image at a time. Their input is first paired: for every position that
/// an output reads, the number there and the one a dilation to the right lie in one lane as two 16-bit halves. Two taps of a kernel
/// row are then one multiplication of pairs, and borders, strides, dilations and multipliers are matters of the pairing alone. Pairing
/// leaves the channels of the two vectors taken apart as the instruction does it; packing the results puts them back.
/// </remarks>
internal sealed unsafe class QuantizedDepthwiseKernel
{
    // Pairs and sums of the rows at work stay in the first-level cache.
    private const int BlockBytes = 24 * 1024;

    private readonly PackedBuffer _weights;
    private readonly PackedBuffer _bias;
    private readonly Requantizer _requantizer;
    private readonly QuantizedInput _input;
    private readonly Size2D _kernel;
    private readonly int _outChannels;
    private readonly int _multiplier;
    private readonly SimdWidth _width;

    /// <param name="layer">Weights (kH, kW, C, M).</param>
    /// <param name="kernel">kH and kW.</param>
    /// <param name="channels">C.</param>
    /// <param name="multiplier">M.</param>
    /// <param name="width">The vector width to run with.</param>
    public QuantizedDepthwiseKernel(in QuantizedLayer layer, Size2D kernel, int channels, int multiplier, SimdWidth width)
    {
        _outChannels = channels * multiplier;
        Debug.Assert(layer.Weights.Length == kernel.Height * kernel.Width * _outChannels, "weights are (kH, kW, C, M)");
        (_input, _kernel, _multiplier) = (layer.Input, kernel, multiplier);
        _width = QuantizedLayer.NarrowTo(width, Math.Max(1, _outChannels / 2));
        var order = new int[checked(Blocks * Columns)];
        for (var column = 0; column < order.Length; column++)
            order[column] = Channel(column / Columns, column % Columns);
        _requantizer = new Requantizer(layer.Factors, layer.LargestSums(_outChannels), layer.Output, _width, order);
        _weights = new PackedBuffer(checked((nint)order.Length * kernel.Height * Steps));
        _bias = new PackedBuffer(order.Length);
        Pack(layer, order);
    }

    private int Lanes => (int)_width;

    /// <summary>Columns of sums of two vectors.</summary>
    private int Columns => 2 * Lanes;

    /// <summary>Pairs of vectors.</summary>
    private int Blocks => (_outChannels + Columns - 1) / Columns;

    /// <summary>Multiplications of pairs in a kernel row.</summary>
    private int Steps => (_kernel.Width + 1) / 2;

    /// <summary>Computes (N, outH, outW, C*M) from (N, inH, inW, C).</summary>
    public void Run(byte* input, byte* output, in ConvGeometry g, int threads)
    {
        // A thread has rows of its own; few rows read nearly all of their neighbours' input, channels nothing.
        var byRows = threads > 1 && (g.Rows.Out >= 12 * threads || Blocks < threads);
        var work = new Work
        {
            Kernel = this,
            Input = input,
            Output = output,
            Geometry = g,
            RowParts = byRows ? Math.Min(2 * threads, g.Rows.Out) : 1,
            BlockParts = threads > 1 && !byRows ? Math.Min(2 * threads, Blocks) : 1,
        };
        WorkerPool.Shared.Run(ref work, checked(g.Batch * work.RowParts * work.BlockParts), threads);
        GC.KeepAlive(this);
    }

    // [block][vector of two][kernel row][step][lane] and [block][column].
    private void Pack(in QuantizedLayer layer, ReadOnlySpan<int> order)
    {
        var weights = (int*)_weights.Pointer;
        for (var column = 0; column < order.Length; column++)
        {
            var (vector, lane) = Math.DivRem(column, Lanes);
            if (!layer.Bias.IsEmpty)
                ((int*)_bias.Pointer)[column] = layer.Bias[order[column]];
            for (var u = 0; u < _kernel.Height; u++)
            {
                for (var v = 0; v < _kernel.Width; v++)
                {
                    var weight = layer.Weights[(((u * _kernel.Width) + v) * _outChannels) + order[column]];
                    weights[((((((nint)vector * _kernel.Height) + u) * Steps) + (v / 2)) * Lanes) + lane] |= v % 2 == 0 ? weight & 0xFFFF : weight << 16;
                }
            }
        }
    }

    // The last block ends with the last channel; a single channel stands in both columns.
    private int FirstChannel(int block) => Math.Max(0, Math.Min(block * Columns, _outChannels - Columns));

    private int Channel(int block, int column) => Math.Min(_outChannels - 1, FirstChannel(block) + Requantizer.ChannelApart(column, Lanes));

    private void RunBlock(
        byte* image, byte* bytes, short* shorts, nint pixelStride, in ConvGeometry g, int firstRow, int endRow, int firstBlock, int endBlock)
    {
        var pairing = new QuantizedPairing(g, _input, _multiplier, Columns);
        var rowBytes = pairing.RowInts * sizeof(int);
        nint sumBytes = (nint)g.Columns.Out * Columns * sizeof(int);
        nint outRowBytes = (Math.Min(g.Rows.Stride, g.Rows.In) * rowBytes) + sumBytes;
        var rows = (int)Math.Clamp((BlockBytes - (Math.Min(g.Rows.Span, g.Rows.In) * rowBytes)) / outRowBytes, 1, endRow - firstRow);

        // A row of zeros for the border, the input rows, the sums.
        var inRows = (int)Math.Min(g.Rows.In, ((rows - 1) * (long)g.Rows.Stride) + g.Rows.Span);
        var zeros = (int*)Scratch.Bytes(checked(((inRows + 1) * rowBytes) + (rows * sumBytes) + ((nint)g.Rows.Kernel * sizeof(int*))));
        var sums = zeros + ((inRows + 1) * pairing.RowInts);
        var taps = (int**)((byte*)sums + (rows * sumBytes));
        new Span<byte>(zeros, checked((int)rowBytes)).Clear();
        var run = new QuantizedDepthwiseRun
        {
            Rows = taps,
            KernelRows = g.Rows.Kernel,
            Steps = Steps,
            PixelStep = pairing.PixelStep,
            TapStep = pairing.TapStep,
            Pixels = g.Columns.Out,
            HighWeights = (nint)Lanes * g.Rows.Kernel * Steps,
        };
        for (var block = firstBlock; block < endBlock; block++)
        {
            var channel = FirstChannel(block);
            run.Weights = (int*)_weights.Pointer + ((nint)block * Columns * g.Rows.Kernel * Steps);
            run.Bias = (int*)_bias.Pointer + ((nint)block * Columns);
            for (var row = firstRow; row < endRow; row += rows)
            {
                var end = Math.Min(endRow, row + rows);
                var firstIn = Math.Clamp(g.Rows.InputStart(row), 0, g.Rows.In);
                var endIn = (int)Math.Clamp((long)g.Rows.InputStart(end - 1) + g.Rows.Span, firstIn, g.Rows.In);
                for (var y = firstIn; y < endIn; y++)
                {
                    var source = image + ((nint)y * g.Columns.In * g.InChannels);
                    Fill(pairing, source, channel, zeros + ((1 + y - firstIn) * pairing.RowInts));
                }

                run.Sums = sums;
                for (var i = row; i < end; i++, run.Sums += (nint)g.Columns.Out * Columns)
                {
                    for (var u = 0; u < g.Rows.Kernel; u++)
                    {
                        var y = g.Rows.InputStart(i) + (u * g.Rows.Dilation);
                        taps[u] = (uint)y < (uint)g.Rows.In ? zeros + ((1 + y - firstIn) * pairing.RowInts) : zeros;
                    }

                    Sum(run);
                }

                var pixel = (nint)(row - firstRow) * g.Columns.Out * pixelStride;
                var pixels = (nint)(end - row) * g.Columns.Out;
                _requantizer.RunApart(
                    sums,
                    pixels,
                    block * Columns,
                    Math.Min(_outChannels, Columns),
                    bytes == null ? null : bytes + ((pixel + channel) * _requantizer.OutputBytes),
                    shorts == null ? null : shorts + pixel + channel,
                    pixelStride);
            }
        }
    }

    private void Fill(in QuantizedPairing pairing, byte* source, int channel, int* target)
    {
        switch (_width)
        {
            case SimdWidth.V512:
                pairing.Fill<Integers512, Vector512<int>>(source, channel, target);
                break;
            case SimdWidth.V256:
                pairing.Fill<Integers256, Vector256<int>>(source, channel, target);
                break;
            case SimdWidth.V128:
                pairing.Fill<Integers128, Vector128<int>>(source, channel, target);
                break;
            default:
                pairing.Fill<IntegersScalar, int>(source, channel, target);
                break;
        }
    }

    private void Sum(in QuantizedDepthwiseRun run)
    {
        switch (_width)
        {
            case SimdWidth.V512:
                run.Sum<Integers512, Vector512<int>>();
                break;
            case SimdWidth.V256:
                run.Sum<Integers256, Vector256<int>>();
                break;
            case SimdWidth.V128:
                run.Sum<Integers128, Vector128<int>>();
                break;
            default:
                run.Sum<IntegersScalar, int>();
                break;
        }
    }

    private struct Work : IParallelWork
    {
        public QuantizedDepthwiseKernel Kernel;
        public byte* Input;
        public byte* Output;
        public ConvGeometry Geometry;
        public int RowParts;
        public int BlockParts;

        public readonly void Execute(int part)
        {
            var (blockPart, rest) = Math.DivRem(part, Geometry.Batch * RowParts);
            var (n, rowPart) = Math.DivRem(rest, RowParts);
            var (rows, columns) = (Geometry.Rows, Geometry.Columns);
            var first = (int)((long)rows.Out * rowPart / RowParts);
            var end = (int)((long)rows.Out * (rowPart + 1) / RowParts);
            var image = Input + ((nint)n * rows.In * columns.In * Geometry.InChannels);
            var output = Output + ((((nint)n * rows.Out) + first) * columns.Out * Geometry.OutChannels * Kernel._requantizer.OutputBytes);
            Kernel.RunBlock(
                image,
                output,
                null,
                Geometry.OutChannels,
                Geometry,
                first,
                end,
                (int)((long)Kernel.Blocks * blockPart / BlockParts),
                (int)((long)Kernel.Blocks * (blockPart + 1) / BlockParts));
        }
    }
}
