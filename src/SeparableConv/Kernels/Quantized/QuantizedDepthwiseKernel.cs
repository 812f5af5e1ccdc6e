using System.Diagnostics;
using System.Runtime.Intrinsics;
using SeparableConv.Threading;

namespace SeparableConv.Kernels;

/// <summary>
/// Quantized depthwise convolution: the sums bias[c*M+m] + sum over u,v of (x[n, i*s+u*d-p, j*s+v*d-p, c] - zeroPoint) * w[u,v,c,m],
/// exact in 32 bits (beyond which they wrap around), made bytes by <see cref="Requantizer"/>, or given as they are.
/// </summary>
/// <remarks>
/// Two vectors of channels are taken through some rows of the image at a time. 3x3 and 5x5 kernels with stride 1 or 2 slide along the
/// rows (<see cref="QuantizedDepthwiseSlide"/>). For all others the input is first paired: for every position that
/// an output reads, the number there and the one a dilation to the right lie in one lane as two 16-bit halves. Two taps of a kernel
/// row are then one multiplication of pairs, and borders, strides, dilations and multipliers are matters of the pairing alone. Pairing
/// leaves the channels of the two vectors taken apart as the instruction does it; packing the results puts them back.
/// </remarks>
internal sealed unsafe class QuantizedDepthwiseKernel
{
    // Pairs and sums of the rows at work stay in the first-level cache.
    private const int BlockBytes = 24 * 1024;

    // The rows that all channels slide along stay in a part of the second-level cache.
    private const int BandBytes = 192 * 1024;

    private readonly PackedBuffer _weights;
    private readonly PackedBuffer _bias;
    private readonly PackedBuffer? _border;
    private readonly Requantizer _requantizer;
    private readonly QuantizedInput _input;
    private readonly ConvGeometry _geometry;
    private readonly int _outChannels;
    private readonly int _multiplier;
    private readonly SimdWidth _width;

    /// <param name="layer">Weights (kH, kW, C, M).</param>
    /// <param name="geometry">The sizes; its groups are its channels.</param>
    /// <param name="width">The vector width to run with.</param>
    public QuantizedDepthwiseKernel(in QuantizedLayer layer, in ConvGeometry geometry, SimdWidth width)
    {
        (_input, _geometry, _outChannels, _multiplier) = (layer.Input, geometry, geometry.OutChannels, geometry.OutChannels / geometry.InChannels);
        Debug.Assert(layer.Weights.Length == geometry.Kernel.Height * geometry.Kernel.Width * _outChannels, "weights are (kH, kW, C, M)");
        _width = QuantizedLayer.NarrowTo(width, Math.Max(1, _outChannels / 2));
        var order = new int[checked(Blocks * Columns)];
        for (var column = 0; column < order.Length; column++)
            order[column] = Channel(column / Columns, column % Columns);
        _requantizer = new Requantizer(layer.Factors, layer.LargestSums(_outChannels), layer.Output, _width, order);
        _bias = new PackedBuffer(order.Length);
        if (_multiplier == 1 && _outChannels >= Columns && QuantizedDepthwiseSlide.Fits(geometry) && _requantizer.Rounding is not (RoundingForm.None or RoundingForm.Number))
        {
            _border = new PackedBuffer(Columns);
            new Span<byte>(_border.Pointer, Columns * sizeof(float)).Fill((byte)_input.ZeroPoint);
            _weights = new PackedBuffer(checked((nint)order.Length * geometry.Kernel.Width * PairsOfRows));
            PackColumns(layer, order);
        }
        else
        {
            _weights = new PackedBuffer(checked((nint)order.Length * geometry.Kernel.Height * Steps));
            PackRows(layer, order);
        }
    }

    private int Lanes => (int)_width;

    /// <summary>Columns of sums of two vectors.</summary>
    private int Columns => 2 * Lanes;

    /// <summary>Pairs of vectors.</summary>
    private int Blocks => (_outChannels + Columns - 1) / Columns;

