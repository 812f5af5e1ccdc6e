using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Copies nodes of a function or a branch to where they are put, with names that are no one else's.</summary>
internal static class OnnxRenaming
{
    /// <summary>A copy of a node, and of the branches it has.</summary>
    /// <param name="node">The node, which stays as it is.</param>
    /// <param name="prefix">Stands before the node's own name.</param>
    /// <param name="rename">The new name of a value.</param>
    /// <param name="attributes">What the node's attributes become; null where they stay.</param>
    public static NodeProto Copy(
        NodeProto node, string prefix, Func<string, string> rename, Func<AttributeProto, AttributeProto?>? attributes = null)
    {
        var copy = node.Clone();
        if (copy.Name.Length > 0)
            copy.Name = $"{prefix}/{copy.Name}";
        for (var i = 0; i < copy.Input.Count; i++)
            copy.Input[i] = Renamed(copy.Input[i], rename);
        for (var i = 0; i < copy.Output.Count; i++)
            copy.Output[i] = Renamed(copy.Output[i], rename);
        for (var i = copy.Attribute.Count - 1; i >= 0; i--)
        {
            if ((attributes is null ? copy.Attribute[i] : attributes(copy.Attribute[i])) is not { } attribute)
            {
                copy.Attribute.RemoveAt(i);
                continue;
            }

            if (attribute.G is { } graph)
            {
                attribute = attribute.Clone();
                attribute.G = Copy(graph, prefix, rename, attributes);
            }

            copy.Attribute[i] = attribute;
        }

        return copy;
    }

    /// <summary>A node that gives a value another name.</summary>
    public static NodeProto Identity(string from, string to) => new() { OpType = "Identity", Input = { from }, Output = { to } };

    private static GraphProto Copy(
        GraphProto graph, string prefix, Func<string, string> rename, Func<AttributeProto, AttributeProto?>? attributes)
    {
        var copy = graph.Clone();
        for (var i = 0; i < copy.Node.Count; i++)
            copy.Node[i] = Copy(copy.Node[i], prefix, rename, attributes);
        foreach (var tensor in copy.Initializer)
            tensor.Name = Renamed(tensor.Name, rename);
        foreach (var value in copy.Input.Concat(copy.Output))
            value.Name = Renamed(value.Name, rename);
        return copy;
    }

    // An empty name stands for what is left out.
    private static string Renamed(string name, Func<string, string> rename) => name.Length == 0 ? name : rename(name);
}
