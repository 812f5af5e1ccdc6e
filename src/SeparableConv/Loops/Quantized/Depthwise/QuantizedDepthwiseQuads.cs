using System.Numerics.Tensors;

namespace SeparableConv.Loops;

/// <summary>
/// Quantized depthwise convolution for kernels up to 3x3, 64 channels at a time, by <see cref="DepthwiseQuadCode"/>: half the
/// instructions of <see cref="QuantizedDepthwiseSlide"/>, where the machine multiplies four bytes at once on 512 bits, weights fit signed
/// bytes, and sums are rounded as floats. The last block ends with the last channel and may overlap the one before.
/// </summary>
internal sealed unsafe class QuantizedDepthwiseQuads : QuantizedDepthwiseForm
{
    private const int Block = DepthwiseQuadCode.Channels;
    private const int Side = 3;
    private const int Lanes = 16;
    private const int TableFloats = DepthwiseQuadCode.Vectors.Count * Lanes;

    // The rows that all channels slide along stay in a part of the second-level cache.
    private const int BandBytes = 192 * 1024;

    // Of a row: border and image before the first output, border, image and border behind it, and a column to make them even.
    private const int MostSegments = 6;

    private readonly ConvGeometry _geometry;
    private readonly QuantizedInput _input;
    private readonly QuantizedOutput _output;
    private readonly PackedBuffer _tables;
    private readonly PackedBuffer _border;

    /// <param name="layer">Weights (kH, kW, C).</param>
    /// <param name="geometry">The sizes.</param>
    public QuantizedDepthwiseQuads(in QuantizedLayer layer, in ConvGeometry geometry)
    {
        (_geometry, _input, _output) = (geometry, layer.Input, layer.Output);
        Blocks = (geometry.InChannels + Block - 1) / Block;
        _border = new PackedBuffer((geometry.InChannels + sizeof(float) - 1) / sizeof(float));
        new Span<byte>(_border.Pointer, geometry.InChannels).Fill((byte)layer.Input.ZeroPoint);
        _tables = new PackedBuffer(checked((nint)Blocks * TableFloats));
        for (var block = 0; block < Blocks; block++)
            Pack(layer, First(block), (byte*)(_tables.Pointer + ((nint)block * TableFloats)));
    }

    public override int Blocks { get; }

    public override int BlockChannels => Block;

    /// <summary>Whether a convolution can be computed so.</summary>
    public static bool Fits(in QuantizedLayer layer, in ConvGeometry g, SimdWidth width, RoundingForm rounding) =>
        width == SimdWidth.V512
        && rounding == RoundingForm.Float
        && g.InChannels == g.OutChannels
        && g.InChannels >= Block
        && Math.Max(g.Kernel.Height, g.Kernel.Width) <= Side
        && g.Columns is { Stride: 1 or 2, Dilation: 1 }
        && TensorPrimitives.Min(layer.Weights) >= sbyte.MinValue
        && TensorPrimitives.Max(layer.Weights) <= sbyte.MaxValue
        && DepthwiseQuadCode.IsSupported;

    public override void Run(byte* image, byte* output, int firstRow, int endRow, int firstBlock, int endBlock)
    {
        var g = _geometry;
        var (rowBytes, outputRow) = ((nint)g.Columns.In * g.InChannels, (nint)g.Columns.Out * g.InChannels);
        var rows = (int)Math.Clamp(BandBytes / (Math.Min(g.Rows.Stride, g.Rows.In) * rowBytes), 2, endRow - firstRow + 1);
        rows = Math.Min(rows, endRow - firstRow);
        var segmentBytes = checked(rows * MostSegments * sizeof(DepthwiseQuadSegment));
        var segments = (DepthwiseQuadSegment*)Scratch.Bytes(checked(segmentBytes + g.InChannels));
        var nowhere = (byte*)segments + segmentBytes;
        for (var first = firstRow; first < endRow; first += rows)
        {
            var end = segments;
            for (var row = first; row < Math.Min(endRow, first + rows); row++)
                end = AddRow(image, row, output + ((row - firstRow) * outputRow), nowhere, end);
            for (var block = firstBlock; block < endBlock; block++)
            {
                var arguments = new DepthwiseQuadArguments { Segments = segments, Count = (nint)(end - segments), Channel = First(block) };
                DepthwiseQuadCode.Run(
                    g.Columns.Stride, _input.IsSigned, _output.IsSigned, _tables.Pointer + ((nint)block * TableFloats), &arguments);
            }
        }

        GC.KeepAlive(this);
    }

    private int First(int block) => Math.Min(block * Block, _geometry.InChannels - Block);

