namespace SeparableConv.Networks;

/// <summary>One operator at work: what it reads and what it computes.</summary>
public sealed class Node
{
    private readonly Value?[] _inputs;
    private readonly Value[] _outputs;

    internal Node(string name, Operator op, Value?[] inputs, Value[] outputs)
    {
        Name = name;
        Operator = op;
        _inputs = inputs;
        _outputs = outputs;
        foreach (var output in outputs)
            output.Producer = this;
    }

    /// <summary>Its name, unique in the network.</summary>
    public string Name { get; }

    /// <summary>What it does.</summary>
    public Operator Operator { get; }

    /// <summary>What it reads, in the operator's order; null where an optional input is not there.</summary>
    public IReadOnlyList<Value?> Inputs => _inputs;

    /// <summary>What it computes.</summary>
    public IReadOnlyList<Value> Outputs => _outputs;

    /// <summary>How many numbers the parameters are that it reads; one that other nodes read too counts at each of them.</summary>
    public long ParameterCount => ParameterRule.Count(this);

    /// <summary>What running it once costs.</summary>
    public OperatorCost Cost => Operator.Cost(this);

    /// <summary>Name and operator.</summary>
    /// <returns>For example <c>block_3/dw (DepthwiseConv2D)</c>.</returns>
    public override string ToString() => $"{Name} ({Operator.Kind})";
}
