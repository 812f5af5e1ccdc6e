using SeparableConv.Activations;
using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Writes activations, fused or by themselves, as nodes.</summary>
internal static class ActivationWriter
{
    /// <summary>Applies an activation to a tensor.</summary>
    /// <param name="output">The graph.</param>
    /// <param name="activation">The function.</param>
    /// <param name="tensor">What it is applied to.</param>
    /// <param name="name">The result's name.</param>
    /// <param name="rank">The tensor's dimensions.</param>
    /// <param name="first">Whether its channels are dimension 1 and not the last.</param>
    /// <returns>The result, which is the tensor itself where the function changes nothing.</returns>
    public static string Apply(OnnxOutput output, Activation activation, string tensor, string name, int rank, bool first)
    {
        var (kind, alpha, beta) = activation.Function;
        switch (kind)
        {
            case ActivationKind.Clamp:
                return Clamp(output, activation.LowerBound, activation.UpperBound, tensor, name);
            case ActivationKind.LeakyReLU:
                return output.Node("LeakyRelu", name, [tensor], Attribute("alpha", alpha));
            case ActivationKind.PReLU:
                var slopes = activation.Slopes.ToArray();
                return output.Node("PRelu", name, [tensor, first
                    ? output.Constant($"{name}/slopes", slopes, slopes.Length, 1, 1)
                    : output.Constant($"{name}/slopes", slopes, slopes.Length)]);
            case ActivationKind.ELU:
                return output.Node("Elu", name, [tensor], Attribute("alpha", alpha));
            case ActivationKind.HardSwish:
                return output.Node("HardSwish", name, [tensor]);
            case ActivationKind.HardSigmoid:
                return output.Node("HardSigmoid", name, [tensor], Attribute("alpha", alpha), Attribute("beta", beta));
            case ActivationKind.Sigmoid:
                return output.Node("Sigmoid", name, [tensor]);
            case ActivationKind.Tanh:
                return output.Node("Tanh", name, [tensor]);
            default:
                return output.Node("Softmax", name, [tensor], Attribute("axis", first ? 1 : rank - 1));
        }
    }

    /// <summary>Whether a function changes nothing.</summary>
    public static bool IsNone(Activation activation) =>
        activation.IsClamp && float.IsNegativeInfinity(activation.LowerBound) && float.IsPositiveInfinity(activation.UpperBound);

    private static string Clamp(OnnxOutput output, float lower, float upper, string tensor, string name)
    {
        if (float.IsPositiveInfinity(upper))
            return float.IsNegativeInfinity(lower) ? tensor : lower == 0 ? output.Node("Relu", name, [tensor]) : output.Node("Clip", name, [tensor, output.Constant($"{name}/min", [lower])]);
        var minimum = float.IsNegativeInfinity(lower) ? "" : output.Constant($"{name}/min", [lower]);
        return output.Node("Clip", name, [tensor, minimum, output.Constant($"{name}/max", [upper])]);
    }
}
