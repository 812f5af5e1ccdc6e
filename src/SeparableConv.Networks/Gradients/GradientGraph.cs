namespace SeparableConv.Networks.Gradients;

/// <summary>
/// Adds the backward pass to a graph: nodes that compute gradients beside the nodes of the forward pass, from the last to the first. The
/// whole is a network like any other; it is planned, compiled, run and profiled as one.
/// </summary>
internal static class GradientGraph
{
    /// <summary>
    /// Adds what computes the gradients of a sum over some values, g = sum over v of (seed_v * v), with respect to targets. A seed is the
    /// derivative of the loss by its value.
    /// </summary>
    /// <param name="graph">The graph of the forward pass.</param>
    /// <param name="seeds">Values of the graph, and for each a value of its type.</param>
    /// <param name="targets">Inputs or parameters, mostly.</param>
    /// <returns>
    /// A gradient for each target; null where no seeded value depends on it, or only through what is level, such as a rounding.
    /// </returns>
    /// <exception cref="NetworkException">An operator between them has no gradient; the message names all of them.</exception>
    public static Value?[] Add(GraphBuilder graph, IReadOnlyList<(Value Of, Value Seed)> seeds, IReadOnlyList<Value> targets)
    {
        var forward = graph.Nodes.ToArray();
        var dependent = Dependents(forward, targets);
        var gradients = new Dictionary<Value, Value>();
        foreach (var (of, seed) in seeds)
            Accumulate(graph, gradients, of, seed);

        var lacking = new List<Node>();
        var reached = new HashSet<Value>(gradients.Keys);
        foreach (var node in forward.AsEnumerable().Reverse())
        {
            var outputs = node.Outputs.Select(output => gradients.GetValueOrDefault(output)).ToArray();
            var wanted = node.Inputs.Select(input => input is not null && dependent.Contains(input)).ToArray();
            if (!node.Outputs.Any(reached.Contains) || !Array.Exists(wanted, isWanted => isWanted))
                continue;

            // Behind a node without a gradient none arrives. Those before it are asked all the same, with their outputs in its place, so
            // that all that lack one are found; what they add is thrown away with the graph.
            if (lacking.Count > 0 && !Array.Exists(outputs, output => output is not null))
                outputs = [.. node.Outputs];
            if (node.Operator.Gradient(new(graph, node, outputs, wanted)) is not { } inputs)
            {
                lacking.Add(node);
                reached.UnionWith(node.Inputs.OfType<Value>());
                continue;
            }

            for (var i = 0; i < inputs.Length; i++)
            {
                // An input without one, such as a condition, ends the way there.
                if (inputs[i] is not { } gradient)
                    continue;
                Accumulate(graph, gradients, node.Inputs[i]!, gradient);
                reached.Add(node.Inputs[i]!);
            }
        }

        if (lacking.Count > 0)
            throw Refusal(lacking);
        return [.. targets.Select(target => gradients.GetValueOrDefault(target))];
    }

    // Everything that changes with a target, the targets among them.
    private static HashSet<Value> Dependents(Node[] nodes, IReadOnlyList<Value> targets)
    {
        var dependent = new HashSet<Value>(targets);
        foreach (var node in nodes)
        {
            if (node.Inputs.Any(input => input is not null && dependent.Contains(input)))
                dependent.UnionWith(node.Outputs);
        }

        return dependent;
    }

    private static void Accumulate(GraphBuilder graph, Dictionary<Value, Value> gradients, Value value, Value gradient)
    {
        if (gradient.Shape != value.Shape)
            throw new InvalidOperationException($"The gradient {gradient} of '{value}' has another shape.");
        gradients[value] = gradients.TryGetValue(value, out var before)
            ? graph.Add($"{value.Name}/gradient/sum", new BinaryOperator(BinaryKind.Add, Activation.None), before, gradient)
            : gradient;
    }

    private static NetworkException Refusal(List<Node> lacking)
    {
        var names = lacking.Take(8).Select(node => $"'{node.Name}' ({node.Operator.Kind})");
        return new(
            $"{lacking.Count} of the network's nodes have no gradient: {string.Join(", ", names)}{(lacking.Count > 8 ? ", ..." : "")}. "
            + "Freeze what lies before them, or take them out.");
    }
}