    // The columns of a row: of the border, of the image, of the border again.
    private DepthwiseQuadSegment* AddRow(byte* image, int row, byte* target, byte* nowhere, DepthwiseQuadSegment* next)
    {
        var (rows, columns) = (_geometry.Rows, _geometry.Columns);
        var all = ((columns.Out - 1) * columns.Stride) + Side;
        var left = Math.Clamp(-columns.InputStart(0), 0, all);
        var inside = Math.Clamp(columns.In - columns.InputStart(0), left, all) - left;
        var border = default(DepthwiseQuadSegment);
        border.Row0 = border.Row1 = border.Row2 = (byte*)_border.Pointer;
        var middle = border;
        var start = image + (Math.Max(0, columns.InputStart(0)) * (nint)_geometry.InChannels);
        var y = rows.InputStart(row);
        FindRow(start, y, 0, ref middle.Row0, ref middle.Step0);
        FindRow(start, y, 1, ref middle.Row1, ref middle.Step1);
        FindRow(start, y, 2, ref middle.Row2, ref middle.Step2);
        var column = 0;
        next = AddColumns(border, left, ref column, target, nowhere, next);
        next = AddColumns(middle, inside, ref column, target, nowhere, next);
        next = AddColumns(border, all - left - inside, ref column, target, nowhere, next);

        // With a stride of 2 columns are even and odd by turns, and the next row begins with an even one.
        return columns.Stride == 2 ? AddColumns(border, 1, ref column, target, nowhere, next) : next;
    }

    private void FindRow(byte* start, int y, int kernelRow, ref byte* first, ref nint step)
    {
        var rows = _geometry.Rows;
        y += kernelRow * rows.Dilation;
        if (kernelRow >= rows.Kernel || (uint)y >= (uint)rows.In)
            return;
        first = start + ((nint)y * _geometry.Columns.In * _geometry.InChannels);
        step = _geometry.InChannels;
    }

    // Columns that complete no output write where nobody looks.
    private DepthwiseQuadSegment* AddColumns(
        DepthwiseQuadSegment part, int count, ref int column, byte* target, byte* nowhere, DepthwiseQuadSegment* next)
    {
        var stride = _geometry.Columns.Stride;
        var unfinished = Math.Min(count, Math.Max(0, Side - stride - column));
        if (unfinished > 0)
        {
            part.Target = nowhere;
            (part.Columns, part.TargetStep) = (unfinished, 0);
            *next++ = part;
            part.Row0 += unfinished * part.Step0;
            part.Row1 += unfinished * part.Step1;
            part.Row2 += unfinished * part.Step2;
            (column, count) = (column + unfinished, count - unfinished);
        }

        if (count > 0)
        {
            var outputs = stride == 1 ? column - (Side - 1) : (column - 1) / 2;
            part.Target = target + (outputs * (nint)_geometry.OutChannels);
            (part.Columns, part.TargetStep) = (count, _geometry.OutChannels);
            *next++ = part;
            column += count;
        }

        return next;
    }

    private void Pack(in QuantizedLayer layer, int firstChannel, byte* table)
    {
        var (kernel, channels) = (_geometry.Kernel, _geometry.InChannels);
        var zeroPoint = _input.ZeroPoint + (_input.IsSigned ? 128 : 0);
        var offset = _output.IsSigned ? 128 : 0;
        for (var column = 0; column < Block; column++)
        {
            var (q, lane) = Math.DivRem(column, Lanes);
            var c = firstChannel + (lane / 4 * 16) + (4 * q) + (lane % 4);
            var bias = layer.Bias.IsEmpty ? 0 : layer.Bias[c];
            for (var u = 0; u < kernel.Height; u++)
            {
                for (var v = 0; v < kernel.Width; v++)
                {
                    var weight = layer.Weights[(((u * kernel.Width) + v) * channels) + c];
                    Vector(DepthwiseQuadCode.Vectors.Weights + (4 * v) + q)[(lane * sizeof(int)) + u] = (byte)weight;
                    bias -= zeroPoint * weight;
                }
            }

            ((int*)Vector(DepthwiseQuadCode.Vectors.Bias + q))[lane] = bias;
            ((float*)Vector(DepthwiseQuadCode.Vectors.Factors + q))[lane] = (float)layer.Factors[layer.Factors.Length == 1 ? 0 : c];
        }

        new Span<byte>(Vector(DepthwiseQuadCode.Vectors.FlipInput), Block).Fill(_input.IsSigned ? (byte)128 : (byte)0);
        new Span<byte>(Vector(DepthwiseQuadCode.Vectors.FlipOutput), Block).Fill((byte)offset);
        new Span<short>(Vector(DepthwiseQuadCode.Vectors.ZeroPoint), Block / sizeof(short)).Fill((short)(_output.ZeroPoint + offset));
        new Span<byte>(Vector(DepthwiseQuadCode.Vectors.Least), Block).Fill((byte)(_output.ClampMin + offset));
        new Span<byte>(Vector(DepthwiseQuadCode.Vectors.Most), Block).Fill((byte)(_output.ClampMax + offset));

        byte* Vector(int index) => table + (index * Block);
    }
}
