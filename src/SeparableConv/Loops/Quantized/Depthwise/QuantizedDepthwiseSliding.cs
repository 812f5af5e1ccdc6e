namespace SeparableConv.Loops;

/// <summary>
/// Quantized depthwise convolution for kernels up to 5x5, whose columns lie one apart, two apart, or a dilation: see
/// <see cref="QuantizedDepthwiseSlide"/>. Kernels are brought to 3x3 or 5x5 with zeros. A dilation of d makes d images of every d-th
/// column.
/// </summary>
internal sealed unsafe class QuantizedDepthwiseSliding : QuantizedDepthwiseForm
{
    // The rows that all channels slide along stay in a part of the second-level cache.
    private const int BandBytes = 192 * 1024;

    private readonly ConvGeometry _geometry;
    private readonly ChannelBlocks _blocks;
    private readonly Requantizer _requantizer;
    private readonly PackedBuffer _weights;
    private readonly PackedBuffer _bias;
    private readonly PackedBuffer _border;
    private readonly bool _isSigned;
    private readonly int _side;

    /// <param name="layer">Weights (kH, kW, C*M).</param>
    /// <param name="geometry">The sizes.</param>
    /// <param name="blocks">The channels.</param>
    /// <param name="requantizer">
    /// What makes bytes of the sums, column by column of the blocks; neither form that vectors do not round.
    /// </param>
    public QuantizedDepthwiseSliding(in QuantizedLayer layer, in ConvGeometry geometry, ChannelBlocks blocks, Requantizer requantizer)
    {
        (_geometry, _blocks, _requantizer) = (geometry, blocks, requantizer);
        _isSigned = layer.Input.IsSigned;
        _side = Side(geometry);
        _border = new PackedBuffer(blocks.Columns);
        new Span<byte>(_border.Pointer, blocks.Columns * sizeof(float)).Fill((byte)layer.Input.ZeroPoint);
        var order = blocks.Order();
        _bias = new PackedBuffer(order.Length);
        _weights = new PackedBuffer(checked((nint)order.Length * _side * PairsOfRows));
        Pack(layer, order);
    }

    private int PairsOfRows => (_side + 1) / 2;

    /// <summary>Whether a convolution can be computed so.</summary>
    public static bool Fits(in ConvGeometry g, Requantizer requantizer)
    {
        if (requantizer.Rounding is RoundingForm.None or RoundingForm.Number || Math.Max(g.Kernel.Height, g.Kernel.Width) > 5)
            return false;
        return g.Columns.Stride == 1 || (g.Columns.Stride == 2 && (g.Columns.Dilation == 1 || g.Kernel.Width == 1));
    }

    public override int Blocks => _blocks.Count;

    public override int BlockChannels => _blocks.Columns;

    public override void Run(byte* image, byte* output, int firstRow, int endRow, int firstBlock, int endBlock)
    {
        var g = _geometry;
        nint channels = _blocks.Channels;
        var band = new QuantizedDepthwiseBand
        {
            RowStride = g.Columns.In * channels,
            Rows = g.Rows,
            Border = (byte*)_border.Pointer,
            Tables = _requantizer.Tables,
            Output = _requantizer.Output,
            TargetRowStride = g.Columns.Out * channels,
        };
        var rows = (int)Math.Clamp(BandBytes / (Math.Min(g.Rows.Stride, g.Rows.In) * band.RowStride), 2, endRow - firstRow + 1);
        for (band.FirstRow = firstRow; band.FirstRow < endRow; band.FirstRow = band.EndRow)
        {
            band.EndRow = Math.Min(endRow, band.FirstRow + rows);
            for (var block = firstBlock; block < endBlock; block++)
            {
                var channel = _blocks.First(block);
                band.FirstColumn = block * _blocks.Columns;
                band.Weights = (int*)_weights.Pointer + ((nint)band.FirstColumn * _side * PairsOfRows);
                band.Bias = (int*)_bias.Pointer + band.FirstColumn;
                RunColumns(band, image + channel, output + ((band.FirstRow - firstRow) * band.TargetRowStride) + channel);
            }
        }

        GC.KeepAlive(this);
    }

