namespace SeparableConv.Networks.Rewriting;

/// <summary>Lets an operator apply the activation that alone reads it, in its own pass over memory.</summary>
internal sealed class ActivationFusion : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (node.Operator is not ActivationOperator { Activation: var activation } || inputs[0] is not { } x)
            return null;
        if (activation.IsNone)
            return [x];
        return HasOneReader(node.Inputs[0]) && x.Producer is { } before && With(before.Operator, activation) is { } op
            ? [Replace(before, op, [.. before.Inputs])]
            : null;
    }

    private static Operator? With(Operator op, Activation next)
    {
        switch (op)
        {
            case FloatConvOperator conv:
                return Joined(conv.Options.Activation, next) is { } ofConv ? conv.With(conv.Options with { Activation = ofConv }) : null;
            case ConvTranspose2DOperator conv:
                return Joined(conv.Activation, next) is { } ofTransposed ? conv.With(ofTransposed) : null;
            case DenseOperator dense:
                return Joined(dense.Activation, next) is { } ofDense ? new DenseOperator(ofDense) : null;
            case BinaryOperator binary:
                return Joined(binary.Activation, next) is { } ofBinary ? new BinaryOperator(binary.BinaryKind, ofBinary) : null;
            case ScaledSumsOperator sums:
                return Joined(sums.Activation, next) is { } ofSums ? new ScaledSumsOperator(ofSums) : null;
            case ActivationOperator alone:
                return Joined(alone.Activation, next) is { } ofBoth ? new ActivationOperator(ofBoth) : null;
            case Pool2DOperator pool when Joined(pool.Activation, next) is { } ofPool:
                return pool.With(ofPool);
            default:
                return null;
        }
    }

    /// <summary>Both, one after the other, as one; null where that is none of the activations there are.</summary>
    private static Activation? Joined(Activation first, Activation next)
    {
        if (first.IsNone)
            return next;
        return first.IsClamp && next.IsClamp
            ? Activation.Clip(
                Math.Clamp(first.LowerBound, next.LowerBound, next.UpperBound),
                Math.Clamp(first.UpperBound, next.LowerBound, next.UpperBound))
            : null;
    }
}
