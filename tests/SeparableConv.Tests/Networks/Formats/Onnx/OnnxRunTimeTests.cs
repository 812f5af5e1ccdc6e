using System.Runtime.InteropServices;
using static SeparableConv.Tests.Networks.Formats.OnnxBuilder;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Models in which numbers decide on shapes, so that a part of them is computed node by node in every run.</summary>
public sealed class OnnxRunTimeTests
{
    [Fact]
    public void Indices_of_what_is_not_zero_are_as_many_as_there_are()
    {
        var network = Typed(
            new OnnxBuilder().Input("x", "2", "3").Node("Abs", ["x"], ["a"]).Node("NonZero", ["a"], ["y"]).Output("y"), 7).Read();
        Assert.True(network.Outputs[0].Type.HasOpenShape);
        Assert.Equal("int64 (?)", network.Outputs[0].Type.ToString());
        using var session = new InferenceSession(network);
        Assert.True(session.OutputType(0).HasOpenShape);
        foreach (var (numbers, expected) in new (float[], long[])[]
        {
            ([0, -1, 0, 2, 0, 3], [0, 1, 1, 1, 0, 2]), ([0, 0, 0, 0, 0, 0], []), ([-0f, 0, 1, 0, 0, 0], [0, 2]),
        })
        {
            numbers.CopyTo(MemoryOf<float>(session.InputBytes(0)));
            session.Run();
            Assert.Equal(new TensorShape(2, expected.Length / 2), session.OutputType(0).Shape);
            var output = new long[expected.Length];
            session.Output<long>("y").FlattenTo(output);
            Assert.Equal(expected, output);
            Assert.Equal(expected, MemoryOf<long>(session.OutputBytes(0)).ToArray());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Boxes_are_selected_as_a_plain_loop_selects_them(int threads)
    {
        var random = new Random(5);
        foreach (var isCentered in new[] { false, true })
        {
            foreach (var (images, classes, count, most, overlap, least) in new (int, int, int, long, float, float?)[]
            {
                (1, 1, 6, 3, 0.5f, null), (2, 3, 17, 100, 0.3f, 0.4f), (1, 2, 5, 0, 0.5f, 0.1f), (1, 2, 9, 2, 0f, 0.2f),
                (1, 1, 8, 8, 1f, 2f),
            })
            {
                var (boxes, scores) = (new float[images * count * 4], new float[images * classes * count]);
                for (var i = 0; i < boxes.Length; i++)
                    boxes[i] = random.NextSingle() * (isCentered && i % 4 > 1 ? 0.5f : 1);

                // Coarse, so that there are equal scores.
                for (var i = 0; i < scores.Length; i++)
                    scores[i] = MathF.Round(random.NextSingle() * 8) / 8;
                var model = new OnnxBuilder()
                    .Input("boxes", $"{images}", $"{count}", "4").Input("scores", $"{images}", $"{classes}", $"{count}")
                    .Constant("most", [most]).Constant("overlap", [overlap]);
                string[] inputs = ["boxes", "scores", "most", "overlap"];
                if (least is { } threshold)
                {
                    model.Constant("least", [threshold]);
                    inputs = [.. inputs, "least"];
                }

                var network = Typed(
                    model.Node("NonMaxSuppression", inputs, ["y"], Int("center_point_box", isCentered ? 1 : 0)).Output("y"), 7).Read();
                using var session = new InferenceSession(network, new() { Threads = threads });
                boxes.CopyTo(MemoryOf<float>(session.InputBytes(0)));
                scores.CopyTo(MemoryOf<float>(session.InputBytes(1)));
                session.Run();
                var expected = Selected(boxes, scores, images, classes, isCentered, most, overlap, least ?? double.NegativeInfinity);
                Assert.Equal(new TensorShape(expected.Length / 3, 3), session.OutputType(0).Shape);
                Assert.Equal(expected, MemoryOf<long>(session.OutputBytes(0)).ToArray());
            }
        }
    }

    [Fact]
    public void What_follows_is_computed_too_and_the_rest_is_planned()
    {
        // The boxes that are kept, and how many they are; the sum of all boxes does not depend on that.
        var model = new OnnxBuilder().Input("boxes", "1", "4", "4").Input("scores", "1", "1", "4")
            .Constant("most", [2L]).Constant("overlap", [0.5f]).Constant("column", [2L], 1).Constant("zero", [0L])
            .Node("NonMaxSuppression", ["boxes", "scores", "most", "overlap"], ["rows"])
            .Node("Gather", ["rows", "column"], ["picked"], Int("axis", 1))
            .Node("Squeeze", ["picked", "axes"], ["index"]).Constant("axes", [1L], 1)
            .Node("Gather", ["boxes", "index"], ["kept"], Int("axis", 1))
            .Node("Shape", ["kept"], ["shape"])
            .Node("ReduceSum", ["boxes"], ["sum"], Int("keepdims", 0))
            .Output("kept", "shape", "sum");
        model.Model.Graph.Output[1].Type.TensorType.ElemType = 7;
        var network = model.Read();
        Assert.Equal([true, true, false], network.Outputs.Select(output => output.Type.HasOpenShape));
        Assert.Single(network.Nodes, node => node.Operator.Kind == "RunTimeGraph");
        using var session = new InferenceSession(network);
        float[] boxes = [0, 0, 1, 1, 0, 0, 1, 1.1f, 5, 5, 6, 6, 8, 8, 9, 9];
        boxes.CopyTo(MemoryOf<float>(session.InputBytes(0)));
        new[] { 0.5f, 0.9f, 0.1f, 0.2f }.CopyTo(MemoryOf<float>(session.InputBytes(1)));
        session.Run();
        Assert.Equal([0, 0, 1, 1.1f, 8, 8, 9, 9], MemoryOf<float>(session.OutputBytes(0)).ToArray());
        Assert.Equal([1L, 2, 4], MemoryOf<long>(session.OutputBytes(1)).ToArray());
        Assert.Equal(boxes.Sum(), MemoryOf<float>(session.OutputBytes(2))[0], 1e-4);
    }

    [Fact]
    public void A_shape_that_is_an_input_is_known_at_load_or_left_to_the_run()
    {
        var model = new OnnxBuilder().Input("x", "2", "6").Input("shape", "2").Node("Reshape", ["x", "shape"], ["y"]).Output("y");
        model.Model.Graph.Input[1].Type.TensorType.ElemType = 7;
        using var session = new InferenceSession(model.Read());
        var numbers = RandomData.Floats(12, 3);
        foreach (var shape in new[] { new long[] { 3, 4 }, [12, 1], [-1, 2] })
        {
            numbers.CopyTo(MemoryOf<float>(session.InputBytes(0)));
            shape.CopyTo(MemoryOf<long>(session.InputBytes(1)));
            session.Run();
            Assert.Equal(new TensorShape((int)(shape[0] < 0 ? 6 : shape[0]), (int)shape[1]), session.OutputType(0).Shape);
            Assert.Equal(numbers, MemoryOf<float>(session.OutputBytes(0)).ToArray());
        }

        new long[] { 5, 5 }.CopyTo(MemoryOf<long>(session.InputBytes(1)));
        var wrong = Assert.Throws<NetworkException>(session.Run);
        Assert.Contains("In node 'y_node' (Reshape)", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_selected_in_a_run_may_be_scored_again()
    {
        // The best of those above a threshold: their number decides how many there are to take, and how the rest is cut.
        var model = new OnnxBuilder(18).Input("x", "6").Typed("y", 1).Constant("threshold", [0.5f]).Constant("end", [2L], 1)
            .Constant("start", [0L], 1).Node("Greater", ["x", "threshold"], ["is"]).Node("Compress", ["x", "is"], ["some"])
            .Node("Neg", ["some"], ["n"]).Node("Slice", ["n", "start", "end"], ["y"]);
        using var session = new InferenceSession(model.Read());
        foreach (var (numbers, expected) in new (float[], float[])[]
        {
            ([0.1f, 0.9f, 0.2f, 0.6f, 0.7f, 0], [-0.9f, -0.6f]), ([0, 0, 0, 0, 0, 1], [-1]), (new float[6], []),
        })
        {
            numbers.CopyTo(MemoryOf<float>(session.InputBytes(0)));
            session.Run();
            Assert.Equal(expected, MemoryOf<float>(session.OutputBytes(0)).ToArray());
        }
    }

    [Fact]
    public void Sessions_of_one_network_run_at_the_same_time()
    {
        var model = new OnnxBuilder().Input("x", "4").Node("NonZero", ["x"], ["n"]).Constant("flat", [-1L], 1)
            .Node("Reshape", ["n", "flat"], ["i"]).Node("Gather", ["x", "i"], ["y"]).Output("y");
        using var compiled = new CompiledNetwork(model.Read());
        Parallel.For(0, 8, k =>
        {
            using var session = new InferenceSession(compiled);
            for (var round = 0; round < 50; round++)
            {
                float[] numbers = [0, k + 1, 0, round];
                numbers.CopyTo(MemoryOf<float>(session.InputBytes(0)));
                session.Run();
                Assert.Equal(numbers.Where(number => number != 0), MemoryOf<float>(session.OutputBytes(0)).ToArray());
            }
        });
    }

    [Fact]
    public void A_network_with_such_outputs_is_not_written()
    {
        var network = Typed(new OnnxBuilder().Input("x", "2", "3").Node("NonZero", ["x"], ["y"]).Output("y"), 7).Read();
        var refusal = Assert.Throws<NetworkException>(() => OnnxWriter.Write(network, Stream.Null));
        Assert.Contains("shapes", refusal.Message, StringComparison.Ordinal);
    }

    private static Span<T> MemoryOf<T>(Span<byte> bytes)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(bytes);

    private static ReadOnlySpan<T> MemoryOf<T>(ReadOnlySpan<byte> bytes)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(bytes);

    private static OnnxBuilder Typed(OnnxBuilder model, int element)
    {
        foreach (var output in model.Model.Graph.Output)
            output.Type.TensorType.ElemType = element;
        return model;
    }

    // Step by step as ONNX says it, in double precision.
    private static long[] Selected(
        float[] boxes, float[] scores, int images, int classes, bool isCentered, long most, double overlap, double least)
    {
        var (count, rows) = (boxes.Length / 4 / images, new List<long>());
        double[] Corners(int image, int box)
        {
            var at = ((image * count) + box) * 4;
            double[] b = [boxes[at], boxes[at + 1], boxes[at + 2], boxes[at + 3]];
            return isCentered
                ? [b[1] - (b[3] / 2), b[0] - (b[2] / 2), b[1] + (b[3] / 2), b[0] + (b[2] / 2)]
                : [Math.Min(b[0], b[2]), Math.Min(b[1], b[3]), Math.Max(b[0], b[2]), Math.Max(b[1], b[3])];
        }

        double Overlap(double[] a, double[] b)
        {
            var height = Math.Min(a[2], b[2]) - Math.Max(a[0], b[0]);
            var width = Math.Min(a[3], b[3]) - Math.Max(a[1], b[1]);
            if (height <= 0 || width <= 0)
                return 0;
            return height * width / (((a[2] - a[0]) * (a[3] - a[1])) + ((b[2] - b[0]) * (b[3] - b[1])) - (height * width));
        }

        for (var image = 0; image < images; image++)
        {
            for (var one = 0; one < classes; one++)
            {
                var kept = new List<int>();
                var left = Enumerable.Range(0, count).Where(box => Score(box) > least).ToList();
                double Score(int box) => scores[(((image * classes) + one) * count) + box];
                while (left.Count > 0 && kept.Count < most)
                {
                    var best = left.MaxBy(box => (Score(box), -box));
                    kept.Add(best);
                    left.RemoveAll(box => box == best || Overlap(Corners(image, box), Corners(image, best)) > overlap);
                }

                rows.AddRange(kept.SelectMany(box => new long[] { image, one, box }));
            }
        }

        return [.. rows];
    }
}
