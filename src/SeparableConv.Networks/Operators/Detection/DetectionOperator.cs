namespace SeparableConv.Networks.Operators;

/// <summary>
/// What stands behind the network of a single-shot detector, as TensorFlow Lite's TFLite_Detection_PostProcess computes it: encoded
/// boxes (1, A, 4 or more), scores (1, A, C) and anchors (A, 4) -> boxes (1, D, 4) by top, left, bottom and right, classes (1, D),
/// scores (1, D) and how many there are (1), the best first and the rest 0; all float32.
/// </summary>
/// <remarks>
/// A box is encoded as the offset of its centre from the anchor's and the logarithm of its size over the anchor's, each times a scale.
/// Where each class is suppressed by itself the best boxes of all classes are kept; else each box is suppressed by its best score and
/// given its best classes.
/// </remarks>
internal sealed unsafe class DetectionOperator(DetectionOptions options) : Operator
{
    private const int Coordinates = 4;

    public override string Kind => "DetectionPostProcess";

    public DetectionOptions Options => options;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var boxes = OperatorChecks.Required(inputs, 0, "encoded boxes", ElementType.Float32, 3);
        var scores = OperatorChecks.Required(inputs, 1, "scores", ElementType.Float32, 3);
        var anchors = OperatorChecks.Required(inputs, 2, "anchors", ElementType.Float32, 2);
        var count = boxes.Shape[1];
        if (boxes.Shape[0] != 1 || boxes.Shape[2] < Coordinates || scores.Shape[0] != 1 || scores.Shape[1] != count
            || anchors.Shape != new TensorShape(count, Coordinates))
        {
            throw new ArgumentException(
                $"The encoded boxes are {boxes}, the scores {scores} and the anchors {anchors}; "
                + "expected (1, A, 4 or more), (1, A, C) and (A, 4).");
        }

        var background = scores.Shape[2] - options.Classes;
        if (options.Classes < 1 || background is not (0 or 1))
        {
            throw new ArgumentException(
                $"There are scores of {scores.Shape[2]} classes for {options.Classes} classes; "
                + "expected as many, or one for the background more.");
        }

        if (options.MostDetections < 1 || options.ClassesPerDetection < 1 || (options.SuppressesByClass && options.DetectionsPerClass < 1))
            throw new ArgumentException("The numbers of detections and of classes for each must be 1 or more.");
        if (!(options.MostOverlap is > 0 and <= 1))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"The largest overlap is {options.MostOverlap}; expected a number above 0, 1 at most."));
        }

        var kept = checked(options.MostDetections * options.ClassesPerDetection);
        TensorType Floats(params ReadOnlySpan<int> lengths) => new(ElementType.Float32, new TensorShape(lengths));
        return [Floats(1, kept, Coordinates), Floats(1, kept), Floats(1, kept), Floats(1)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Inputs[1]!.Shape.ElementCount);

    internal override Step Prepare(Node node) => new DetectionStep(options, node.Inputs[0]!.Shape, node.Inputs[1]!.Shape[2]);

    internal override void Forward(ForwardContext context)
    {
        var step = new DetectionStep(options, context.Inputs[0].Shape, context.Inputs[1].Shape[2]);
        fixed (byte* scratch = new byte[step.ScratchBytes])
            step.Run(new ForwardContext(context.Inputs, context.Outputs, context.Threads, scratch));
    }
}
