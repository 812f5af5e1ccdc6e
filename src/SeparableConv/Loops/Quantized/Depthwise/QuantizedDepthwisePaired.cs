namespace SeparableConv.Loops;

/// <summary>
/// Quantized depthwise convolution of any size. The input is first laid out in pairs (<see cref="QuantizedPairing"/>): for every position
/// that an output reads, a lane holds the number there and the one a dilation to the right. Two taps of a kernel row are then one
/// multiplication of pairs, and only the layout knows borders, strides and dilations.
/// </summary>
internal sealed unsafe class QuantizedDepthwisePaired : QuantizedDepthwiseForm
{
    // Pairs and sums of the rows at work stay in the first-level cache.
    private const int BlockBytes = 24 * 1024;

    private readonly ConvGeometry _geometry;
    private readonly ChannelBlocks _blocks;
    private readonly Requantizer _requantizer;
    private readonly QuantizedInput _input;
    private readonly PackedBuffer _weights;
    private readonly PackedBuffer _bias;

    /// <param name="layer">Weights (kH, kW, C*M).</param>
    /// <param name="geometry">The sizes.</param>
    /// <param name="blocks">The channels.</param>
    /// <param name="requantizer">What makes bytes of the sums, column by column of the blocks.</param>
    public QuantizedDepthwisePaired(in QuantizedLayer layer, in ConvGeometry geometry, ChannelBlocks blocks, Requantizer requantizer)
    {
        (_geometry, _blocks, _requantizer, _input) = (geometry, blocks, requantizer, layer.Input);
        var order = blocks.Order();
        _bias = new PackedBuffer(order.Length);
        _weights = new PackedBuffer(checked((nint)order.Length * geometry.Kernel.Height * Steps));
        Pack(layer, order);
    }

    /// <summary>Multiplications of pairs in a kernel row.</summary>
    private int Steps => (_geometry.Kernel.Width + 1) / 2;

    public override int Blocks => _blocks.Count;

    public override int BlockChannels => _blocks.Columns;

    public override void Run(byte* image, byte* output, int firstRow, int endRow, int firstBlock, int endBlock)
    {
        var work = new RowsWork(this, image, output, firstRow, endRow, firstBlock, endBlock);
        _blocks.Width.DispatchIntegers(ref work);
        GC.KeepAlive(this);
    }

    private void Run<TSimd, TVec>(byte* image, byte* output, int firstRow, int endRow, int firstBlock, int endBlock)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        var g = _geometry;
        var (columns, channels) = (_blocks.Columns, (nint)_blocks.Channels);
        var pairing = new QuantizedPairing(g.Columns, _input, _blocks);
        var rowBytes = pairing.RowInts * sizeof(int);
        nint sumBytes = (nint)g.Columns.Out * columns * sizeof(int);
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
            HighWeights = (nint)_blocks.Lanes * g.Rows.Kernel * Steps,
        };
        for (var block = firstBlock; block < endBlock; block++)
        {
            var channel = _blocks.First(block);
            run.Weights = (int*)_weights.Pointer + ((nint)block * columns * g.Rows.Kernel * Steps);
            run.Bias = (int*)_bias.Pointer + ((nint)block * columns);
            for (var row = firstRow; row < endRow; row += rows)
            {
                var end = Math.Min(endRow, row + rows);
                var firstIn = Math.Clamp(g.Rows.InputStart(row), 0, g.Rows.In);
                var endIn = (int)Math.Clamp((long)g.Rows.InputStart(end - 1) + g.Rows.Span, firstIn, g.Rows.In);
                for (var y = firstIn; y < endIn; y++)
                {
                    var source = image + ((nint)y * g.Columns.In * channels);
                    pairing.Fill<TSimd, TVec>(source, channel, zeros + ((1 + y - firstIn) * pairing.RowInts));
                }

                run.Sums = sums;
                for (var i = row; i < end; i++, run.Sums += (nint)g.Columns.Out * columns)
                {
                    for (var u = 0; u < g.Rows.Kernel; u++)
                    {
                        var y = g.Rows.InputStart(i) + (u * g.Rows.Dilation);
                        taps[u] = (uint)y < (uint)g.Rows.In ? zeros + ((1 + y - firstIn) * pairing.RowInts) : zeros;
                    }

                    run.Sum<TSimd, TVec>();
                }

                var pixel = (nint)(row - firstRow) * g.Columns.Out * channels;
                var pixels = (nint)(end - row) * g.Columns.Out;
                _requantizer.RunApart(sums, pixels, block * columns, output + ((pixel + channel) * _requantizer.OutputBytes), channels);
            }
        }
    }

    // [block][vector of two][kernel row][step][lane] and [block][column].
    private void Pack(in QuantizedLayer layer, ReadOnlySpan<int> order)
    {
        var kernel = _geometry.Kernel;
        for (var column = 0; column < order.Length; column++)
        {
            var (vector, lane) = Math.DivRem(column, _blocks.Lanes);
            if (!layer.Bias.IsEmpty)
                ((int*)_bias.Pointer)[column] = layer.Bias[order[column]];
            for (var u = 0; u < kernel.Height; u++)
            {
                for (var v = 0; v < kernel.Width; v++)
                {
                    var weight = layer.Weights[(((u * kernel.Width) + v) * _blocks.Used) + order[column]];
                    var at = ((((((nint)vector * kernel.Height) + u) * Steps) + (v / 2)) * _blocks.Lanes) + lane;
                    ((int*)_weights.Pointer)[at] |= v % 2 == 0 ? weight & 0xFFFF : weight << 16;
                }
            }
        }
    }

    private readonly struct RowsWork(
        QuantizedDepthwisePaired form, byte* image, byte* output, int firstRow, int endRow, int firstBlock, int endBlock)
        : IIntegerSimdWork
    {
        public void Run<TSimd, TVec>()
            where TSimd : struct, IIntegerSimd<TVec>
            where TVec : struct => form.Run<TSimd, TVec>(image, output, firstRow, endRow, firstBlock, endBlock);
    }
}
