using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// The functions that a model brings with it. A node that calls one becomes the function's own nodes, as PyTorch's exporters write
/// whole layers.
/// </summary>
internal sealed class OnnxFunctions
{
    // Functions may call functions. One that calls itself, or doubles at every level, has no end or none that is near.
    private const int MostLevels = 32;
    private const int MostNodes = 1 << 18;

    // What calls may copy, in bytes of the file's: as often as a model of real layers repeats them.
    private const long FreeBytes = 64 << 20;
    private const int CopiesOfFile = 16;
    private const int LongestPrefix = 100;

    private readonly Dictionary<(string Domain, string Name, string Overload), FunctionProto> _functions = [];
    private readonly int _opset;
    private readonly Dictionary<FunctionProto, (int Nodes, long Bytes)> _sizes = [];
    private long _bytesLeft;
    private int _nodes;

    /// <param name="model">The model.</param>
    /// <param name="opset">The version of ONNX's operators that it is written in.</param>
    public OnnxFunctions(ModelProto model, int opset)
    {
        _opset = opset;
        _bytesLeft = FreeBytes + (model.Functions.Count > 0 ? CopiesOfFile * (long)model.CalculateSize() : 0);
        foreach (var function in model.Functions)
        {
            if (!_functions.TryAdd((function.Domain, function.Name, function.Overload), function))
                throw new NetworkException($"Two functions are called '{Name(function)}'; names must differ.");
        }
    }

    /// <summary>The nodes with every call replaced.</summary>
    /// <exception cref="NetworkException">A call does not fit its function, or has no end.</exception>
    public List<OnnxSource> Expand(IEnumerable<NodeProto> nodes)
    {
        var expanded = new List<OnnxSource>();
        foreach (var node in nodes)
            Expand(node, _opset, 0, expanded);
        return expanded;
    }

    private void Expand(NodeProto node, int opset, int level, List<OnnxSource> expanded)
    {
        if (!_functions.TryGetValue((node.Domain, node.OpType, node.Overload), out var function))
        {
            expanded.Add(new(ExpandBranches(node, opset, level), opset));
            return;
        }

        var (nodes, bytes) = SizeOf(function);
        if (level == MostLevels || (_nodes += nodes) > MostNodes || (_bytesLeft -= bytes) < 0)
        {
            throw new NetworkException(
                $"Function '{Name(function)}' calls functions more than {MostLevels} levels deep, or the model becomes more than "
                + $"{MostNodes} nodes or many times the file.");
        }

        if (node.Input.Count > function.Input.Count || node.Output.Count > function.Output.Count)
        {
            throw new NetworkException(
                $"In node '{OneLine.Of(node.Name)}': {node.Input.Count} inputs and {node.Output.Count} outputs are named; function "
                + $"'{Name(function)}' has {function.Input.Count} and {function.Output.Count}.");
        }

        var inner = Body(node, function, _nodes);
        var innerOpset = OnnxModelReader.OpsetOf(function.OpsetImport, $"Function '{Name(function)}'", opset);
        foreach (var body in inner)
            Expand(body, innerOpset, level + 1, expanded);
    }

    // The nodes of a function with the caller's names and attributes.
    private static List<NodeProto> Body(NodeProto node, FunctionProto function, int call)
    {
        var names = new Dictionary<string, string>();
        for (var i = 0; i < function.Input.Count; i++)
            names[function.Input[i]] = i < node.Input.Count ? node.Input[i] : "";
        for (var i = 0; i < node.Output.Count; i++)
        {
            if (node.Output[i].Length > 0)
                names.TryAdd(function.Output[i], node.Output[i]);
        }

        // What is in a function is named after a value that no one else computes.
        var prefix = node.Output.FirstOrDefault(output => output.Length > 0) ?? node.Name;
        if (prefix.Length > LongestPrefix)
            prefix = $"{prefix[..LongestPrefix]}~{call}";
        string Rename(string name) => names.TryGetValue(name, out var known) ? known : $"{prefix}/{name}";

        AttributeProto? Settle(AttributeProto attribute)
        {
            if (attribute.RefAttrName.Length == 0)
                return attribute;
            var given = node.Attribute.FirstOrDefault(one => one.Name == attribute.RefAttrName)
                ?? function.AttributeProto.FirstOrDefault(one => one.Name == attribute.RefAttrName);
            if (given is null)
                return null;
            var settled = given.Clone();
            settled.Name = attribute.Name;
            return settled;
        }

        var body = new List<NodeProto>(function.Node.Count);
        foreach (var inner in function.Node)
            body.Add(OnnxRenaming.Copy(inner, prefix, Rename, Settle));

        // An output that is an input has no node that could be given its name.
        for (var i = 0; i < node.Output.Count; i++)
        {
            if (node.Output[i].Length > 0 && names[function.Output[i]] != node.Output[i])
                body.Add(OnnxRenaming.Identity(names[function.Output[i]], node.Output[i]));
        }

        return body;
    }

    private NodeProto ExpandBranches(NodeProto node, int opset, int level)
    {
        if (_functions.Count == 0 || node.Attribute.All(attribute => attribute.G is null))
            return node;
        var copy = node.Clone();
        foreach (var graph in copy.Attribute.Select(attribute => attribute.G).OfType<GraphProto>())
        {
            var inner = new List<OnnxSource>();
            foreach (var one in graph.Node)
                Expand(one, opset, level, inner);
            if (inner.Exists(source => source.Opset != opset))
                throw new NetworkException($"In node '{OneLine.Of(node.Name)}': a branch calls a function of another opset than {opset}.");
            graph.Node.Clear();
            graph.Node.AddRange(inner.Select(source => source.Proto));
        }

        return copy;
    }

    // The nodes of a body, those of its branches included, and what a copy takes with names that begin with the caller's.
    private (int Nodes, long Bytes) SizeOf(FunctionProto function)
    {
        if (_sizes.TryGetValue(function, out var known))
            return known;
        var (nodes, bytes) = (0, 0L);
        foreach (var node in function.Node.SelectMany(node => OnnxBranches.NodesOf(node).Prepend(node)))
        {
            nodes++;
            bytes += LongestPrefix * (1L + node.Input.Count + node.Output.Count);
        }

        return _sizes[function] = (nodes, bytes + function.Node.Sum(node => (long)node.CalculateSize()));
    }

    private static string Name(FunctionProto function) => OneLine.Of($"{function.Domain}.{function.Name}");
}
