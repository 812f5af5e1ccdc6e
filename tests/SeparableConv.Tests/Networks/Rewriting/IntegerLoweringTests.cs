using SeparableConv.Tests.Networks.Formats;
using SeparableConv.Tests.Networks.Inference;

namespace SeparableConv.Tests.Networks.Rewriting;

/// <summary>Quantized networks in integers beside the same networks node by node, in floats.</summary>
public sealed class IntegerLoweringTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_whole_network_runs_in_integers_and_gives_what_the_floats_give(bool signed)
    {
        var q = new QdqBuilder(1, exact: true, signed);
        q.Model.Constant("low", [0f]).Constant("high", [6f]);
        var x = q.Input("x", 1, 3, 16, 16);
        x = q.Through(q.Node("Relu", [q.Conv(x, 16, 3, kernel: 3, stride: 2)]), 1f / 32);
        x = q.Through(q.Node("Clip", [q.Conv(x, 16, 16, groups: 16, kernel: 3), "low", "high"]), 1f / 32);
        var y = q.Through(q.Conv(x, 24, 16), 1f / 16);
        var z = q.Through(q.Node("Relu", [q.Conv(y, 48, 24)]), 1f / 8);
        z = q.Through(q.Conv(z, 24, 48), 1f / 4);
        x = q.Through(q.Node("Add", [y.X, z.X]), 1f / 4);
        x = q.Through(q.Node("GlobalAveragePool", [x.X]), 1f / 8);
        x = q.Through(q.Node("Flatten", [x.X]), x.Scale);
        var (w, scales) = q.Weights(0, 10, 24);
        x = q.Through(q.Node("Gemm", [x.X, w, q.Bias(10, x.Scale, scales)], OnnxBuilder.Int("transB", 1)), 1f / 4);
        var network = q.Read(x.X);

        // Weights and biases are counted where they are used, and once.
        Assert.Equal((16 * 28) + (16 * 10) + (24 * 17) + (48 * 25) + (24 * 49) + (10 * 25), network.ParameterCount);
        Assert.Equal(16 * 28, network.Nodes.First(node => node.Operator.Kind == "Conv2D").ParameterCount);
        var integers = Check(network, exact: true);
        Assert.StartsWith(
            "Quantize Transpose QuantizedInvertedBottleneck QuantizedConv2D QuantizedConv2D QuantizedAdd QuantizedDepthwiseConv2D",
            integers,
            StringComparison.Ordinal);
        Assert.EndsWith("QuantizedDense Dequantize", integers, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, -1)]
    [InlineData(false, 0)]
    [InlineData(true, -1)]
    [InlineData(true, 0)]
    public void Layers_differ_from_the_floats_by_a_step_at_most_and_only_where_these_round(bool signed, int axis)
    {
        var different = 0;
        for (var seed = 0; seed < 12; seed++)
        {
            var exact = seed % 2 == 0;
            var q = new QdqBuilder(seed, exact, signed);
            q.Model.Constant("low", [-0.7f]).Constant("high", [1.3f]);
            var x = q.Input("x", 2, 12, 9, 7);
            var conv = (seed % 3) switch
            {
                0 => q.Conv(x, 20, 12, kernel: 3, stride: 2, axis: axis),
                1 => q.Conv(x, 24, 12, groups: 12, kernel: 3, axis: axis),
                _ => q.Conv(x, 8, 12, groups: 4, axis: axis),
            };
            var kind = seed % 3 == 1 ? "QuantizedDepthwiseConv2D" : "QuantizedConv2D";
            conv = (seed / 3) switch
            {
                0 => q.Node("Relu", [conv]),
                1 => q.Node("Clip", [conv, "low", "high"]),
                _ => conv,
            };
            var network = q.Read(q.Quantize(conv, q.Scale(1f / 16), out _));
            Assert.Contains(kind, Check(network, exact, count => different += count), StringComparison.Ordinal);
        }

        Assert.InRange(different, 0, 40);
    }

    [Fact]
    public void Dense_layers_take_weights_either_way_round()
    {
        foreach (var form in new[] { "gemm", "transB", "matmul", "transpose", "float bias" })
        {
            var q = new QdqBuilder(3, exact: true, signed: true);
            var x = q.Input("x", 5, 33);
            var (w, scales) = q.Weights(form is "transB" or "transpose" ? 0 : 1, form is "transB" or "transpose" ? [17, 33] : [33, 17]);
            var y = form switch
            {
                "matmul" => q.Node("MatMul", [x.X, w]),
                "transpose" => q.Node("MatMul", [x.X, q.Node("Transpose", [w], OnnxBuilder.Ints("perm", 1, 0))]),
                "float bias" => q.Node("Gemm", [x.X, w, FloatBias(q, 17)]),
                _ => q.Node("Gemm", [x.X, w, q.Bias(17, x.Scale, scales)], OnnxBuilder.Int("transB", form == "transB" ? 1 : 0)),
            };
            Assert.Equal("Quantize QuantizedDense", Check(q.Read(q.Quantize(y, 0.25f, out _)), exact: true));
        }

        // Multiples of the sums' unit.
        static string FloatBias(QdqBuilder q, int count)
        {
            q.Model.Constant("bias", [.. Enumerable.Range(0, count).Select(i => (i - 5) * MathF.Pow(2, -12))], count);
            return "bias";
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Dense_layers_that_are_not_quantized_again_are_summed_in_integers(bool signed)
    {
        foreach (var (form, axis) in new[] { ("gemm", 1), ("gemm", -1), ("matmul", 1), ("softmax", 1) })
        {
            var q = new QdqBuilder(3, exact: true, signed);
            var x = q.Input("x", 5, 33);
            var (w, scales) = q.Weights(axis, 33, 17);
            var y = form == "matmul"
                ? q.Node("MatMul", [x.X, w])
                : q.Node("Gemm", [x.X, w, q.Bias(17, x.Scale, scales.Length == 1 ? [.. Enumerable.Repeat(scales[0], 17)] : scales)]);
            if (form == "softmax")
                y = q.Node("Softmax", [y]);
            Assert.Equal("Quantize IntegerConv2D Dequantize" + (form == "softmax" ? " Softmax" : ""), Check(q.Read(y), exact: true));
        }
    }

    [Fact]
    public void Dense_layers_whose_bias_is_no_whole_number_of_units_stay_in_floats()
    {
        var q = new QdqBuilder(3, exact: true, signed: true);
        var x = q.Input("x", 5, 33);
        var (w, _) = q.Weights(1, 33, 17);
        q.Model.Constant("bias", [.. Enumerable.Range(0, 17).Select(i => i * 0.3f)], 17);
        Assert.Equal("Quantize Dequantize Dense", Check(q.Read(q.Node("Gemm", [x.X, w, "bias"])), exact: false));
    }

    [Fact]
    public void What_moves_numbers_moves_bytes()
    {
        var q = new QdqBuilder(4, exact: true, signed: false);
        q.Model.Constant("pads", new long[] { 0, 0, 1, 0, 0, 0, 1, 2 }, 8)
            .Constant("starts", new long[] { 1 }, 1)
            .Constant("ends", new long[] { 9 }, 1)
            .Constant("axes", new long[] { 1 }, 1)
            .Constant("shape", new long[] { 1, 10, -1 }, 3);
        var x = q.Input("x", 1, 10, 8, 6);
        var conv = q.Through(q.Conv(x, 10, 10), 1f / 8);
        var pool = q.Node(
            "MaxPool",
            [conv.X],
            OnnxBuilder.Ints("kernel_shape", 3, 3),
            OnnxBuilder.Ints("strides", 2, 2),
            OnnxBuilder.Ints("pads", 1, 1, 1, 1));
        var padded = q.Node("Pad", [pool, "pads"]);
        var sliced = q.Node("Slice", [padded, "starts", "ends", "axes"]);
        var joined = q.Node("Concat", [sliced, padded], OnnxBuilder.Int("axis", 1));
        var end = q.Conv((joined, conv.Scale), 6, 18);
        var kinds = Check(q.Read(q.Quantize(end, 0.5f, out _)), exact: true);
        Assert.Equal("Quantize Transpose QuantizedConv2D MaxPooling2D Pad Slice Concatenate QuantizedConv2D Transpose", kinds);
    }

    [Fact]
    public void Pieces_of_different_scales_are_brought_to_that_of_the_whole()
    {
        var q = new QdqBuilder(5, exact: true, signed: true);
        var x = q.Input("x", 1, 8, 6, 5);
        var (a, b) = (q.Through(q.Conv(x, 8, 8), 1f / 8), q.Through(q.Conv(x, 8, 8), 1f / 32));
        var kinds = Check(q.Read(q.Quantize(q.Node("Concat", [a.X, b.X], OnnxBuilder.Int("axis", 1)), 1f / 16, out _)), exact: true);
        Assert.Equal("Quantize Transpose QuantizedConv2D ByteMap QuantizedConv2D ByteMap Concatenate Transpose", Sorted(kinds));

        // Which of two independent branches comes first is the compiler's affair.
        static string Sorted(string kinds) =>
            kinds.Replace(
                "QuantizedConv2D QuantizedConv2D ByteMap ByteMap",
                "QuantizedConv2D ByteMap QuantizedConv2D ByteMap",
                StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Relu")]
    [InlineData("HardSwish")]
    [InlineData("Sigmoid")]
    [InlineData("LeakyRelu")]
    [InlineData("Tanh")]
    public void Functions_of_single_numbers_are_tables(string type)
    {
        var q = new QdqBuilder(6, exact: false, signed: false);
        var x = q.Input("x", 3, 50);
        var kinds = Check(q.Read(q.Quantize(q.Node(type, [x.X]), 0.01f, out _)), exact: true);
        Assert.Equal("Quantize ByteMap", kinds);
    }

    [Fact]
    public void Means_over_windows_inside_the_image_are_sums_of_bytes()
    {
        foreach (var type in new[] { "GlobalAveragePool", "ReduceMean", "AveragePool" })
        {
            for (var seed = 0; seed < 4; seed++)
            {
                var q = new QdqBuilder(seed, exact: seed % 2 == 0, signed: seed < 2);
                q.Model.Constant("axes", new long[] { 2, 3 }, 2);
                var x = q.Input("x", 1, 19, 8, 4);
                var y = type switch
                {
                    // Behind a layer that wants channels last, as there always is one.
                    "ReduceMean" =>
                        q.Node(
                            type,
                            [q.Node("MaxPool", [x.X], OnnxBuilder.Ints("kernel_shape", 1, 1))],
                            OnnxBuilder.Ints("axes", 2, 3),
                            OnnxBuilder.Int("keepdims", 0)),
                    "AveragePool" => q.Node(type, [x.X], OnnxBuilder.Ints("kernel_shape", 2, 2), OnnxBuilder.Ints("strides", 2, 2)),
                    _ => q.Node(type, [x.X]),
                };
                var kinds = Check(q.Read(q.Quantize(y, q.Scale(1f / 100), out _)), seed % 2 == 0);
                Assert.Contains("QuantizedDepthwiseConv2D", kinds, StringComparison.Ordinal);
                Assert.DoesNotContain("Dequantize", kinds, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Sums_are_those_of_the_floats_to_the_last_bit()
    {
        foreach (var size in new[] { 1, 31, 32, 33, 100, 70000 })
        {
            var q = new QdqBuilder(size, exact: false, signed: size % 2 == 0);
            var (a, b) = (q.Input("a", 1, size), q.Input("b", 1, size));
            var sum = q.Node("Relu", [q.Node("Add", [a.X, b.X])]);
            Assert.Equal("Quantize Quantize QuantizedAdd", Check(q.Read(q.Quantize(sum, 0.013f, out _)), exact: true));
        }
    }

    [Fact]
    public void What_integers_cannot_do_stays_in_floats()
    {
        // Read by the graph's output as well.
        var q = new QdqBuilder(7, exact: true, signed: true);
        var conv = q.Conv(q.Input("x", 1, 4, 5, 5), 6, 4);
        Assert.DoesNotContain("Quantized", Check(q.Read(q.Quantize(conv, 0.25f, out _), conv), exact: true), StringComparison.Ordinal);

        // Never quantized again.
        q = new QdqBuilder(7, exact: true, signed: true);
        Assert.DoesNotContain("Quantized", Check(q.Read(q.Conv(q.Input("x", 1, 4, 5, 5), 6, 4)), exact: true), StringComparison.Ordinal);

        // A function of the sums that is no clamp.
        q = new QdqBuilder(7, exact: true, signed: true);
        conv = q.Node("LeakyRelu", [q.Conv(q.Input("x", 1, 4, 5, 5), 6, 4)]);
        Assert.DoesNotContain("Quantized", Check(q.Read(q.Quantize(conv, 0.25f, out _)), exact: false), StringComparison.Ordinal);

        // A bias beyond 32 bits.
        q = new QdqBuilder(7, exact: true, signed: true);
        var (w, _) = q.Weights(0, 6, 4, 1, 1);
        q.Model.Constant("bias", [1e9f, 0, 0, 0, 0, 0], 6);
        conv = q.Node("Conv", [q.Input("x", 1, 4, 5, 5).X, w, "bias"]);
        Assert.DoesNotContain("Quantized", Check(q.Read(q.Quantize(conv, 0.25f, out _)), exact: true), StringComparison.Ordinal);
    }

    [Fact]
    public void Dequantized_constants_serve_whoever_needs_to_know_them()
    {
        // Clip's bounds, and a multiplication by a channel's number, are dequantized when the model is read.
        var q = new QdqBuilder(8, exact: true, signed: true);
        q.Model.Constant("lowQ", [(sbyte)-4])
            .Constant("s", [0.125f])
            .Constant("gainQ", new sbyte[] { 2, 4, 8 }, 3, 1, 1)
            .Input("x", "1", "3", "4", "4");
        var low = q.Node("DequantizeLinear", ["lowQ", "s"]);
        var gain = q.Node("DequantizeLinear", ["gainQ", "s"]);
        var network = q.Read(q.Node("Clip", [q.Node("Mul", ["x", gain]), low]));
        Check(network, exact: true);
        Assert.DoesNotContain("Dequantize", QdqBuilder.Run(network, optimize: false).Kinds, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dequantized_constant_that_does_not_fit_is_refused_when_it_is_read()
    {
        var q = new QdqBuilder(9, exact: true, signed: true);
        q.Model.Constant("w", new sbyte[8], 2, 4, 1, 1).Constant("s", [1f, 1, 1], 3);
        var conv = q.Node("Conv", [q.Input("x", 1, 4, 5, 5).X, q.Node("DequantizeLinear", ["w", "s"], OnnxBuilder.Int("axis", 0))]);
        var message = Assert.Throws<NetworkException>(() => q.Read(conv)).Message;
        Assert.Contains(
            "(DequantizeLinear): The scale is float32 (3); expected one float32, or 2 of them", message, StringComparison.Ordinal);
    }

    /// <summary>
    /// Compares with the nodes one by one, also after the network was written and read again, and gives the kinds of the steps.
    /// </summary>
    private static string Check(Network network, bool exact, Action<int>? different = null)
    {
        var (_, expected) = QdqBuilder.Run(network, optimize: false);
        var (kinds, actual) = QdqBuilder.Run(network, optimize: true, threads: 2);
        for (var i = 0; i < expected.Length; i++)
        {
            if (exact)
            {
                Assert.Equal(expected[i], actual[i]);
                continue;
            }

            var steps = 0;
            var isBytes = network.Outputs[i].Type.Element is ElementType.Int8 or ElementType.UInt8;
            for (var k = 0; isBytes && k < expected[i].Length; k++)
            {
                var step = (sbyte)(byte)(expected[i][k] - actual[i][k]);
                Assert.InRange(step, -1, 1);
                steps += Math.Abs(step);
            }

            different?.Invoke(steps);
        }

        var again = OnnxBackend.RoundTrip(network);
        Assert.Equal(actual, QdqBuilder.Run(again, optimize: true).Outputs);
        Assert.Equal(kinds, QdqBuilder.Run(again, optimize: true).Kinds);
        Assert.Equal(expected, QdqBuilder.Run(again, optimize: false).Outputs);
        Assert.Equal(network.ParameterCount, again.ParameterCount);
        return kinds;
    }
}
