namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Makes nodes of the activations that layers apply to their own sums, so that each has a gradient by itself: the mirror image of
/// <see cref="ActivationFusion"/>.
/// </summary>
internal sealed class ActivationSplitting : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (Split(node.Operator) is not ({ } op, { IsNone: false } activation))
            return null;
        var sums = Graph.Add($"{node.Name}/sums", op, inputs);
        return [Graph.Add(node.Name, new ActivationOperator(activation), sums)];
    }

    /// <summary>
    /// An operator without its activation, and the activation; no operator where the activation stands alone, null where there is none.
    /// </summary>
    public static (Operator? Operator, Activation Activation)? Split(Operator op) => op switch
    {
        ActivationOperator alone => (null, alone.Activation),
        FloatConvOperator conv => (conv.With(conv.Options with { Activation = Activation.None }), conv.Options.Activation),
        DenseOperator dense => (new DenseOperator(Activation.None), dense.Activation),
        Pool2DOperator pool => (pool.With(Activation.None), pool.Activation),
        ConvTranspose2DOperator conv => (conv.With(Activation.None), conv.Activation),
        BinaryOperator binary => (new BinaryOperator(binary.BinaryKind, Activation.None), binary.Activation),
        _ => null,
    };
}
