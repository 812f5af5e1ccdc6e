using System.Numerics.Tensors;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Softmax and cross-entropy in one, and the gradient: logits (N, K), classes (N) int32, then a second class (N) int32 and the weight (N)
/// of the first, for pictures that are mixed, or none, and class weights (K) or none -> the loss of each sample (N), the gradient of their
/// mean by the logits (N, K).
/// </summary>
/// <remarks>
/// loss = -sum over k of t[k] * log p[k], times the sample's weight w; gradient = (p - t) * w/N. p is softmax, by distances from the
/// largest logit, so that nothing overflows. t is 1 - smoothing at the class plus smoothing/K everywhere, mixed of two classes where there
/// are two. w is the mixed weight of the classes, 1 without weights; the mean divides by N.
/// </remarks>
internal sealed class SoftmaxCrossEntropyOperator(float smoothing) : Operator
{
    public override string Kind => "SoftmaxCrossEntropy";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var logits = OperatorChecks.Required(inputs, 0, "logits", ElementType.Float32, 2);
        var (samples, classes) = (logits.Shape[0], logits.Shape[1]);
        if (samples == 0 || classes == 0)
            throw new ArgumentException($"The logits are {logits}; expected at least one sample and one class.");
        var labels = OperatorChecks.Required(inputs, 1, "classes", ElementType.Int32, 1);
        foreach (var type in new[] { labels, At(inputs, 2), At(inputs, 3) })
        {
            if (type is not null && (type.Shape.Rank != 1 || type.Shape[0] != samples))
                throw new ArgumentException($"There are {samples} samples but {type} of something that each has one of.");
        }

        if (At(inputs, 4) is not null)
            OperatorChecks.ChannelRows(inputs, 4, classes, "class weights");
        return [new(ElementType.Float32, new TensorShape(samples)), logits];
    }

    internal override OperatorCost Cost(Node node) => new(0, 4 * node.Inputs[0]!.Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var (samples, classes) = (context.Inputs[0].Shape[0], context.Inputs[0].Shape[1]);
        var logits = context.Inputs[0].Span<float>();
        var first = context.Inputs[1].Span<int>();
        var second = context.Optional(2).Span<int>();
        var mix = context.Optional(3).Span<float>();
        var weights = context.Optional(4).Span<float>();
        var losses = context.Outputs[0].Span<float>();
        var gradients = context.Outputs[1].Span<float>();
        for (var n = 0; n < samples; n++)
        {
            var share = second.IsEmpty ? 1 : mix[n];
            var other = second.IsEmpty ? first[n] : second[n];
            var weight = weights.IsEmpty ? 1 : (share * weights[first[n]]) + ((1 - share) * weights[other]);
            var row = logits.Slice(n * classes, classes);
            var gradient = gradients.Slice(n * classes, classes);

            // log p[k] = logit[k] - largest - log(sum).
            TensorPrimitives.Subtract(row, TensorPrimitives.Max(row), gradient);
            var total = 0f;
            TensorPrimitives.Exp(gradient, gradient);
            total = TensorPrimitives.Sum(gradient);
            var log = TensorPrimitives.Max(row) + MathF.Log(total);
            var plain = log - ((share * row[first[n]]) + ((1 - share) * row[other]));
            var even = log - (TensorPrimitives.Sum(row) / classes);
            losses[n] = weight * (((1 - smoothing) * plain) + (smoothing * even));

            var scale = weight / samples;
            TensorPrimitives.Multiply(gradient, scale / total, gradient);
            TensorPrimitives.Subtract(gradient, scale * smoothing / classes, gradient);
            gradient[first[n]] -= scale * (1 - smoothing) * share;
            gradient[other] -= scale * (1 - smoothing) * (1 - share);
        }
    }

    private static TensorType? At(ReadOnlySpan<TensorType?> inputs, int index) => index < inputs.Length ? inputs[index] : null;
}
