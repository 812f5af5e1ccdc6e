using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The sums of a convolution of bytes whose zero point, the third input, is known only when they are taken. The border reads as that: it is
/// put around a copy of the image, so that every sum has all of its taps, and the zero point takes the same from each sum of a channel.
/// </summary>
internal sealed unsafe class LateZeroPointStep : Step
{
    // Where strides or dilations leave most of the bordered image unread, it may be out of proportion.
    private const int MostTimes = 4;

    private readonly ConvGeometry _geometry;
    private readonly ConvGeometry _inside;
    private readonly QuantizedConvLoop? _standard;
    private readonly QuantizedDepthwiseLoop? _depthwise;
    private readonly IntegerColumns _columns;

    private LateZeroPointStep(in QuantizedLayer layer, ConvGeometry g, bool isDepthwise)
    {
        _geometry = g;
        _inside = g with { Rows = WithoutBorder(g.Rows), Columns = WithoutBorder(g.Columns) };
        _columns = IntegerColumns.Of(layer.Weights, g.OutChannels);
        if (isDepthwise)
            _depthwise = new(layer, _inside, SimdWidths.Best);
        else
            _standard = new(layer, g.Kernel, g.InChannels, g.OutChannels, g.Groups, SimdWidths.Best);
    }

    public override long ScratchBytes =>
        _geometry.IsPadded ? checked((long)_inside.Batch * _inside.Rows.In * _inside.Columns.In * _inside.InChannels) : 0;

    /// <summary>The step; null where the border is out of proportion to the image and what is read of it.</summary>
    /// <param name="layer">The layer's numbers; its input has the zero point 0.</param>
    /// <param name="g">The sizes.</param>
    /// <param name="isDepthwise">Whether the weights are those of a depthwise convolution.</param>
    public static LateZeroPointStep? Create(in QuantizedLayer layer, in ConvGeometry g, bool isDepthwise)
    {
        var bordered = (double)WithoutBorder(g.Rows).In * WithoutBorder(g.Columns).In;
        var read = ((double)g.Rows.Out * g.Rows.Kernel * g.Columns.Out * g.Columns.Kernel) + ((double)g.Rows.In * g.Columns.In);
        return g.IsPadded && bordered > MostTimes * read ? null : new(layer, g, isDepthwise);
    }

    public override bool Reads(int input) => input is 0 or 2;

    public override void Run(ForwardContext context)
    {
        var zeros = context.Inputs[2];
        var image = (byte*)context.Inputs[0].Memory;
        var sums = (int*)context.Outputs[0].Memory;
        if (_geometry.IsPadded)
        {
            var target = (byte*)context.Scratch;
            var work = new BorderWork { Step = this, Image = image, Target = target, ZeroPoint = *(byte*)zeros.Memory };
            var lines = (long)_inside.Batch * _inside.Rows.In;
            ElementParts.Run(work, lines, (long)_inside.Columns.In * _inside.InChannels, context.Threads);
            image = target;
        }

        _standard?.Run(image, (byte*)sums, _inside, context.Threads);
        _depthwise?.Run(image, (byte*)sums, context.Threads);
        _columns.Correct(sums, (long)_inside.Batch * _inside.Rows.Out * _inside.Columns.Out, ZeroPoints.Of(zeros), context.Threads);
    }

    private static AxisGeometry WithoutBorder(AxisGeometry axis) =>
        axis with { In = axis.In + axis.PadBefore + axis.PadAfter, PadBefore = 0, PadAfter = 0 };

    // A line of the bordered image: the zero point, or a line of the image between some of it.
    private void FillLine(BorderWork work, nint line)
    {
        var (rows, columns, channels) = (_geometry.Rows, _geometry.Columns, _geometry.InChannels);
        var length = _inside.Columns.In * channels;
        var target = new Span<byte>(work.Target + (line * length), length);
        var (n, row) = Math.DivRem(line, _inside.Rows.In);
        row -= rows.PadBefore;
        if (row < 0 || row >= rows.In)
        {
            target.Fill(work.ZeroPoint);
            return;
        }

        var (before, inner) = (columns.PadBefore * channels, columns.In * channels);
        target[..before].Fill(work.ZeroPoint);
        new ReadOnlySpan<byte>(work.Image + (((n * rows.In) + row) * inner), inner).CopyTo(target[before..]);
        target[(before + inner)..].Fill(work.ZeroPoint);
    }

    private struct BorderWork : IRangeWork
    {
        public LateZeroPointStep Step;
        public byte* Image;
        public byte* Target;
        public byte ZeroPoint;

        public readonly void Run(nint start, nint end)
        {
            for (var line = start; line < end; line++)
                Step.FillLine(this, line);
        }
    }
}
