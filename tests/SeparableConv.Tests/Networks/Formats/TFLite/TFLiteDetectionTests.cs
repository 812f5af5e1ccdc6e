using System.Runtime.InteropServices;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>TFLite_Detection_PostProcess, read from hand-made files.</summary>
public class TFLiteDetectionTests
{
    // Six boxes, as the reference's own tests have them.
    private static readonly float[] Encoded = [0, 0, 0, 0, 0, 1, 0, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];

    private static readonly float[] Scores = [0, .9f, .8f, 0, .75f, .72f, 0, .6f, .5f, 0, .93f, .95f, 0, .5f, .4f, 0, .3f, .2f];

    private static readonly float[] Anchors =
        [.5f, .5f, 1, 1, .5f, .5f, 1, 1, .5f, .5f, 1, 1, .5f, 10.5f, 1, 1, .5f, 10.5f, 1, 1, .5f, 100.5f, 1, 1];

    [Theory]
    [InlineData(false, new[] { 1f, 0, 0 }, new[] { .95f, .9f, .3f }, new[] { 10f, 0, 100 }, 3)]
    [InlineData(true, new[] { 1f, 0, 0 }, new[] { .95f, .93f, .9f }, new[] { 10f, 10, 0 }, 3)]
    public void As_published(bool byClass, float[] classes, float[] scores, float[] lefts, float count)
    {
        var outputs = Run(Options(byClass, 3, 1), Encoded, Scores, Anchors, 6, 3, 3);
        Assert.Equal(classes, outputs[1]);
        Assert.Equal(scores, outputs[2]);
        Assert.Equal([count], outputs[3]);
        for (var i = 0; i < lefts.Length; i++)
        {
            float[] box = [0, lefts[i], 1, lefts[i] + 1];
            for (var k = 0; k < 4; k++)
                Assert.InRange(outputs[0][(i * 4) + k], box[k] - 1e-5f, box[k] + 1e-5f);
        }
    }

    [Theory]
    [InlineData(false, 1, 0)]
    [InlineData(false, 2, 1)]
    [InlineData(false, 5, 1)]
    [InlineData(true, 1, 0)]
    [InlineData(true, 2, 1)]
    public void Random_boxes_as_plain_loops_keep_them(bool byClass, int perBox, int background)
    {
        const int Count = 60, Classes = 4;
        for (var seed = 0; seed < 12; seed++)
        {
            // Scores in tenths, so that many are equal; boxes have key points behind them.
            var random = new Random(seed);
            var scores = new float[Count * (Classes + background)];
            for (var i = 0; i < scores.Length; i++)
                scores[i] = random.Next(0, 11) / 10f;
            float[] Numbers(int count, float scale, float least) =>
                [.. Enumerable.Range(0, count).Select(_ => least + (random.NextSingle() * scale))];
            var encoded = Numbers(Count * 6, 8, -4);
            var anchors = Numbers(Count * 4, 0.8f, 0.1f);
            var most = seed % 3 == 0 ? 100 : 9;
            var expected = Expected(byClass, perBox, most, encoded, scores, anchors, Classes, background);
            var options = Options(byClass, most, perBox, Classes, 0.25f);
            var outputs = Run(options, encoded, scores, anchors, Count, Classes + background, most * perBox, 6);
            for (var i = 0; i < 4; i++)
                Assert.Equal(expected[i], outputs[i]);
        }
    }

    [Fact]
    public void Bytes_are_made_floats_first()
    {
        var file = new TFLiteFile { Inputs = [0, 1], Outputs = [3, 4, 5, 6] };
        file.Tensor(ElementType.UInt8, [1, 6, 4], (1f / 127, 127));
        file.Tensor(ElementType.UInt8, [1, 6, 3], (1f / 250, 0));
        file.Constant(Array.ConvertAll(Anchors, a => (byte)(a * 2)), [6, 4], (0.5f, 0));
        Outputs(file, 3);
        file.Custom("TFLite_Detection_PostProcess", FlexOptions.Map(Options(false, 3, 1)), [0, 1, 2], [3, 4, 5, 6]);
        using var session = new InferenceSession(file.Read());
        Array.ConvertAll(Encoded, e => (byte)(127 + (127 * e))).CopyTo(session.InputBytes(0));
        Array.ConvertAll(Scores, s => (byte)Math.Round(250 * s)).CopyTo(session.InputBytes(1));
        session.Run();
        var scores = MemoryMarshal.Cast<byte, float>(session.OutputBytes(2)).ToArray();
        Assert.Equal([0.952f, 0.9f, 0.3f], scores.Select(s => MathF.Round(s * 1000) / 1000));
    }

    [Theory]
    [InlineData("nms_iou_threshold", 1.5f, "The largest overlap is 1.5")]
    [InlineData("y_scale", 0f, "y_scale is 0; expected a number other than 0")]
    [InlineData("num_classes", 7, "There are scores of 3 classes for 7 classes")]
    [InlineData("max_detections", 0, "must be 1 or more")]
    public void What_makes_no_sense_is_refused(string name, object value, string message)
    {
        var options = Options(false, 3, 1);
        options[Array.FindIndex(options, option => option.Name == name)].Value = value;
        var refused = Assert.Throws<NetworkException>(() => Run(options, Encoded, Scores, Anchors, 6, 3, 3));
        Assert.Contains(message, refused.Message);
    }