    /// <summary>Multiplications of pairs in a kernel row.</summary>
    private int Steps => (_geometry.Kernel.Width + 1) / 2;

    /// <summary>And in a kernel column.</summary>
    private int PairsOfRows => (_geometry.Kernel.Height + 1) / 2;

    /// <summary>Computes (N, outH, outW, C*M) from (N, inH, inW, C).</summary>
    public void Run(byte* input, byte* output, int threads)
    {
        var g = _geometry;

        // A thread has rows of its own; few rows read nearly all of their neighbours' input, channels nothing.
        var byRows = threads > 1 && (g.Rows.Out >= 12 * threads || Blocks < threads);
        var work = new Work
        {
            Kernel = this,
            Input = input,
            Output = output,
            RowParts = byRows ? Math.Min(2 * threads, g.Rows.Out) : 1,
            BlockParts = threads > 1 && !byRows ? Math.Min(2 * threads, Blocks) : 1,
        };
        WorkerPool.Shared.Run(ref work, checked(g.Batch * work.RowParts * work.BlockParts), threads);
        GC.KeepAlive(this);
    }

    // [block][vector of two][kernel row][step][lane] and [block][column].
    private void PackRows(in QuantizedLayer layer, ReadOnlySpan<int> order)
    {
        var weights = (int*)_weights.Pointer;
        var kernel = _geometry.Kernel;
        for (var column = 0; column < order.Length; column++)
        {
            var (vector, lane) = Math.DivRem(column, Lanes);
            if (!layer.Bias.IsEmpty)
                ((int*)_bias.Pointer)[column] = layer.Bias[order[column]];
            for (var u = 0; u < kernel.Height; u++)
            {
                for (var v = 0; v < kernel.Width; v++)
                {
                    var weight = layer.Weights[(((u * kernel.Width) + v) * _outChannels) + order[column]];
                    weights[((((((nint)vector * kernel.Height) + u) * Steps) + (v / 2)) * Lanes) + lane] |= v % 2 == 0 ? weight & 0xFFFF : weight << 16;
                }
            }
        }
    }

    // [block][kernel column][pair of kernel rows][column], and [block][column]: the bias takes the zero point off.
    private void PackColumns(in QuantizedLayer layer, ReadOnlySpan<int> order)
    {
        var (weights, kernel) = ((nint)_weights.Pointer, _geometry.Kernel);
        for (var i = 0; i < order.Length; i++)
        {
            var (block, column) = Math.DivRem(i, Columns);
            var bias = layer.Bias.IsEmpty ? 0 : layer.Bias[order[i]];
            for (var u = 0; u < kernel.Height; u++)
            {
                for (var v = 0; v < kernel.Width; v++)
                {
                    var weight = layer.Weights[(((u * kernel.Width) + v) * _outChannels) + order[i]];
                    var at = (((((nint)block * kernel.Width) + v) * PairsOfRows) + (u / 2)) * Columns;
                    ((int*)weights)[at + column] |= u % 2 == 0 ? weight & 0xFFFF : weight << 16;
                    bias -= _input.ZeroPoint * weight;
                }
            }

            ((int*)_bias.Pointer)[i] = bias;
        }
    }

    // The last block ends with the last channel; a single channel stands in both columns.
    private int FirstChannel(int block) => Math.Max(0, Math.Min(block * Columns, _outChannels - Columns));

    private int Channel(int block, int column) => Math.Min(_outChannels - 1, FirstChannel(block) + Requantizer.ChannelApart(column, Lanes));

