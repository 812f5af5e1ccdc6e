using System.Numerics.Tensors;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// How far a network is from its teacher, and the gradient: logits (N, K), the teacher's logits (N, K), then the losses of the labels (N)
/// and the gradient of their mean (N, K), or neither -> the loss of each sample (N), the gradient of their mean by the logits (N, K).
/// </summary>
/// <remarks>
/// loss = (1 - weight) * labels' loss + weight * T^2 * sum over k of q[k] * (log q[k] - log p[k]), where q = softmax(teacher/T) and
/// p = softmax(logits/T); gradient = (1 - weight) * labels' gradient + weight * T * (p - q)/N. The factor T^2 keeps the gradient at about
/// the same size for any temperature T (G. Hinton, O. Vinyals, J. Dean, Distilling the knowledge in a neural network, 2015). In double
/// precision: of a student that is close to its teacher the sum has but small differences left.
/// </remarks>
internal sealed class DistillationOperator(float weight, float temperature) : Operator
{
    public override string Kind => "Distillation";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var logits = OperatorChecks.Required(inputs, 0, "logits", ElementType.Float32, 2);
        var (samples, classes) = (logits.Shape[0], logits.Shape[1]);
        if (samples == 0 || classes == 0)
            throw new ArgumentException($"The logits are {logits}; expected at least one sample and one class.");
        OperatorChecks.SameShape(logits, OperatorChecks.Required(inputs, 1, "teacher's logits", ElementType.Float32, 2));
        var losses = new TensorType(ElementType.Float32, new TensorShape(samples));
        if (inputs.Length > 2)
        {
            OperatorChecks.SameShape(losses, OperatorChecks.Required(inputs, 2, "losses of the labels", ElementType.Float32, 1));
            OperatorChecks.SameShape(logits, OperatorChecks.Required(inputs, 3, "gradient of the labels", ElementType.Float32, 2));
        }

        return [losses, logits];
    }

    internal override OperatorCost Cost(Node node) => new(0, 8 * node.Inputs[0]!.Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var (samples, classes) = (context.Inputs[0].Shape[0], context.Inputs[0].Shape[1]);
        var hasLabels = context.Inputs.Length > 2;
        var losses = context.Outputs[0].Span<float>();
        var gradients = context.Outputs[1].Span<float>();
        for (var n = 0; n < samples; n++)
        {
            var logits = context.Inputs[0].Span<float>().Slice(n * classes, classes);
            var teacher = context.Inputs[1].Span<float>().Slice(n * classes, classes);
            var gradient = gradients.Slice(n * classes, classes);
            losses[n] = (float)(weight * (double)temperature * temperature * Divergence(logits, teacher, gradient, samples));
            if (!hasLabels)
                continue;
            losses[n] += (1 - weight) * context.Inputs[2].Span<float>()[n];
            var labels = context.Inputs[3].Span<float>().Slice(n * classes, classes);
            TensorPrimitives.MultiplyAdd(labels, 1 - weight, gradient, gradient);
        }
    }

    // The sum over k of a sample, and its part of the gradient; by distances from the largest logit, so that nothing overflows.
    private double Divergence(ReadOnlySpan<float> logits, ReadOnlySpan<float> teacher, Span<float> gradient, int samples)
    {
        double largest = TensorPrimitives.Max(logits), teachersLargest = TensorPrimitives.Max(teacher);
        double total = 0, teachersTotal = 0;
        for (var k = 0; k < logits.Length; k++)
        {
            total += Math.Exp((logits[k] - largest) / temperature);
            teachersTotal += Math.Exp((teacher[k] - teachersLargest) / temperature);
        }

        var (log, teachersLog) = (Math.Log(total), Math.Log(teachersTotal));
        var scale = weight * (double)temperature / samples;
        var sum = 0.0;
        for (var k = 0; k < logits.Length; k++)
        {
            var logP = ((logits[k] - largest) / temperature) - log;
            var logQ = ((teacher[k] - teachersLargest) / temperature) - teachersLog;
            var q = Math.Exp(logQ);
            sum += q * (logQ - logP);
            gradient[k] = (float)(scale * (Math.Exp(logP) - q));
        }

        return sum;
    }
}