    // 3 or 5.
    private static int Side(in ConvGeometry g) => Math.Max(g.Kernel.Height, g.Kernel.Width) <= 3 ? 3 : 5;

    // [block][kernel column][pair of kernel rows][column], and [block][column]: the bias takes the zero point off.
    private void Pack(in QuantizedLayer layer, ReadOnlySpan<int> order)
    {
        var kernel = _geometry.Kernel;
        for (var i = 0; i < order.Length; i++)
        {
            var (block, column) = Math.DivRem(i, _blocks.Columns);
            var bias = layer.Bias.IsEmpty ? 0 : layer.Bias[order[i]];
            for (var u = 0; u < kernel.Height; u++)
            {
                for (var v = 0; v < kernel.Width; v++)
                {
                    var weight = layer.Weights[(((u * kernel.Width) + v) * _blocks.Used) + order[i]];
                    var at = (((((nint)block * _side) + v) * PairsOfRows) + (u / 2)) * _blocks.Columns;
                    ((int*)_weights.Pointer)[at + column] |= u % 2 == 0 ? weight & 0xFFFF : weight << 16;
                    bias -= layer.Input.ZeroPoint * weight;
                }
            }

            ((int*)_bias.Pointer)[i] = bias;
        }
    }

    // Every dilation-th output by itself: they read every dilation-th column.
    private void RunColumns(QuantizedDepthwiseBand band, byte* image, byte* output)
    {
        var columns = _geometry.Columns;
        var step = columns.Kernel == 1 ? 1 : columns.Dilation;
        band.ColumnStride = step * (nint)_blocks.Channels;
        band.TargetStride = band.ColumnStride;
        for (var phase = 0; phase < Math.Min(step, columns.Out); phase++)
        {
            var outputs = (columns.Out - phase + step - 1) / step;
            var first = columns.InputStart(phase);
            band.Columns = ((outputs - 1) * columns.Stride) + _side;
            band.LeftColumns = (int)Math.Clamp((step - 1L - first) / step, 0, band.Columns);
            band.InsideColumns =
                (int)Math.Clamp((columns.In + (step - 1L) - first) / step, band.LeftColumns, band.Columns) - band.LeftColumns;
            band.Image = image + ((first + ((nint)band.LeftColumns * step)) * _blocks.Channels);
            band.Target = output + ((nint)phase * _blocks.Channels);
            _requantizer.Dispatch(new BandWork { Form = this, Band = band });
        }
    }

    private void Run<TSimd, TVec, TRounding, TSigned>(in QuantizedDepthwiseBand band)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
        where TRounding : struct, IRounding<TSimd, TVec>
        where TSigned : unmanaged, IConstant
    {
        switch (_side, _geometry.Columns.Stride)
        {
            case (3, 1):
                QuantizedDepthwiseSlide.Run3x3<TSimd, TVec, TRounding, TSigned, Constant.Is1>(band);
                break;
            case (3, 2):
                QuantizedDepthwiseSlide.Run3x3<TSimd, TVec, TRounding, TSigned, Constant.Is2>(band);
                break;
            case (5, 1):
                QuantizedDepthwiseSlide.Run5x5<TSimd, TVec, TRounding, TSigned, Constant.Is1>(band);
                break;
            default:
                QuantizedDepthwiseSlide.Run5x5<TSimd, TVec, TRounding, TSigned, Constant.Is2>(band);
                break;
        }
    }

    private struct BandWork : IRoundingWork
    {
        public QuantizedDepthwiseSliding Form;
        public QuantizedDepthwiseBand Band;

        public readonly void Run<TSimd, TVec, TRounding>()
            where TSimd : struct, IIntegerSimd<TVec>
            where TVec : struct
            where TRounding : struct, IRounding<TSimd, TVec>
        {
            if (Form._isSigned)
                Form.Run<TSimd, TVec, TRounding, Constant.Is2>(Band);
            else
                Form.Run<TSimd, TVec, TRounding, Constant.Is1>(Band);
        }
    }
}