    private void Slide(byte* image, byte* output, int firstRow, int endRow, int firstBlock, int endBlock)
    {
        var g = _geometry;
        var band = new QuantizedDepthwiseBand
        {
            RowStride = (nint)g.Columns.In * g.InChannels,
            Channels = g.InChannels,
            Rows = g.Rows,
            Columns = g.Columns,
            Border = (byte*)_border!.Pointer,
            Tables = _requantizer.Tables,
            Output = _requantizer.Output,
        };
        var rows = (int)Math.Max(2, BandBytes / (g.Rows.Stride * band.RowStride));
        for (band.FirstRow = firstRow; band.FirstRow < endRow; band.FirstRow = band.EndRow)
        {
            band.EndRow = Math.Min(endRow, band.FirstRow + rows);
            for (var block = firstBlock; block < endBlock; block++)
            {
                var channel = FirstChannel(block);
                band.FirstColumn = block * Columns;
                band.Image = image + channel;
                band.Target = output + ((band.FirstRow - firstRow) * (nint)g.Columns.Out * g.OutChannels) + channel;
                band.Weights = (int*)_weights.Pointer + ((nint)block * Columns * g.Kernel.Width * PairsOfRows);
                band.Bias = (int*)_bias.Pointer + ((nint)block * Columns);
                Slide(band);
            }
        }
    }

    private void Slide(in QuantizedDepthwiseBand band)
    {
        switch (_width)
        {
            case SimdWidth.V512:
                Slide<Integers512, Vector512<int>>(band);
                break;
            case SimdWidth.V256:
                Slide<Integers256, Vector256<int>>(band);
                break;
            case SimdWidth.V128:
                Slide<Integers128, Vector128<int>>(band);
                break;
            default:
                Slide<IntegersScalar, int>(band);
                break;
        }
    }

    private void Slide<TSimd, TVec>(in QuantizedDepthwiseBand band)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        switch (_requantizer.Rounding)
        {
            case RoundingForm.Float:
                Slide<TSimd, TVec, FloatRounding<TSimd, TVec>>(band);
                break;
            case RoundingForm.ClampedFloat:
                Slide<TSimd, TVec, ClampedFloatRounding<TSimd, TVec>>(band);
                break;
            case RoundingForm.Fixed:
                Slide<TSimd, TVec, FixedRounding<TSimd, TVec>>(band);
                break;
            default:
                Slide<TSimd, TVec, PositiveFixedRounding<TSimd, TVec>>(band);
                break;
        }
    }

    private void Slide<TSimd, TVec, TRounding>(in QuantizedDepthwiseBand band)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
        where TRounding : struct, IRounding<TSimd, TVec>
    {
        if (_input.IsSigned)
            QuantizedDepthwiseSlide.Run<TSimd, TVec, TRounding, Constant.Is2>(band);
        else
            QuantizedDepthwiseSlide.Run<TSimd, TVec, TRounding, Constant.Is1>(band);
    }

    private void RunBlocks(byte* image, byte* output, int firstRow, int endRow, int firstBlock, int endBlock)
    {
        var g = _geometry;
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

                var pixel = (nint)(row - firstRow) * g.Columns.Out * g.OutChannels;
                var pixels = (nint)(end - row) * g.Columns.Out;
                _requantizer.RunApart(
                    sums,
                    pixels,
                    block * Columns,
                    Math.Min(_outChannels, Columns),
                    output + ((pixel + channel) * _requantizer.OutputBytes),
                    g.OutChannels);
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
        public int RowParts;
        public int BlockParts;

        public readonly void Execute(int part)
        {
            var g = Kernel._geometry;
            var (blockPart, rest) = Math.DivRem(part, g.Batch * RowParts);
            var (n, rowPart) = Math.DivRem(rest, RowParts);
            var first = (int)((long)g.Rows.Out * rowPart / RowParts);
            var end = (int)((long)g.Rows.Out * (rowPart + 1) / RowParts);
            var image = Input + ((nint)n * g.Rows.In * g.Columns.In * g.InChannels);
            var output = Output + ((((nint)n * g.Rows.Out) + first) * g.Columns.Out * g.OutChannels * Kernel._requantizer.OutputBytes);
            var firstBlock = (int)((long)Kernel.Blocks * blockPart / BlockParts);
            var endBlock = (int)((long)Kernel.Blocks * (blockPart + 1) / BlockParts);
            if (Kernel._border is not null)
                Kernel.Slide(image, output, first, end, firstBlock, endBlock);
            else
                Kernel.RunBlocks(image, output, first, end, firstBlock, endBlock);
        }
    }
}
