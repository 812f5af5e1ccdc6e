using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// What batch normalization multiplies by: variance (C), gamma (C) -> scale (C), scale[c] = gamma[c] / sqrt(variance[c] + epsilon).
/// </summary>
internal sealed class NormalizationScaleOperator(float epsilon) : Operator
{
    public override string Kind => "NormalizationScale";

    internal override InputRole RoleOf(int input, TensorType type) => input == 1 ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var variance = OperatorChecks.Required(inputs, 0, "variance", ElementType.Float32, 1);
        OperatorChecks.SameShape(variance, OperatorChecks.Required(inputs, 1, "gamma", ElementType.Float32, 1));
        return [variance];
    }

    internal override void Forward(ForwardContext context)
    {
        var variance = context.Inputs[0].Span<float>();
        var gamma = context.Inputs[1].Span<float>();
        var scale = context.Outputs[0].Span<float>();
        for (var c = 0; c < scale.Length; c++)
            scale[c] = (float)(gamma[c] / Math.Sqrt((double)variance[c] + epsilon));
    }

    internal override Value?[]? Gradient(GradientContext context)
    {
        var node = context.AddNode(
            "scale", new NormalizationScaleGradientOperator(epsilon), context.Output(0), context.Node.Inputs[0], context.Node.Inputs[1]);
        return [node.Outputs[0], node.Outputs[1]];
    }
}

/// <summary>
/// The gradient of <see cref="NormalizationScaleOperator"/>: that of the scale, variance and gamma (C each) -> dvariance, dgamma,
/// dvariance = -dscale*gamma / (2*(variance + epsilon)^1.5), dgamma = dscale / sqrt(variance + epsilon).
/// </summary>
internal sealed class NormalizationScaleGradientOperator(float epsilon) : Operator
{
    public override string Kind => "NormalizationScaleGradient";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var type = OperatorChecks.Required(inputs, 1, "variance");
        return [type, type];
    }

    internal override void Forward(ForwardContext context)
    {
        var gradient = context.Inputs[0].Span<float>();
        var variance = context.Inputs[1].Span<float>();
        var gamma = context.Inputs[2].Span<float>();
        var varianceGradient = context.Outputs[0].Span<float>();
        var gammaGradient = context.Outputs[1].Span<float>();
        for (var c = 0; c < gradient.Length; c++)
        {
            var square = (double)variance[c] + epsilon;
            var root = Math.Sqrt(square);
            varianceGradient[c] = (float)(-0.5 * gradient[c] * gamma[c] / (square * root));
            gammaGradient[c] = (float)(gradient[c] / root);
        }
    }
}