    private static (string Name, object Value)[] Options(bool byClass, int most, int perBox, int classes = 2, float least = 0) =>
    [
        ("max_detections", most),
        ("max_classes_per_detection", perBox),
        ("detections_per_class", 5),
        ("use_regular_nms", byClass),
        ("nms_score_threshold", least),
        ("nms_iou_threshold", 0.5f),
        ("num_classes", classes),
        ("y_scale", 10f),
        ("x_scale", 10f),
        ("h_scale", 5f),
        ("w_scale", 5f),
    ];

    private static float[][] Run(
        (string, object)[] options, float[] encoded, float[] scores, float[] anchors, int count, int columns, int kept, int code = 4)
    {
        var file = new TFLiteFile { Inputs = [0, 1], Outputs = [3, 4, 5, 6] };
        file.Tensor(ElementType.Float32, [1, count, code]);
        file.Tensor(ElementType.Float32, [1, count, columns]);
        file.Constant(anchors, [count, 4]);
        Outputs(file, kept);
        file.Custom("TFLite_Detection_PostProcess", FlexOptions.Map(options), [0, 1, 2], [3, 4, 5, 6]);
        using var session = new InferenceSession(file.Read());
        MemoryMarshal.AsBytes<float>(encoded).CopyTo(session.InputBytes(0));
        MemoryMarshal.AsBytes<float>(scores).CopyTo(session.InputBytes(1));
        session.Run();
        session.Run();
        return [.. Enumerable.Range(0, 4).Select(i => MemoryMarshal.Cast<byte, float>(session.OutputBytes(i)).ToArray())];
    }

    private static void Outputs(TFLiteFile file, int kept)
    {
        foreach (var shape in new int[][] { [1, kept, 4], [1, kept], [1, kept], [1] })
            file.Tensor(ElementType.Float32, shape);
    }

    // Lists and sorting that keeps the order of what is equal, box by box and class by class.
    private static float[][] Expected(
        bool byClass, int perBox, int most, float[] encoded, float[] scores, float[] anchors, int classes, int background)
    {
        var count = anchors.Length / 4;
        var boxes = new float[count][];
        for (var i = 0; i < count; i++)
        {
            double At(int k) => encoded[(i * 6) + k];
            double Anchor(int k) => anchors[(i * 4) + k];
            var (y, x) = ((float)((At(0) / 10 * Anchor(2)) + Anchor(0)), (float)((At(1) / 10 * Anchor(3)) + Anchor(1)));
            var (h, w) = ((float)(0.5 * Math.Exp(At(2) / 5) * Anchor(2)), (float)(0.5 * Math.Exp(At(3) / 5) * Anchor(3)));
            boxes[i] = [y - h, x - w, y + h, x + w];
        }

        float Score(int box, int c) => scores[(box * (classes + background)) + background + c];
        var found = new List<(int Box, int Class, float Score, int Place)>();
        if (byClass)
        {
            for (var c = 0; c < classes; c++)
            {
                foreach (var box in Suppress(boxes, i => Score(i, c), Math.Min(5, most)))
                    found.Add((box, c, Score(box, c), 0));
                found = [.. found.OrderByDescending(f => f.Score).Take(most)];
            }

            found = [.. found.Select((f, i) => f with { Place = i })];
        }
        else
        {
            var chosen = Suppress(boxes, i => Enumerable.Range(0, classes).Max(c => Score(i, c)), most);
            for (var k = 0; k < chosen.Count; k++)
            {
                var best = Enumerable.Range(0, classes).OrderByDescending(c => Score(chosen[k], c)).Take(perBox).ToArray();
                for (var n = 0; n < best.Length; n++)
                    found.Add((chosen[k], best[n], Score(chosen[k], best[n]), (k * perBox) + n));
            }
        }

        var kept = most * perBox;
        float[][] outputs = [new float[kept * 4], new float[kept], new float[kept], new float[1]];
        foreach (var (box, c, score, place) in found)
        {
            boxes[box].CopyTo(outputs[0], place * 4);
            (outputs[1][place], outputs[2][place]) = (c, score);
        }

        outputs[3][0] = byClass ? found.Count : found.Select(f => f.Box).Distinct().Count();
        return outputs;
    }

    private static List<int> Suppress(float[][] boxes, Func<int, float> score, int most)
    {
        var left = Enumerable.Range(0, boxes.Length).Where(i => score(i) >= 0.25f).OrderByDescending(score).ToList();
        var chosen = new List<int>();
        while (left.Count > 0 && chosen.Count < most)
        {
            var best = left[0];
            chosen.Add(best);
            left = [.. left.Skip(1).Where(i => !(Overlap(boxes[best], boxes[i]) > 0.5f))];
        }

        return chosen;
    }

    private static float Overlap(float[] a, float[] b)
    {
        static float Area(float[] box) => (box[2] - box[0]) * (box[3] - box[1]);
        if (Area(a) <= 0 || Area(b) <= 0)
            return 0;
        var height = Math.Max(Math.Min(a[2], b[2]) - Math.Max(a[0], b[0]), 0);
        var width = Math.Max(Math.Min(a[3], b[3]) - Math.Max(a[1], b[1]), 0);
        var common = height * width;
        return common / (Area(a) + Area(b) - common);
    }
}
