using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Inference;

/// <summary>
/// The nodes of a network that a run may leave out: a Where of one condition for all elements, such as an If becomes whose branches both
/// stand in the graph, reads one of its choices, and what leads to the other alone, behind the condition, is not computed. Of a choice
/// inside a branch that is taken both sides are.
/// </summary>
/// <remarks>The condition is in memory as long as what it guards: the Where comes last, and reads it too.</remarks>
internal sealed class BranchGuards
{
    // A branch of less than this is computed as soon as it is asked for.
    private const long LeastMacs = 1024;

    private readonly Network _network;
    private readonly Dictionary<Node, BranchGuard> _guards = [];
    private readonly Dictionary<Node, int> _positions = [];
    private readonly Dictionary<Value, List<Node>> _readers = [];
    private readonly HashSet<Value> _kept;

    private BranchGuards(Network network)
    {
        _network = network;
        _kept = [.. network.Outputs, .. network.States.Select(state => state.Next)];
        for (var i = 0; i < network.Nodes.Count; i++)
        {
            _positions[network.Nodes[i]] = i;
            foreach (var input in network.Nodes[i].Inputs)
            {
                if (input is not null && !_readers.TryAdd(input, [network.Nodes[i]]))
                    _readers[input].Add(network.Nodes[i]);
            }
        }
    }

    /// <summary>Finds them, in a network whose nodes run in the order that they have.</summary>
    public static BranchGuards Find(Network network)
    {
        var guards = new BranchGuards(network);

        // The last first: a choice inside another's branch is left out with it.
        foreach (var node in network.Nodes.Reverse())
        {
            if (node.Operator is WhereOperator && Viewed(node.Inputs[0]!) is { IsStored: false, Type.Shape.ElementCount: 1 } condition)
            {
                guards.Guard(node, condition, choice: 1);
                guards.Guard(node, condition, choice: 2);
            }
        }

        return guards;
    }

    /// <summary>When a node must run; null for always.</summary>
    public BranchGuard? Of(Node node) => _guards.TryGetValue(node, out var guard) ? guard : null;

    // Only what runs behind the condition can ask for it.
    private void Guard(Node where, Value condition, int choice)
    {
        var branch = new HashSet<Node>();
        var first = condition.Producer is { } producer ? _positions[producer] + 1 : 0;
        for (var i = _positions[where] - 1; i >= first; i--)
        {
            if (_network.Nodes[i] is var node && CanBeLeftOut(node) && node.Outputs.All(output => IsReadIn(branch, output, where, choice)))
                branch.Add(node);
        }

        if (branch.Sum(node => node.Cost.Macs) < LeastMacs)
            return;
        foreach (var node in branch)
            _guards[node] = new(condition, choice == 1);
    }

    private static Value Viewed(Value value)
    {
        while (value.Producer is { Operator.Aliasing: Aliasing.View } view)
            value = view.Inputs[0]!;
        return value;
    }

    private bool CanBeLeftOut(Node node) => node.Operator.Aliasing != Aliasing.Update && !_guards.ContainsKey(node)
        && node.Outputs.All(output => !_kept.Contains(output) && !output.Type.HasOpenShape);

    // Whether a value is read by nodes of the branch, or as the choice itself, and by nobody else.
    private bool IsReadIn(HashSet<Node> branch, Value value, Node where, int choice) => _readers.TryGetValue(value, out var readers)
        && readers.TrueForAll(reader => branch.Contains(reader) || reader == where)
        && Enumerable.Range(0, where.Inputs.Count).All(input => input == choice || where.Inputs[input] != value);
}

/// <summary>When a node must run.</summary>
/// <param name="Condition">A value of one element, bool, that is computed before.</param>
/// <param name="RunsWhen">What it must be.</param>
internal readonly record struct BranchGuard(Value Condition, bool RunsWhen);
