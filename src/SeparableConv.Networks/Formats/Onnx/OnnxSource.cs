using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>A node as the file has it, or as it was put in the place of a function's call.</summary>
/// <param name="Proto">The node.</param>
/// <param name="Opset">The version of ONNX's operators that it is written in: a function may be in another than the model.</param>
internal sealed record OnnxSource(NodeProto Proto, int Opset)
{
    /// <summary>Every name that the node reads, those that its branches read from around them included.</summary>
    public IEnumerable<string> Reads() => Reads(Proto);

    private static IEnumerable<string> Reads(NodeProto node)
    {
        foreach (var input in node.Input)
            yield return input;
        foreach (var graph in node.Attribute.Select(attribute => attribute.G).OfType<GraphProto>())
        {
            // Names that a branch makes itself are among them. They differ from those around it, and so do no harm.
            foreach (var name in graph.Node.SelectMany(Reads).Concat(graph.Output.Select(output => output.Name)))
                yield return name;
        }
    }
}
