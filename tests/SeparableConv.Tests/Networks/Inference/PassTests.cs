using SeparableConv.Networks;
using SeparableConv.Networks.Operators;
using Xunit;

namespace SeparableConv.Tests.Networks.Inference;

/// <summary>Each pass where it applies and where it must not; <see cref="GraphSketch.Check"/> compares the answers every time.</summary>
public class PassTests
{
    private readonly GraphSketch _g = new();

    [Fact]
    public void What_depends_on_constants_alone_is_computed_once()
    {
        var weights = _g.Add(new TransposeOperator([2, 3, 1, 0]), _g.Random(5, 3, 3, 3));
        var y = _g.Add(new Conv2DOperator(new()), _g.Input(1, 6, 6, 3), weights);
        Assert.Equal("Conv2D", _g.Check(y));
    }

    [Fact]
    public void A_constant_is_not_grown_out_of_proportion()
    {
        var y = _g.Add(new TileOperator([1500, 3000]), _g.Random(1, 1));
        Assert.Equal("Tile", _g.Check(y));
    }

    [Fact]
    public void Transposes_that_cancel_and_reshapes_fall_away()
    {
        var x = _g.Input(2, 6, 6, 3);
        var nchw = _g.Add(new TransposeOperator([0, 3, 1, 2]), x);
        var back = _g.Add(new TransposeOperator([0, 2, 3, 1]), nchw);
        var y = _g.Conv(_g.Add(new IdentityOperator(), back), 3, 4);
        var z = _g.Add(new ReshapeOperator(new(2, 64)), _g.Add(new ReshapeOperator(new(2, 4, 16)), y));
        Assert.Equal("Conv2D", _g.Check(z));
    }

    [Fact]
    public void Transposes_are_joined_and_become_reshapes_where_only_ones_move()
    {
        var x = _g.Input(1, 4, 4, 3);
        var y = _g.Add(new TransposeOperator([0, 3, 1, 2]), _g.Conv(x, 4, 5));
        var rolled = _g.Add(new TransposeOperator([1, 2, 3, 0]), _g.Add(new TransposeOperator([1, 2, 3, 0]), x));
        Assert.Equal("Conv2D Transpose", _g.Check(y, rolled));
    }

    [Fact]
    public void Operators_that_change_nothing_fall_away_and_others_stay()
    {
        var x = _g.Conv(_g.Input(1, 4, 4, 3), 1, 3);
        var same = _g.Add(new SliceOperator([0, 0, 0, 0], [1, 1, 1, 1], [1, 4, 4, 3]), x);
        same = _g.Add(new PadOperator([0, 0, 0, 0], [0, 0, 0, 0], PadMode.Constant, 1), same);
        same = _g.Add(new ConcatOperator(3), _g.Add(new CastOperator(ElementType.Float32), same));
        var turned = _g.Add(new SliceOperator([0, 3, 0, 0], [1, -1, 1, 1], [1, 4, 4, 3]), same);
        Assert.Equal("Conv2D Slice", _g.Check(same, turned));
    }

    [Fact]
    public void Zeros_around_the_image_are_read_by_the_convolution()
    {
        var x = _g.Input(1, 7, 6, 4);
        var padded = _g.Add(new PadOperator([0, 1, 2, 0], [0, 0, 3, 0], PadMode.Constant, 0), x);
        var y = _g.Conv(padded, 3, 5, new() { Stride = 2 });
        var z = _g.Depthwise(padded, 3, 2, new() { Stride = 2, Padding = Padding.Same });
        Assert.Equal("Conv2D DepthwiseConv2D", _g.Check(y, z));
    }

    [Fact]
    public void Other_pads_stay()
    {
        var x = _g.Input(1, 7, 6, 4);
        var ones = _g.Conv(_g.Add(new PadOperator([0, 1, 1, 0], [0, 1, 1, 0], PadMode.Constant, 1), x), 3, 2);
        var channels = _g.Conv(_g.Add(new PadOperator([0, 0, 0, 0], [0, 0, 0, 1], PadMode.Constant, 0), x), 3, 2);
        var cropped = _g.Conv(_g.Add(new PadOperator([0, -1, 0, 0], [0, 0, 0, 0], PadMode.Constant, 0), x), 3, 2);
        var edge = _g.Conv(_g.Add(new PadOperator([0, 1, 0, 0], [0, 0, 0, 0], PadMode.Edge, 0), x), 3, 2);
        Assert.Equal("Pad Conv2D Pad Conv2D Pad Conv2D Pad Conv2D", _g.Check(ones, channels, cropped, edge));
    }

    [Fact]
    public void Depthwise_and_pointwise_are_joined()
    {
        var x = _g.Input(2, 9, 7, 12);
        var y = _g.Depthwise(x, 3, 2, new() { Padding = Padding.Same, Stride = 2, Activation = Activation.ReLU6 }, bias: false);
        Assert.Equal("SeparableConv2D", _g.Check(_g.Conv(y, 1, 33, new() { Activation = Activation.HardSwish })));
    }

    [Fact]
    public void A_depthwise_step_that_another_reads_stays_alone()
    {
        var y = _g.Depthwise(_g.Input(1, 9, 7, 16), 3);
        Assert.Equal("DepthwiseConv2D Conv2D", _g.Check(_g.Conv(y, 1, 16), y));
        Assert.Equal("DepthwiseConv2D Conv2D", _g.Check(_g.Conv(y, 3, 16)));
        Assert.Equal("DepthwiseConv2D Conv2D", _g.Check(_g.Conv(y, 1, 16, new() { Groups = 4 })));
    }
}
