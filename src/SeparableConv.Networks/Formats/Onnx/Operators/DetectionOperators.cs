namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>NonMaxSuppression, whose result has as many rows as boxes are found: it is read in a run, when all numbers are known.</summary>
internal static class DetectionOperators
{
    /// <summary>A row (image, class, box) for each box that is kept: image by image, class by class, the best first.</summary>
    public static void ReadNonMaxSuppression(OnnxGraph graph, OnnxNode node)
    {
        var (boxes, scores) = (graph.Constant(node, 0, "boxes"), graph.Constant(node, 1, "scores"));
        var (boxShape, scoreShape) = (boxes.Type.Shape, scores.Type.Shape);
        var fits = boxes.Type.Element == ElementType.Float32 && scores.Type.Element == ElementType.Float32
            && boxShape.Rank == 3 && boxShape[2] == 4 && scoreShape.Rank == 3
            && scoreShape[0] == boxShape[0] && scoreShape[2] == boxShape[1];
        if (!fits)
        {
            throw node.Error(
                $"boxes are {boxes.Type} and scores {scores.Type}; expected float32 (images, boxes, 4) and (images, classes, boxes)");
        }

        var most = Number(graph, node, 2, "max_output_boxes_per_class") is { } number ? (long)number : 0;
        var overlap = (float)(Number(graph, node, 3, "iou_threshold") ?? 0);
        var least = (float)(Number(graph, node, 4, "score_threshold") ?? double.NegativeInfinity);
        var isCentered = node.Flag("center_point_box", false);
        if (!(overlap >= 0 && overlap <= 1))
            throw node.Error(FormattableString.Invariant($"iou_threshold is {overlap}; expected 0 to 1"));

        var rows = new List<long>();
        var (classes, count) = (scoreShape[1], boxShape[1]);
        for (var image = 0; image < boxShape[0]; image++)
        {
            var suppression = new NonMaxSuppression(boxes.Span<float>().Slice(image * count * 4, count * 4), isCentered);
            for (var one = 0; one < classes; one++)
            {
                var own = scores.Span<float>().Slice(((image * classes) + one) * count, count);
                foreach (var box in suppression.Select(own, most, overlap, least, boxes => graph.Spend(node, boxes)))
                    rows.AddRange([image, one, box]);
            }
        }

        graph.Output(node, 0, graph.Constant(node.Name, TensorData.Create(rows.ToArray(), rows.Count / 3, 3)));
    }

    private static double? Number(OnnxGraph graph, OnnxNode node, int input, string what) =>
        graph.OptionalConstant(node, input, what) is { } constant ? OnnxConstants.Double(node, constant, what) : null;
}
