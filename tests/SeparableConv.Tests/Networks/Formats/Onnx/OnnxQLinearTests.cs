using SeparableConv.Networks.Formats.Onnx;
using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>
/// Quantized operators of com.microsoft, which ONNX Runtime's static quantizer writes, beside plain loops that round as its kernels do.
/// </summary>
public sealed class OnnxQLinearTests
{
    private const string Domain = "com.microsoft.";

    private static readonly (int[] A, int[] B)[] Broadcasts =
    [
        ([2, 3, 5, 7], [2, 3, 5, 7]), ([2, 3, 5, 7], [3, 1, 1]), ([1, 3, 1, 7], [2, 1, 5, 1]), ([33], [1]), ([1], [4, 9]),
        ([3, 1, 1], [2, 3, 5, 7]),
    ];

    public static TheoryData<int, bool> Cases()
    {
        var data = new TheoryData<int, bool>();
        for (var seed = 0; seed < 6; seed++)
        {
            data.Add(seed, false);
            data.Add(seed, true);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Sums_have_the_zero_point_inside_the_rounding(int seed, bool signed)
    {
        var (q, a, b, x, y, index) = Operands(seed, signed);
        var c = q.Scale("c");
        q.Model.Node(Domain + "QLinearAdd", ["a", "as", "az", "b", "bs", "bz", "cs", "cz"], ["y"]);
        var (ratioA, ratioB) = (a.Scale / c.Scale, b.Scale / c.Scale);
        var rest = c.ZeroPoint - MathF.FusedMultiplyAdd(ratioA, a.ZeroPoint, ratioB * b.ZeroPoint);

        // A number of the first operand that serves a whole row joins the fixed part first.
        var isTurned = index.Length > 1 && index[0].A == index[1].A;
        q.Check(Array.ConvertAll(index, at =>
        {
            var (first, second) = (a.Whole(x[at.A]), b.Whole(y[at.B]));
            return c.Saturated(MathF.Round(isTurned
                ? MathF.FusedMultiplyAdd(second, ratioB, MathF.FusedMultiplyAdd(first, ratioA, rest))
                : MathF.FusedMultiplyAdd(first, ratioA, MathF.FusedMultiplyAdd(second, ratioB, rest))));
        }));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Products_have_the_zero_point_inside_the_rounding(int seed, bool signed)
    {
        var (q, a, b, x, y, index) = Operands(seed, signed);
        var c = q.Scale("c", 8);
        q.Model.Node(Domain + "QLinearMul", ["a", "as", "az", "b", "bs", "bz", "cs", "cz"], ["y"]);
        var ratio = a.Scale * b.Scale / c.Scale;
        q.Check(Array.ConvertAll(index, at =>
        {
            var product = (a.Whole(x[at.A]) - a.ZeroPoint) * (b.Whole(y[at.B]) - b.ZeroPoint);
            return c.Saturated(MathF.Round((product * ratio) + c.ZeroPoint));
        }));
    }

    [Fact]
    public void Sums_are_written_in_their_domain()
    {
        var (q, _, _, _, _, _) = Operands(0, false);
        q.Scale("c");
        q.Model.Node(Domain + "QLinearAdd", ["a", "as", "az", "b", "bs", "bz", "cs", "cz"], ["y"]);
        using var stream = new MemoryStream();
        OnnxWriter.Write(q.Model.Output("y").Read(), stream);
        var model = ModelProto.Parser.ParseFrom(stream.ToArray());
        Assert.Contains(model.Graph.Node, node => node is { Domain: "com.microsoft", OpType: "QLinearAdd" });
        Assert.Equal(["", "com.microsoft"], model.OpsetImport.Select(import => import.Domain));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Functions_of_bytes_are_those_of_their_numbers(int seed, bool signed)
    {
        foreach (var type in new[] { "LeakyRelu", "Sigmoid" })
        {
            var q = new QLinearCase(seed, signed);
            var x = q.Input("x", 3, 4, 5);
            var (a, c) = (q.Scale("a"), q.Scale("c", type == "Sigmoid" ? 1 / 256f : 0.125f));
            AttributeProto[] attributes = type == "LeakyRelu" ? [OnnxBuilder.Float("alpha", 0.1f)] : [];
            q.Model.Node($"{Domain}QLinear{type}", ["x", "as", "az", "cs", "cz"], ["y"], attributes);
            q.Check(Array.ConvertAll(x, raw =>
            {
                var number = a.Number(raw);
                return c.Byte(type == "Sigmoid" ? (float)(1 / (1 + Math.Exp(-(double)number))) : number >= 0 ? number : number * 0.1f);
            }));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Pieces_are_brought_to_the_scale_of_the_whole(int seed, bool signed)
    {
        var q = new QLinearCase(seed, signed);
        var (first, second) = (q.Input("a", 2, 3, 5), q.Input("b", 2, 4, 5));
        var (a, b, c) = (q.Scale("a"), q.Scale("b"), q.Scale("c"));
        q.Model.Node(Domain + "QLinearConcat", ["cs", "cz", "a", "as", "az", "b", "bs", "bz"], ["y"], OnnxBuilder.Int("axis", -2));
        var expected = new byte[2 * 7 * 5];
        for (var i = 0; i < expected.Length; i++)
        {
            var (n, row, column) = (i / 35, i / 5 % 7, i % 5);
            expected[i] = row < 3
                ? c.Byte(a.Number(first[(((n * 3) + row) * 5) + column]))
                : c.Byte(b.Number(second[(((n * 4) + row - 3) * 5) + column]));
        }

        q.Check(expected);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_choice_is_one_of_two_numbers(int seed, bool signed)
    {
        var q = new QLinearCase(seed, signed);
        var (first, second) = (q.Input("a", 2, 3, 5), q.Input("b", 5));
        var (a, b, c) = (q.Scale("a"), q.Scale("b"), q.Scale("c"));
        bool[] condition = [true, false, false, true, true, false];
        q.Model.Constant("condition", condition, 2, 3, 1)
            .Node(Domain + "QLinearWhere", ["condition", "a", "as", "az", "b", "bs", "bz", "cs", "cz"], ["y"]);
        q.Check(first.Select((raw, i) => c.Byte(condition[i / 5] ? a.Number(raw) : b.Number(second[i % 5]))).ToArray());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_global_mean_is_the_exact_sum_times_one_factor(int seed, bool signed)
    {
        foreach (var last in new[] { false, true })
        {
            foreach (var (height, width) in new[] { (4, 6), (7, 5), (1, 1) })
            {
                var q = new QLinearCase(seed, signed);
                var x = last ? q.Input("x", 2, height, width, 3) : q.Input("x", 2, 3, height, width);
                var (a, c) = (q.Scale("a"), q.Scale("c"));
                q.Model.Node(
                    Domain + "QLinearGlobalAveragePool",
                    ["x", "as", "az", "cs", "cz"],
                    ["y"],
                    OnnxBuilder.Int("channels_last", last ? 1 : 0));
                var factor = a.Scale / (c.Scale * (height * width));
                var expected = new byte[6];
                for (var i = 0; i < 6; i++)
                {
                    var sum = 0;
                    for (var pixel = 0; pixel < height * width; pixel++)
                    {
                        var at = last ? (((i / 3 * height * width) + pixel) * 3) + (i % 3) : (i * height * width) + pixel;
                        sum += a.Whole(x[at]) - a.ZeroPoint;
                    }

                    expected[i] = c.Saturated(MathF.Round(sum * factor) + c.ZeroPoint);
                }

                q.Check(expected);
            }
        }
    }

    // With powers of two the means are exact, so that halves are halves.
    [Theory]
    [InlineData(0, false, false)]
    [InlineData(2, true, false)]
    [InlineData(4, false, true)]
    [InlineData(2, true, true)]
    public void Means_of_windows_have_the_zero_point_inside_the_rounding(int seed, bool signed, bool last)
    {
        var q = new QLinearCase(seed, signed);
        var x = last ? q.Input("x", 1, 6, 7, 2) : q.Input("x", 1, 2, 6, 7);
        var (a, c) = (q.Scale("a"), q.Scale("c"));
        q.Model.Node(
            Domain + "QLinearAveragePool",
            ["x", "as", "az", "cs", "cz"],
            ["y"],
            OnnxBuilder.Ints("kernel_shape", 2, 2),
            OnnxBuilder.Ints("strides", 2, 1),
            OnnxBuilder.Int("channels_last", last ? 1 : 0));
        var expected = new byte[2 * 3 * 6];
        for (var i = 0; i < expected.Length; i++)
        {
            var (channel, row, column) = last ? (i % 2, i / 2 / 6, i / 2 % 6) : (i / 18, i / 6 % 3, i % 6);
            var sum = 0f;
            for (var tap = 0; tap < 4; tap++)
            {
                var (y, z) = ((2 * row) + (tap / 2), column + (tap % 2));
                sum += a.Number(x[last ? (((y * 7) + z) * 2) + channel : (((channel * 6) + y) * 7) + z]);
            }

            expected[i] = c.Saturated(MathF.Round((sum / 4 / c.Scale) + c.ZeroPoint));
        }

        q.Check(expected);
    }

    [Theory]
    [InlineData(0, false, 13, 1)]
    [InlineData(1, true, 13, -1)]
    [InlineData(2, false, 12, 1)]
    public void A_softmax_is_near_that_of_the_numbers(int seed, bool signed, int opset, int axis)
    {
        var q = new QLinearCase(seed, signed);
        var x = q.Input("x", 2, 3, 4);
        var a = q.Scale("a", 0.03f);
        q.Model.Constant("cs", [1 / 256f]).ByteConstant("cz", signed, [(byte)(signed ? 128 : 0)]).Node(
            Domain + "QLinearSoftmax",
            ["x", "as", "az", "cs", "cz"],
            ["y"],
            OnnxBuilder.Int("opset", opset),
            OnnxBuilder.Int("axis", axis));
        var c = new LinearNumbers(signed, 1 / 256f, signed ? -128 : 0);
        foreach (var actual in q.Run())
        {
            for (var i = 0; i < x.Length; i++)
            {
                // The elements that share a sum with this one.
                var members = Enumerable.Range(0, 24).Where(k => opset < 13 ? k / 12 == i / 12
                    : axis == 1 ? k / 12 == i / 12 && k % 4 == i % 4
                    : k / 4 == i / 4);
                var expected = Math.Exp(a.Number(x[i])) / members.Sum(k => Math.Exp(a.Number(x[k]))) * 256;
                Assert.InRange(c.Whole(actual[i]) - c.ZeroPoint, Math.Min(254, expected - 0.51), expected + 0.51);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_mean_over_axes_differs_from_that_of_the_numbers_by_a_step_at_most(int seed, bool signed)
    {
        var q = new QLinearCase(seed, signed);
        var x = q.Input("x", 2, 3, 4, 5);
        var (a, c) = (q.Scale("a"), q.Scale("c"));
        q.Model.Node(
            Domain + "QLinearReduceMean",
            ["x", "as", "az", "cs", "cz"],
            ["y"],
            OnnxBuilder.Ints("axes", -1, 2),
            OnnxBuilder.Int("keepdims", seed % 3 == 0 ? 1 : 0));
        foreach (var actual in q.Run())
        {
            Assert.Equal(6, actual.Length);
            for (var i = 0; i < 6; i++)
            {
                var mean = Enumerable.Range(0, 20).Average(k => (double)a.Number(x[(i * 20) + k]));
                Assert.InRange(c.Whole(actual[i]) - c.Whole(c.Byte((float)mean)), -1, 1);
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Channels_last_images_give_what_channels_first_ones_give(bool signed)
    {
        foreach (var type in new[] { "QLinearConv", "MaxPool" })
        {
            foreach (var isRow in new[] { false, true })
            {
                var outputs = new List<byte[]>();
                foreach (var last in new[] { false, true })
                {
                    var q = new QLinearCase(3, signed);
                    int[] first = isRow ? [2, 4, 9] : [2, 4, 6, 9];
                    int[] turned = isRow ? [2, 9, 4] : [2, 6, 9, 4];
                    var x = q.Input("x", last ? turned : first);
                    if (last)
                        Turn([.. x], first).CopyTo(x, 0);
                    q.Scale("a");
                    q.Scale("c", 4);
                    int[] kernel = isRow ? [3] : [1, 3];
                    q.Model.ByteConstant("w", signed, q.Bytes(6 * 4 * 3), [6, 4, .. kernel])
                        .Constant("ws", [0.02f]).ByteConstant("wz", signed, [3]);
                    var window = OnnxBuilder.Ints("kernel_shape", [.. kernel.Select(length => (long)length)]);
                    AttributeProto[] attributes = last && type != "MaxPool" ? [window, OnnxBuilder.Int("channels_last", 1)] : [window];
                    var name = type == "QLinearConv" ? last ? Domain + type : type : last ? Domain + "NhwcMaxPool" : type;
                    q.Model.Node(name, type == "MaxPool" ? ["x"] : ["x", "as", "az", "w", "ws", "wz", "cs", "cz"], ["y"], attributes);
                    var y = q.Run()[0];
                    var channels = type == "MaxPool" ? 4 : 6;
                    outputs.Add(last ? y : Turn(y, isRow ? [2, channels, 7] : [2, channels, 6, 7]));
                }

                Assert.Equal(outputs[0], outputs[1]);
            }
        }
    }

    [Theory]
    [InlineData("ai.onnx.ml", "LabelEncoder", "ai.onnx.ml.LabelEncoder ('n')")]
    [InlineData("com.microsoft", "QAttention", "com.microsoft.QAttention ('n')")]
    [InlineData("com.microsoft.nchwc", "Conv", "com.microsoft.nchwc.Conv ('n')")]
    [InlineData("ai.onnx.preview.training", "Adam", "ai.onnx.preview.training.Adam ('n')")]
    public void Other_operators_are_refused_by_domain_and_name(string domain, string type, string said)
    {
        var builder = new OnnxBuilder().Input("x", "1", "2").Output("y");
        builder.Model.OpsetImport.Clear();
        builder.Model.Graph.Node.Add(new NodeProto { Domain = domain, OpType = type, Name = "n", Input = { "x" }, Output = { "y" } });
        Assert.Equal(
            $"The model has operators that are not supported: {said}.", Assert.Throws<NetworkException>(() => builder.Read()).Message);
    }

    [Fact]
    public void What_does_not_fit_is_refused_with_domain_and_operator()
    {
        Assert.StartsWith(
            "In node 'y_node' (com.microsoft.QLinearAdd): A_zero_point is int8 (); expected 1 of int8 or uint8",
            Refusal("QLinearAdd", ["x", "s", "signed", "x", "s", "z", "s", "z"]),
            StringComparison.Ordinal);
        Assert.StartsWith(
            "In node 'y_node' (com.microsoft.QLinearConcat): there are 4 inputs",
            Refusal("QLinearConcat", ["s", "z", "x", "s"]),
            StringComparison.Ordinal);
        Assert.StartsWith(
            "In node 'y_node' (com.microsoft.FusedConv): activation is 'Mish'",
            Refusal("FusedConv", ["f", "w"], OnnxBuilder.Text("activation", "Mish")),
            StringComparison.Ordinal);
        Assert.StartsWith(
            "In node 'y_node' (com.microsoft.FusedMatMul): transBatchA",
            Refusal("FusedMatMul", ["f", "f"], OnnxBuilder.Int("transBatchA", 1)),
            StringComparison.Ordinal);
        Assert.StartsWith(
            "In node 'y_node' (com.microsoft.QLinearAveragePool): there is no kernel",
            Refusal("QLinearAveragePool", ["x", "s", "z", "s", "z"]),
            StringComparison.Ordinal);

        static string Refusal(string type, string[] inputs, params AttributeProto[] attributes) => Assert.Throws<NetworkException>(() =>
            new OnnxBuilder().Bytes("x", signed: false, 1, 2, 4, 4).Input("f", "1", "2", "4", "4").Constant("w", new float[2], 1, 2, 1, 1)
                .Constant("s", [0.5f]).Constant("z", [(byte)3]).Constant("signed", [(sbyte)3])
                .Node(Domain + type, inputs, ["y"], attributes).Output("y").Read()).Message;
    }

    // Two operands, and for each element of the result the elements that it is made of.
    private static (QLinearCase Case, LinearNumbers A, LinearNumbers B, byte[] X, byte[] Y, (int A, int B)[] Index) Operands(
        int seed, bool signed)
    {
        var q = new QLinearCase(seed, signed);
        var (first, second) = Broadcasts[seed % Broadcasts.Length];
        var (x, y) = (q.Input("a", first), q.Input("b", second));
        var (a, b) = (q.Scale("a"), q.Scale("b"));
        int[] shape = [.. TensorShapes.Broadcast(new(first), new(second)).Lengths];
        var index = new (int, int)[shape.Aggregate(1, (m, n) => m * n)];
        for (var i = 0; i < index.Length; i++)
            index[i] = (Operators.OperatorRun.BroadcastIndex(i, shape, first), Operators.OperatorRun.BroadcastIndex(i, shape, second));
        return (q, a, b, x, y, index);
    }

    // Channels first to channels last.
    private static byte[] Turn(byte[] bytes, int[] first)
    {
        var (channels, pixels) = (first[1], first[2..].Aggregate(1, (a, b) => a * b));
        return [.. Enumerable.Range(0, bytes.Length).Select(i =>
            bytes[(((i / channels / pixels * channels) + (i % channels)) * pixels) + (i / channels % pixels)])];
    }
}
