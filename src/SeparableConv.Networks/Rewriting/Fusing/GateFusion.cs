namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Lets a pointwise convolution multiply what it reads by a gate, one number a channel, as behind squeeze and excite: the whole image is
/// then neither written nor read once more.
/// </summary>
internal sealed class GateFusion : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (node.Operator is not Conv2DOperator { Options: var options } pointwise
            || inputs is not [{ Producer: { Operator: BinaryOperator product } before }, { Constant: { } weights }, ..]
            || options.Groups != 1
            || !PointwiseConv2D.Fits(new(weights.Type.Shape[0], weights.Type.Shape[1]), options)
            || product.BinaryKind != BinaryKind.Mul
            || !product.Activation.IsNone
            || !HasOneReader(node.Inputs[0])
            || (inputs.Length > 2 && inputs[2] is { IsConstant: false })
            || Gated(before.Inputs[0]!, before.Inputs[1]!) is not (var x, var gate))
        {
            return null;
        }

        var bias = inputs.Length > 2 ? inputs[2] : null;
        return [Replace(before, new GatedConv2DOperator(pointwise, hasShortcut: false), x, gate, inputs[1], bias)];
    }

    private static (Value X, Value Gate)? Gated(Value a, Value b) => IsGate(b, a) ? (a, b) : IsGate(a, b) ? (b, a) : null;

    // A gate as large as what it weighs is no gate; one of nothing has no vector that could be moved over another.
    private static bool IsGate(Value gate, Value x) => gate.Type.Element == ElementType.Float32 && x.Shape.Rank == 4
        && gate.Shape == new TensorShape(x.Shape[0], 1, 1, x.Shape[3]) && gate.Shape.ElementCount > 0
        && x.Shape.ElementCount > gate.Shape.ElementCount;
}
