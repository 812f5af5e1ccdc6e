using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// Quantized depthwise convolution of any size that reads no number twice, such as one over the whole image, a mean among them. Two taps at
/// a time are widened, paired in registers and added to the sums: what is laid out for no second reader costs more than it saves.
/// </summary>
internal sealed unsafe class QuantizedDepthwiseOnce : QuantizedDepthwiseForm
{
    private readonly ConvGeometry _geometry;
    private readonly ChannelBlocks _blocks;
    private readonly Requantizer _requantizer;
    private readonly bool _isSigned;
    private readonly PackedBuffer _weights;
    private readonly PackedBuffer _bias;
    private readonly PackedBuffer _border;

    /// <param name="layer">Weights (kH, kW, C*M).</param>
    /// <param name="geometry">The sizes.</param>
    /// <param name="blocks">The channels.</param>
    /// <param name="requantizer">What makes bytes of the sums, column by column of the blocks.</param>
    public QuantizedDepthwiseOnce(in QuantizedLayer layer, in ConvGeometry geometry, ChannelBlocks blocks, Requantizer requantizer)
    {
        (_geometry, _blocks, _requantizer, _isSigned) = (geometry, blocks, requantizer, layer.Input.IsSigned);
        _border = new PackedBuffer(blocks.Columns);
        new Span<byte>(_border.Pointer, blocks.Columns * sizeof(float)).Fill((byte)layer.Input.ZeroPoint);
        var order = blocks.Order();
        _bias = new PackedBuffer(order.Length);
        _weights = new PackedBuffer(checked((nint)order.Length * Pairs));
        Pack(layer, order);
    }

    private int Taps => checked(_geometry.Kernel.Height * _geometry.Kernel.Width);

    private int Pairs => (Taps + 1) / 2;

    /// <summary>Whether no number of an image is read for two outputs.</summary>
    public static bool Fits(in ConvGeometry g) => IsReadOnce(g.Rows) && IsReadOnce(g.Columns);

    public override int Blocks => _blocks.Count;

    public override int BlockChannels => _blocks.Columns;

    public override void Run(byte* image, byte* output, int firstRow, int endRow, int firstBlock, int endBlock)
    {
        var work = new RowsWork(this, image, output, firstRow, endRow, firstBlock, endBlock);
        _blocks.Width.DispatchIntegers(ref work);
        GC.KeepAlive(this);
    }

    private static bool IsReadOnce(in AxisGeometry axis) => axis.Out == 1 || axis.Stride >= axis.Span;

    // [block][pair of taps][column], the first tap's weight in the lower 16 bits, and [block][column]: the bias takes the zero point off.
    private void Pack(in QuantizedLayer layer, ReadOnlySpan<int> order)
    {
        for (var i = 0; i < order.Length; i++)
        {
            var (block, column) = Math.DivRem(i, _blocks.Columns);
            var bias = layer.Bias.IsEmpty ? 0 : layer.Bias[order[i]];
            for (var tap = 0; tap < Taps; tap++)
            {
                var weight = layer.Weights[(tap * _blocks.Used) + order[i]];
                var at = ((((nint)block * Pairs) + (tap / 2)) * _blocks.Columns) + column;
                ((int*)_weights.Pointer)[at] |= tap % 2 == 0 ? weight & 0xFFFF : weight << 16;
                bias -= layer.Input.ZeroPoint * weight;
            }

            ((int*)_bias.Pointer)[i] = bias;
        }
    }

    private void Run<TSimd, TVec>(byte* image, byte* output, int firstRow, int endRow, int firstBlock, int endBlock)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        var (columns, channels) = (_blocks.Columns, (nint)_blocks.Channels);

        // A tap too many where their number is odd: its weights are 0.
        var taps = (byte**)Scratch.Bytes(checked((2 * Pairs * sizeof(nint)) + (columns * sizeof(int))));
        var sums = (int*)(taps + (2 * Pairs));
        for (var row = firstRow; row < endRow; row++)
        {
            for (var column = 0; column < _geometry.Columns.Out; column++, output += channels * _requantizer.OutputBytes)
            {
                FindTaps(image, row, column, taps);
                for (var block = firstBlock; block < endBlock; block++)
                {
                    var channel = _blocks.First(block);
                    Sum<TSimd, TVec>(
                        taps,
                        channel,
                        (int*)_weights.Pointer + ((nint)block * Pairs * columns),
                        (int*)_bias.Pointer + ((nint)block * columns),
                        sums);
                    _requantizer.RunApart(sums, 1, block * columns, output + (channel * _requantizer.OutputBytes), columns);
                }
            }
        }
    }

    // Where the first channel of every tap lies; null in the border.
    private void FindTaps(byte* image, int row, int column, byte** taps)
    {
        var (rows, columns) = (_geometry.Rows, _geometry.Columns);
        for (var u = 0; u < rows.Kernel; u++)
        {
            for (var v = 0; v < columns.Kernel; v++)
            {
                var (y, x) = (rows.InputStart(row) + (u * rows.Dilation), columns.InputStart(column) + (v * columns.Dilation));
                *taps++ = (uint)y < (uint)rows.In && (uint)x < (uint)columns.In
                    ? image + ((((nint)y * columns.In) + x) * _blocks.Channels)
                    : null;
            }
        }

        if (Taps % 2 != 0)
            *taps = null;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Sum<TSimd, TVec>(byte** taps, nint channel, int* weights, int* bias, int* sums)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        var v = TSimd.Count;
        var (low, high) = (TSimd.Load(bias), TSimd.Load(bias + v));
        var border = (byte*)_border.Pointer;
        for (var end = taps + (2 * Pairs); taps < end; taps += 2, weights += 2 * v)
        {
            var x0 = TSimd.LoadShorts(taps[0] == null ? border : taps[0] + channel, _isSigned);
            var x1 = TSimd.LoadShorts(taps[1] == null ? border : taps[1] + channel, _isSigned);
            low = TSimd.MultiplyAddPairs(TSimd.JoinLow(x0, x1), TSimd.Load(weights), low);
            high = TSimd.MultiplyAddPairs(TSimd.JoinHigh(x0, x1), TSimd.Load(weights + v), high);
        }

        TSimd.Store(low, sums);
        TSimd.Store(high, sums + v);
    }

    private readonly struct RowsWork(
        QuantizedDepthwiseOnce form, byte* image, byte* output, int firstRow, int endRow, int firstBlock, int endBlock)
        : IIntegerSimdWork
    {
        public void Run<TSimd, TVec>()
            where TSimd : struct, IIntegerSimd<TVec>
            where TVec : struct => form.Run<TSimd, TVec>(image, output, firstRow, endRow, firstBlock, endBlock);
    }
}
