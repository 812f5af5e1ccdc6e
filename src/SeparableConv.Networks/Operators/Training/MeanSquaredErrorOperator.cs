namespace SeparableConv.Networks.Operators;

/// <summary>
/// The mean squared error, and its gradient: predictions (N, ...), targets of the same shape -> the loss of each sample (N), the gradient
/// of their mean by the predictions. loss[n] = the mean of (y - t)^2 over the sample's M numbers; gradient = 2*(y - t) / (N*M).
/// </summary>
internal sealed class MeanSquaredErrorOperator : Operator
{
    public override string Kind => "MeanSquaredError";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var predictions = OperatorChecks.Required(inputs, 0, "predictions");
        OperatorChecks.Takes(
            predictions.Element == ElementType.Float32 && predictions.Shape.Rank > 0 && predictions.Shape.ElementCount > 0,
            predictions,
            "float32 with a sample at least");
        OperatorChecks.SameElement(predictions, OperatorChecks.Required(inputs, 1, "targets"));
        OperatorChecks.SameShape(predictions, inputs[1]!);
        return [new(ElementType.Float32, new TensorShape(predictions.Shape[0])), predictions];
    }

    internal override OperatorCost Cost(Node node) => new(0, 3 * node.Inputs[0]!.Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var predictions = context.Inputs[0].Span<float>();
        var targets = context.Inputs[1].Span<float>();
        var losses = context.Outputs[0].Span<float>();
        var gradients = context.Outputs[1].Span<float>();
        var length = predictions.Length / losses.Length;
        var factor = 2f / predictions.Length;
        for (var n = 0; n < losses.Length; n++)
        {
            var sum = 0.0;
            for (var i = n * length; i < (n + 1) * length; i++)
            {
                var distance = predictions[i] - targets[i];
                gradients[i] = factor * distance;
                sum += (double)distance * distance;
            }

            losses[n] = (float)(sum / length);
        }
    }
}
