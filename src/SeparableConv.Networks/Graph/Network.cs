namespace SeparableConv.Networks;

/// <summary>
/// A graph of operators whose tensors all have known shapes. It never changes: what transforms a network returns another.
/// Images are (N, height, width, channels) throughout.
/// </summary>
public sealed class Network
{
    private readonly Value[] _inputs;
    private readonly Value[] _outputs;
    private readonly Node[] _nodes;

    internal Network(string name, Value[] inputs, Value[] outputs, Node[] nodes)
    {
        Name = name;
        _inputs = inputs;
        _outputs = outputs;
        _nodes = nodes;
    }

    /// <summary>Its name; may be empty.</summary>
    public string Name { get; }

    /// <summary>What must be given to run it.</summary>
    public IReadOnlyList<Value> Inputs => _inputs;

    /// <summary>What running it gives.</summary>
    public IReadOnlyList<Value> Outputs => _outputs;

    /// <summary>Every node after those whose results it reads.</summary>
    public IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>Number of parameters: every constant that a training could change, counted once.</summary>
    public long Parameters
    {
        get
        {
            var seen = new HashSet<Value>();
            long count = 0;
            foreach (var node in _nodes)
            {
                for (var i = 0; i < node.Inputs.Count; i++)
                {
                    if (node.Inputs[i] is { IsParameter: true } value && node.Operator.CountsAsParameters(i) && seen.Add(value))
                        count += value.Shape.ElementCount;
                }
            }

            return count;
        }
    }

    /// <summary>Multiply-accumulates of one run.</summary>
    public long Macs => _nodes.Sum(node => node.Cost.Macs);
}
