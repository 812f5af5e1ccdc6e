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

    /// <summary>An input of the node, which is there.</summary>
    public Value Input(int index) => node.Inputs[index]!;

    /// <summary>The gradient of an output; null where nothing depends on that output.</summary>
    public Value? Output(int index) => outputs[index];

    /// <summary>Whether the gradient of an input is needed.</summary>
    public bool Wants(int input) => input < wanted.Length && wanted[input];

    /// <summary>Adds a node of several outputs.</summary>
    public Node AddNode(string what, Operator op, params ReadOnlySpan<Value?> inputs) =>
        graph.AddNode($"{node.Name}/gradient/{what}", op, inputs);

    /// <summary>No gradient for any input, as where the outputs do not change with small changes of the inputs.</summary>
    public Value?[] Nothing() => new Value?[node.Inputs.Count];

    /// <summary>Adds a node, called after the forward node and what it computes.</summary>
    public Value Add(string what, Operator op, params ReadOnlySpan<Value?> inputs) => graph.Add($"{node.Name}/gradient/{what}", op, inputs);

    /// <summary>A value in another shape of as many elements; itself where it has that shape.</summary>
    public Value Reshape(Value value, TensorShape shape) =>
        value.Shape == shape ? value : Add("shaped", new ReshapeOperator(shape), value);

    /// <summary>
    /// The gradient of a value that was broadcast, from the gradient of what it became: summed along the dimensions that were repeated.
    /// </summary>
    /// <param name="gradient">Of the shape that the value was broadcast to.</param>
    /// <param name="shape">The value's own.</param>
    public Value SumTo(Value gradient, TensorShape shape)
    {
        var added = gradient.Shape.Rank - shape.Rank;
        var axes = new List<int>();
        for (var i = 0; i < gradient.Shape.Rank; i++)
        {
            if (gradient.Shape[i] != 1 && (i < added || shape[i - added] == 1))
                axes.Add(i);
        }

        var sum = axes.Count == 0 ? gradient : Add("sum", new ReduceOperator(ReduceKind.Sum, [.. axes], keepDimensions: false), gradient);
        return Reshape(sum, shape);
    }
}
