namespace SeparableConv.Networks.Graph;

/// <summary>
/// The one rule for what a parameter is: a stored tensor that some node reads where its operator wants weights, biases, scales, slopes
/// or statistics (<see cref="Operator.RoleOf"/>), or the bytes from which such a tensor is dequantized. Every other stored tensor is a
/// constant. A parameter counts once, however many nodes read it.
/// </summary>
internal static class ParameterRule
{
    /// <summary>
    /// Makes the stored tensors that the rule names parameters. Whoever makes a network from a file or from layers calls it once.
    /// </summary>
    public static void Mark(IEnumerable<Node> nodes)
    {
        foreach (var node in nodes)
        {
            for (var i = 0; i < node.Inputs.Count; i++)
            {
                if (Source(node, i) is { Kind: ValueKind.Constant } source)
                {
                    source.MarkAs(node.Operator.RoleOf(i, node.Inputs[i]!.Type) == InputRole.Statistic
                        ? ValueKind.Statistic : ValueKind.Parameter);
                }
            }
        }
    }

    /// <summary>The parameters and statistics that some nodes read, in the order in which they are read first.</summary>
    public static List<Value> Of(params ReadOnlySpan<Node> nodes)
    {
        var (seen, all) = (new HashSet<Value>(), new List<Value>());
        foreach (var node in nodes)
        {
            for (var i = 0; i < node.Inputs.Count; i++)
            {
                if (Source(node, i) is { IsParameter: true } source && seen.Add(source))
                    all.Add(source);
            }
        }

        return all;
    }

    /// <summary>How many numbers the parameters and statistics of some nodes are.</summary>
    public static long Count(params ReadOnlySpan<Node> nodes) => Of(nodes).Sum(value => value.Shape.ElementCount);

    // The stored tensor that a node's input stands for, where the operator wants a parameter there; else null.
    private static Value? Source(Node node, int input)
    {
        if (node.Inputs[input] is not { } value || node.Operator.RoleOf(input, value.Type) == InputRole.Data)
            return null;
        return value.IsStored ? value : DequantizedConstant.Source(value);
    }
}
