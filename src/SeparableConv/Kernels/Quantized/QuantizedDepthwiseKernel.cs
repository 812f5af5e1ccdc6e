using System.Diagnostics;
using System.Runtime.Intrinsics;
using SeparableConv.Threading;

namespace SeparableConv.Kernels;

/// <summary>
/// Quantized depthwise convolution: the sums bias[c*M+m] + sum over u,v of (x[n, i*s+u*d-p, j*s+v*d-p, c] - zeroPoint) * w[u,v,c,m],
/// exact in 32 bits (beyond which they wrap around), made bytes by <see cref="Requantizer"/>.
/// </summary>
/// <remarks>
/// A vector of channels is taken through some rows of the image at a time. Its input is first paired: for every position that an
/// output reads, the number there and the one a dilation to the right lie in one lane as two 16-bit halves. Two taps of a kernel row
/// are then one multiplication of pairs, and borders, strides, dilations and multipliers are matters of the pairing alone.
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
        _width = QuantizedLayer.NarrowTo(width, _outChannels);
        _requantizer = new Requantizer(layer.Factors, layer.LargestSums(_outChannels), layer.Output, _width);
        _weights = new PackedBuffer(checked((nint)Vectors * kernel.Height * Steps * Lanes));
        _bias = new PackedBuffer((nint)Vectors * Lanes);
        Pack(layer);
    }

    private int Lanes => (int)_width;

    private int Vectors => (_outChannels + Lanes - 1) / Lanes;

    /// <summary>Multiplications of pairs in a kernel row.</summary>
    private int Steps => (_kernel.Width + 1) / 2;

    /// <summary>Computes (N, outH, outW, C*M) from (N, inH, inW, C).</summary>
    public void Run(byte* input, byte* output, in ConvGeometry g, int threads)
    {
        // A thread has rows of its own; few rows read nearly all of their neighbours' input, channels nothing.
        var byRows = threads > 1 && (g.Rows.Out >= 12 * threads || Vectors < threads);
        var work = new Work
        {
            Kernel = this,
            Input = input,
            Output = output,
            Geometry = g,
            RowParts = byRows ? Math.Min(2 * threads, g.Rows.Out) : 1,
            VectorParts = threads > 1 && !byRows ? Math.Min(2 * threads, Vectors) : 1,
        };
        WorkerPool.Shared.Run(ref work, checked(g.Batch * work.RowParts * work.VectorParts), threads);
        GC.KeepAlive(this);
    }

    /// <summary>
    /// Computes rows <paramref name="firstRow"/> up to and without <paramref name="endRow"/> of one image on this thread, as 16-bit numbers
    /// less the output's zero point: what <see cref="QuantizedConvKernel.RunWidened"/> reads.
    /// </summary>
    /// <param name="image">The image.</param>
    /// <param name="output">Where row <paramref name="firstRow"/> begins; rows follow each other without a gap.</param>
    /// <param name="pixelStride">Numbers from one output pixel to the next.</param>
    /// <param name="g">The sizes of the whole convolution.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="endRow">One past the last row.</param>
    public void RunWidened(byte* image, short* output, nint pixelStride, in ConvGeometry g, int firstRow, int endRow)
    {
        RunBlock(image, null, output, pixelStride, g, firstRow, endRow, 0, Vectors);
        GC.KeepAlive(this);
    }

    // [vector][kernel row][step][lane] and [vector][lane]; the last vector ends with the last channel.
    private void Pack(in QuantizedLayer layer)
    {
        var weights = (int*)_weights.Pointer;
        var factor = _requantizer.SumFactor;
        for (var vector = 0; vector < Vectors; vector++)
        {
            var first = FirstChannel(vector);
            for (var lane = 0; lane < Lanes && !layer.Bias.IsEmpty; lane++)
                ((int*)_bias.Pointer)[(vector * Lanes) + lane] = layer.Bias[first + lane] * factor;
            for (var u = 0; u < _kernel.Height; u++)
            {
                for (var v = 0; v < _kernel.Width; v++)
                {
                    var target = weights + ((((((nint)vector * _kernel.Height) + u) * Steps) + (v / 2)) * Lanes);
                    var source = layer.Weights.Slice((((u * _kernel.Width) + v) * _outChannels) + first, Lanes);
                    for (var lane = 0; lane < Lanes; lane++)
                        target[lane] |= v % 2 == 0 ? source[lane] * factor & 0xFFFF : source[lane] * factor << 16;
                }
            }
        }
    }

    private int FirstChannel(int vector) => Math.Min(vector * Lanes, _outChannels - Lanes);

    private void RunBlock(
        byte* image, byte* bytes, short* shorts, nint pixelStride, in ConvGeometry g, int firstRow, int endRow, int firstVector, int endVector)
    {
        var pairing = new QuantizedPairing(g, _input, _multiplier, Lanes);
        var rowBytes = pairing.RowInts * sizeof(int);
        nint sumBytes = (nint)g.Columns.Out * Lanes * sizeof(int);
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
        };
        for (var vector = firstVector; vector < endVector; vector++)
        {
            var channel = FirstChannel(vector);
            run.Weights = (int*)_weights.Pointer + ((nint)vector * g.Rows.Kernel * Steps * Lanes);
            run.Bias = (int*)_bias.Pointer + ((nint)vector * Lanes);
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
                for (var i = row; i < end; i++, run.Sums += (nint)g.Columns.Out * Lanes)
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
                if (shorts != null)
                    _requantizer.ToShorts(sums, Lanes, pixels, channel, Lanes, shorts + pixel + channel, pixelStride);
                else
                    _requantizer.ToBytes(sums, Lanes, pixels, channel, Lanes, bytes + pixel + channel, pixelStride);
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
        public int VectorParts;

        public readonly void Execute(int part)
        {
            var (vectorPart, rest) = Math.DivRem(part, Geometry.Batch * RowParts);
            var (n, rowPart) = Math.DivRem(rest, RowParts);
            var (rows, columns) = (Geometry.Rows, Geometry.Columns);
            var first = (int)((long)rows.Out * rowPart / RowParts);
            var end = (int)((long)rows.Out * (rowPart + 1) / RowParts);
            var image = Input + ((nint)n * rows.In * columns.In * Geometry.InChannels);
            var output = Output + ((((nint)n * rows.Out) + first) * columns.Out * Geometry.OutChannels);
            Kernel.RunBlock(
                image,
                output,
                null,
                Geometry.OutChannels,
                Geometry,
                first,
                end,
                (int)((long)Kernel.Vectors * vectorPart / VectorParts),
                (int)((long)Kernel.Vectors * (vectorPart + 1) / VectorParts));
        }
    }
}
