namespace SeparableConv.Networks.Gradients;

/// <summary>What an operator needs to add the gradient of one node to a graph.</summary>
/// <param name="graph">The graph, which has the node already.</param>
/// <param name="node">The node.</param>
/// <param name="outputs">The gradient of each of its outputs; null where nothing depends on that output.</param>
/// <param name="wanted">For each of its inputs, whether somebody needs its gradient.</param>
internal sealed class GradientContext(GraphBuilder graph, Node node, Value?[] outputs, bool[] wanted)
{
    /// <summary>The node whose gradient is added.</summary>
    public Node Node => node;

    /// <summary>The gradient of an output; null where nothing depends on that output.</summary>
    public Value? Output(int index) => outputs[index];

    /// <summary>Whether the gradient of an input is needed.</summary>
    public bool Wants(int input) => input < wanted.Length && wanted[input];

    /// <summary>Adds a node of several outputs.</summary>
    public Node AddNode(string what, Operator op, params ReadOnlySpan<Value?> inputs) =>
        graph.AddNode($"{node.Name}/gradient/{what}", op, inputs);

    /// <summary>Adds a node, called after the forward node and what it computes.</summary>
    public Value Add(string what, Operator op, params ReadOnlySpan<Value?> inputs) => graph.Add($"{node.Name}/gradient/{what}", op, inputs);
}
