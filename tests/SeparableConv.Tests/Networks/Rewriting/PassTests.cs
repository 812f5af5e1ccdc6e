using SeparableConv.Tests.Networks.Inference;

namespace SeparableConv.Tests.Networks.Rewriting;

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
    public void A_split_that_leaves_a_piece_empty_stays()
    {
        var x = _g.Conv(_g.Input(1, 4, 4, 3), 1, 3);
        var pieces = _g.AddNode(new SplitOperator(3, [3, 0]), x).Outputs;
        Assert.Equal("Conv2D Split", _g.Check(pieces[0], pieces[1]));
    }

    [Fact]
    public void A_long_last_dimension_is_not_folded_as_channels()
    {
        // Numbers for each would take gigabytes before the network is refused for what it needs.
        var y = _g.Add(new BinaryOperator(BinaryKind.Mul, Activation.None), _g.Input(2, 100_000_000), _g.Constant([2]));
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var e = Assert.Throws<NetworkException>(() => new CompiledNetwork(_g.Build(y), new() { MemoryLimit = 1 << 20 }));
        Assert.Contains("more than the limit of 1048576", e.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 1 << 20);
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

    [Fact]
    public void Batch_normalization_and_scales_are_merged_into_what_comes_before()
    {
        var x = _g.Input(1, 7, 6, 4);
        var conv = _g.Conv(x, 3, 6, new() { Groups = 2, Padding = Padding.Same }, bias: false);
        var normalized = _g.Normalized(conv);
        var scaled = _g.Add(new BinaryOperator(BinaryKind.Mul, Activation.None), _g.Positive(1, 1, 6), normalized);
        var shifted = _g.Add(new BinaryOperator(BinaryKind.Sub, Activation.None), _g.Random(), scaled);
        var depthwise = _g.Normalized(_g.Depthwise(shifted, 3, 2, bias: false));
        var divided = _g.Add(new BinaryOperator(BinaryKind.Div, Activation.ReLU), depthwise, _g.Positive(1, 1, 1, 12));
        Assert.Equal("Conv2D DepthwiseConv2D Divide", _g.Check(divided));
    }

    [Fact]
    public void A_dense_layer_takes_over_matrix_products_scales_and_activations()
    {
        var x = _g.Input(3, 8);
        var gemm = _g.Add(new GemmOperator(0.5f, 2f, false, true), x, _g.Random(6, 8), _g.Random(1, 6));
        var relu = _g.Add(new ActivationOperator(Activation.ReLU), _g.Normalized(gemm));
        var product = _g.Add(
            new BinaryOperator(BinaryKind.Add, Activation.None), _g.Add(new MatMulOperator(), relu, _g.Random(6, 5)), _g.Random(5));
        Assert.Equal("Dense Dense", _g.Check(_g.Add(new ActivationOperator(Activation.Softmax), product)));
    }

    [Fact]
    public void What_others_read_too_is_not_merged()
    {
        var conv = _g.Conv(_g.Input(1, 5, 5, 3), 3, 4);
        var normalized = _g.Normalized(conv);
        var relu = _g.Add(new ActivationOperator(Activation.ReLU), normalized);
        Assert.Equal("Conv2D BatchNormalization Activation", _g.Check(conv, normalized, relu));
        Assert.Equal("Conv2D Activation", _g.Check(normalized, relu));
    }

    [Fact]
    public void Batch_normalization_before_a_convolution_is_merged_where_no_border_is_read()
    {
        var x = _g.Input(1, 7, 6, 4);
        Assert.Equal("Conv2D", _g.Check(_g.Conv(_g.Normalized(x), 3, 6, new() { Groups = 2 })));
        Assert.Equal("DepthwiseConv2D", _g.Check(_g.Depthwise(_g.Normalized(x), 3, 3)));
        Assert.Equal("BatchNormalization Conv2D", _g.Check(_g.Conv(_g.Normalized(x), 3, 6, new() { Padding = Padding.Same })));
        var scaled = _g.Add(new BinaryOperator(BinaryKind.Mul, Activation.None), x, _g.Positive(4));
        Assert.Equal("Conv2D", _g.Check(_g.Conv(scaled, 3, 6, new() { Padding = Padding.Same })));
    }

    [Fact]
    public void Zeros_around_the_image_are_counted_by_a_mean()
    {
        var padded = _g.Add(new PadOperator([0, 1, 0, 0], [0, 1, 2, 0], PadMode.Constant, 0), _g.Input(1, 7, 6, 4));
        Assert.Equal("AveragePooling2D", _g.Check(Mean(Padding.Valid, false)));
        Assert.Equal("AveragePooling2D", _g.Check(Mean(Padding.Explicit(1, 1, 1, 1), true)));
        Assert.Equal("Pad AveragePooling2D", _g.Check(Mean(Padding.Explicit(1, 1, 1, 1), false)));

        Value Mean(Padding padding, bool counts) =>
            _g.Add(new Pool2DOperator(PoolKind.Average, 3, 1, 1, padding, false, counts, Activation.None), padded);
    }

    [Fact]
    public void An_expansion_is_joined_with_the_pair_that_alone_reads_it()
    {
        var x = _g.Input(1, 20, 21, 4);
        var expanded = _g.Conv(x, 1, 24, new() { Activation = Activation.ReLU6 });
        var y = _g.Conv(_g.Depthwise(expanded, 3, 1, new() { Padding = Padding.Same, Stride = 2 }), 1, 6, bias: false);
        Assert.Equal("InvertedBottleneck", _g.Check(y));
        Assert.Equal("Conv2D SeparableConv2D Activation", _g.Check(y, _g.Add(new ActivationOperator(Activation.Tanh), expanded)));

        // A first convolution with a stride too; not one that may run after Winograd.
        Assert.Equal("InvertedBottleneck", _g.Check(Pair(_g.Conv(x, 3, 24, new() { Padding = Padding.Same, Stride = 2 }))));
        Assert.Equal("Conv2D SeparableConv2D", _g.Check(Pair(_g.Conv(x, 3, 24, new() { Padding = Padding.Same }))));
        Assert.Equal("Conv2D SeparableConv2D", _g.Check(Pair(_g.Conv(x, 3, 24, new() { Groups = 2, Stride = 2 }))));

        Value Pair(Value first) => _g.Conv(_g.Depthwise(first, 3), 1, 6);
    }

    [Fact]
    public void A_shortcut_is_added_by_the_block_that_it_goes_around()
    {
        var x = _g.Input(1, 9, 8, 6);
        var sums = Block(x);
        Assert.Equal("InvertedBottleneck", _g.Check(Add(sums, x)));
        Assert.Equal("InvertedBottleneck", _g.Check(Add(x, sums)));
        Assert.Equal("InvertedBottleneck InvertedBottleneck", _g.Check(Add(Block(x), sums)));
        Assert.Equal("InvertedBottleneck Add", _g.Check(Add(sums, sums)));
        Assert.Equal("InvertedBottleneck Add", _g.Check(Add(sums, _g.Input(1, 1, 8, 6))));
        Assert.Equal("InvertedBottleneck Add", _g.Check(sums, Add(sums, x)));
        Assert.Equal("SeparableConv2D", _g.Check(Add(_g.Conv(_g.Depthwise(x, 3, 1, new() { Padding = Padding.Same }), 1, 6), x)));
        var clamped = _g.Add(new ActivationOperator(Activation.ReLU), Add(sums, x));
        Assert.Equal("InvertedBottleneck Add", _g.Check(clamped));

        Value Block(Value input) =>
            _g.Conv(_g.Depthwise(_g.Conv(input, 1, 24), 3, 1, new() { Padding = Padding.Same }), 1, 6);

        Value Add(Value a, Value b) => _g.Add(new BinaryOperator(BinaryKind.Add, Activation.None), a, b);
    }

    [Fact]
    public void Activations_are_applied_by_what_comes_before()
    {
        var x = _g.Input(1, 5, 5, 4);
        var y = _g.Add(new ActivationOperator(Activation.ReLU), _g.Conv(x, 3, 4));
        y = _g.Add(new ActivationOperator(Activation.Clip(-1, 0.5f)), y);
        y = _g.Add(
            new ActivationOperator(Activation.Sigmoid), _g.Add(new BinaryOperator(BinaryKind.Add, Activation.None), y, _g.Conv(x, 3, 4)));
        y = _g.Add(new ActivationOperator(Activation.ReLU), y);
        Assert.Equal("Conv2D Conv2D Add Activation", _g.Check(y));
    }

    [Fact]
    public void Activations_that_were_written_out_are_found()
    {
        var x = _g.Conv(_g.Input(1, 5, 5, 4), 3, 4);
        var three = _g.Add(new BinaryOperator(BinaryKind.Add, Activation.None), x, _g.Constant([3f]));
        var gate = _g.Add(new ActivationOperator(Activation.ReLU6), three);
        var swish = _g.Add(
            new BinaryOperator(BinaryKind.Div, Activation.None),
            _g.Add(new BinaryOperator(BinaryKind.Mul, Activation.None), x, gate),
            _g.Constant([6f]));
        Assert.Equal("Conv2D", _g.Check(swish));
        var sixth = _g.Add(new BinaryOperator(BinaryKind.Mul, Activation.None), _g.Constant([0.16666667f], 1), gate);
        Assert.Equal("Conv2D", _g.Check(_g.Add(new BinaryOperator(BinaryKind.Mul, Activation.None), sixth, x)));
        var hard = _g.Add(new ActivationOperator(Activation.HardSigmoid(1f / 6)), x);
        Assert.Equal("Conv2D", _g.Check(_g.Add(new BinaryOperator(BinaryKind.Mul, Activation.None), x, hard)));
        var clip = _g.Add(
            new BinaryOperator(BinaryKind.Min, Activation.None),
            _g.Constant([0.5f]),
            _g.Add(new BinaryOperator(BinaryKind.Max, Activation.None), x, _g.Constant([-0.25f])));
        Assert.Equal("Conv2D", _g.Check(_g.Add(new PReluOperator(), clip, _g.Random(4))).Replace(" Activation", ""));
    }

    [Fact]
    public void Slopes_that_are_stored_as_16_bit_floats_are_constants_too()
    {
        var slopes = _g.Add(new CastOperator(ElementType.Float32), _g.Add(new CastOperator(ElementType.Float16), _g.Random(1, 1, 4)));
        Assert.Equal("Conv2D", _g.Check(_g.Add(new PReluOperator(), _g.Conv(_g.Input(1, 5, 5, 4), 3, 4), slopes)));
    }

    [Fact]
    public void A_residual_is_added_in_place_and_only_where_nobody_else_needs_it()
    {
        var x = _g.Input(1, 6, 6, 8);
        var first = _g.Conv(x, 1, 8);
        var second = _g.Conv(first, 3, 8, new() { Padding = Padding.Same });
        var sum = _g.Add(new BinaryOperator(BinaryKind.Add, Activation.None), second, first);
        var twice = _g.Add(new BinaryOperator(BinaryKind.Add, Activation.None), sum, sum);
        var view = _g.Add(new ReshapeOperator(new(6, 48)), sum);
        _g.Check(twice, _g.Add(new ActivationOperator(Activation.Tanh), view));
        _g.Check(_g.Add(new ActivationOperator(Activation.Tanh), _g.Add(new ReshapeOperator(new(48, 6)), twice)), second);
        _g.Check(_g.Add(new BinaryOperator(BinaryKind.Add, Activation.None), _g.Add(new ActivationOperator(Activation.Tanh), x), x));
    }

    [Fact]
    public void A_first_convolution_is_the_shortcut_around_its_block_too()
    {
        var x = _g.Conv(_g.Input(1, 21, 19, 3), 3, 12, new() { Padding = Padding.Same, Stride = 2, Activation = Activation.HardSwish });
        var sums = _g.Conv(_g.Depthwise(x, 3, 1, new() { Padding = Padding.Same }), 1, 12);
        Assert.Equal("InvertedBottleneck", _g.Check(_g.Add(new BinaryOperator(BinaryKind.Add, Activation.None), sums, x)));
        Assert.Equal("Conv2D SeparableConv2D", _g.Check(_g.Add(new BinaryOperator(BinaryKind.Add, Activation.None), x, sums), x));

        // Of the same shape by chance: the rows that it adds are not those that it reads.
        var two = _g.Conv(_g.Input(1, 2, 2, 3), 1, 12);
        var skipping = _g.Depthwise(two, 1, 1, new() { Padding = Padding.Explicit(1, 0, 1, 0), Stride = 2 });
        var added = _g.Add(new BinaryOperator(BinaryKind.Add, Activation.None), _g.Conv(skipping, 1, 12), two);
        Assert.Equal("Conv2D SeparableConv2D", _g.Check(added));
    }

    [Fact]
    public void A_gate_is_applied_by_the_pointwise_convolution_behind_it()
    {
        var x = _g.Conv(_g.Input(2, 5, 6, 3), 1, 20);
        var gate = _g.Conv(_g.Add(new GlobalPoolOperator(PoolKind.Average), x), 1, 20);
        var mul = new BinaryOperator(BinaryKind.Mul, Activation.None);
        const string Before = "Conv2D GlobalAveragePooling2D Conv2D ";
        Assert.Equal(Before + "GatedConv2D", _g.Check(_g.Conv(_g.Add(mul, x, gate), 1, 9, new() { Activation = Activation.HardSwish })));
        Assert.Equal(Before + "GatedConv2D", _g.Check(_g.Conv(_g.Add(mul, gate, x), 1, 9, bias: false)));
        Assert.Equal(Before + "Multiply Conv2D", _g.Check(_g.Conv(_g.Add(mul, x, gate), 3, 9)));
        Assert.Equal(Before + "Multiply Conv2D", _g.Check(_g.Conv(_g.Add(mul, x, gate), 1, 8, new() { Groups = 2 })));
        var around = _g.Add(new BinaryOperator(BinaryKind.Add, Activation.None), _g.Conv(_g.Add(mul, x, gate), 1, 20), x);
        Assert.Equal(Before + "GatedConv2D", _g.Check(around));
        var shared = _g.Add(mul, x, gate);
        Assert.Equal(Before + "Multiply Conv2D", _g.Check(_g.Conv(shared, 1, 9), shared));
    }

    [Fact]
    public void A_block_that_squeezes_and_excites_is_joined_where_nobody_reads_its_steps()
    {
        var input = _g.Conv(_g.Input(2, 9, 6, 5), 3, 7);
        var options = new ConvOptions { Padding = Padding.Same, Activation = Activation.HardSwish };
        var x = _g.Depthwise(_g.Conv(input, 1, 20), 3, 1, options);
        Assert.Equal("Conv2D GatedBottleneck", _g.Check(_g.Conv(Gated(x, 1), 1, 9, bias: false)));
        var sums = _g.Conv(Gated(x, 1), 1, 7);
        Assert.Equal("Conv2D GatedBottleneck", _g.Check(_g.Add(new BinaryOperator(BinaryKind.Add, Activation.None), input, sums)));

        var strided = _g.Conv(_g.Input(1, 19, 17, 3), 3, 16, new() { Padding = Padding.Same, Stride = 2 });
        Assert.Equal("GatedBottleneck", _g.Check(_g.Conv(Gated(_g.Depthwise(strided, 3, 1, options), 1), 1, 9)));

        // Nothing before it, or what another reads too.
        var twice = _g.Depthwise(input, 3, 2, options, bias: false);
        Assert.Equal("Conv2D GatedBottleneck", _g.Check(_g.Conv(Gated(twice, 1), 1, 9)));
        var shared = _g.Conv(input, 1, 20);
        Assert.Equal("Conv2D Conv2D GatedBottleneck", _g.Check(_g.Conv(Gated(_g.Depthwise(shared, 3), 1), 1, 9), shared));

        const string Steps = "Conv2D Conv2D DepthwiseConv2D GlobalAveragePooling2D Conv2D Conv2D GatedConv2D";
        Assert.Equal(Steps, _g.Check(_g.Conv(Gated(x, 1), 1, 9), x));
        var means = _g.Add(new GlobalPoolOperator(PoolKind.Average), x);
        Assert.Equal(Steps, _g.Check(_g.Conv(Gated(x, 1, means), 1, 9), means));
        Assert.Equal(Steps, _g.Check(_g.Conv(Gated(x, 2), 1, 9)));
        var largest = _g.Add(new GlobalPoolOperator(PoolKind.Max), x);
        Assert.Equal(Steps.Replace("Average", "Max", StringComparison.Ordinal), _g.Check(_g.Conv(Gated(x, 1, largest), 1, 9)));
    }

    private Value Gated(Value x, int groups, Value? means = null)
    {
        means ??= _g.Add(new GlobalPoolOperator(PoolKind.Average), x);
        var squeezed = _g.Conv(means, 1, 4, new() { Activation = Activation.ReLU });
        var gate = _g.Conv(squeezed, 1, x.Shape[3], new() { Activation = Activation.Sigmoid, Groups = groups });
        return _g.Add(new BinaryOperator(BinaryKind.Mul, Activation.None), x, gate);
    }

    [Fact]
    public void Random_graphs_give_what_their_nodes_give()
    {
        for (var seed = 0; seed < 120; seed++)
            RandomGraph.Check(seed);
    }
}
