using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Makes an ONNX model of a network.</summary>
internal sealed class OnnxModelWriter(Network network)
{
    // 19 is the first that has everything there is here: dilated average pools (19), resizing that looks at all pixels (18).
    // IR version 9 came with it.
    private const int Opset = 19;
    private const int IrVersion = 9;

    /// <summary>Writes the model.</summary>
    /// <exception cref="NetworkException">ONNX has no operator for one of the network's; the message lists them all.</exception>
    public ModelProto Write()
    {
        if (network.States.Count > 0)
            throw new NetworkException("The network remembers something from run to run, and ONNX has no such networks.");
        RefuseUnsupported();
        var output = new OnnxOutput();
        foreach (var value in network.Inputs.Concat(network.Outputs))
            output.Reserve(value.Name);
        foreach (var stored in network.Nodes.SelectMany(node => node.Inputs).Where(input => input is { IsStored: true }))
            output.ReserveStored(stored!.Name);
        foreach (var input in network.Inputs)
        {
            output.Graph.Input.Add(Info(input));
            output.SetAsIs(input, input.Name);
        }

        foreach (var node in network.Nodes)
        {
            // Those are written in the layout that their reader wants, when it comes.
            if (!DequantizedConstant.Is(node.Outputs[0]))
                OnnxOperators.Write(output, node);
        }

        NameOutputs(output);
        output.Graph.Name = network.Name.Length > 0 ? network.Name : "network";
        var model = new ModelProto
        {
            IrVersion = IrVersion,
            ProducerName = "SeparableConv",
            Graph = output.Graph,
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = Opset } },
        };
        foreach (var domain in output.Graph.Node.Select(node => node.Domain).Where(domain => domain.Length > 0).Distinct())
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = domain, Version = 1 });
        foreach (var (key, value) in network.Metadata)
            model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        return model;
    }

    private void RefuseUnsupported()
    {
        var refused = network.Nodes.Where(node => OnnxOperators.Refusal(node) is not null).ToArray();
        if (refused.Length == 0)
            return;
        var first = refused.Take(8).Select(node => $"'{OneLine.Of(node.Name)}' ({node.Operator.Kind}): {OnnxOperators.Refusal(node)}");
        var end = refused.Length > 8 ? "; ..." : ".";
        throw new NetworkException($"ONNX has no operator for {refused.Length} of the network's nodes: {string.Join("; ", first)}{end}");
    }

    // Each output gets the name that the network knows it by: the tensor that is it is renamed, where nobody else has it as an output.
    private void NameOutputs(OnnxOutput output)
    {
        var names = new Dictionary<string, string>();
        var taken = new HashSet<string>(network.Inputs.Select(input => input.Name));
        taken.UnionWith(output.Graph.Initializer.Select(tensor => tensor.Name));
        foreach (var value in network.Outputs)
        {
            output.Graph.Output.Add(Info(value));
            var tensor = output.AsIs(value);

            // An output may be an input, by the same name.
            if (tensor == value.Name && network.Inputs.Contains(value))
                continue;
            if (taken.Contains(tensor) || value.IsConstant || !names.TryAdd(tensor, value.Name))
            {
                output.Graph.Node.Add(
                    new NodeProto { OpType = "Identity", Name = value.Name, Input = { tensor }, Output = { value.Name } });
            }
        }

        foreach (var node in output.Graph.Node)
        {
            Rename(node.Input, names);
            Rename(node.Output, names);
        }
    }

    private static void Rename(IList<string> tensors, Dictionary<string, string> names)
    {
        for (var i = 0; i < tensors.Count; i++)
        {
            if (names.TryGetValue(tensors[i], out var name))
                tensors[i] = name;
        }
    }

    private static ValueInfoProto Info(Value value)
    {
        var tensor = new TypeProto.Types.Tensor { ElemType = OnnxElements.Write(value.Type.Element), Shape = new TensorShapeProto() };
        foreach (var length in value.Shape.Lengths)
            tensor.Shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = length });
        return new ValueInfoProto { Name = value.Name, Type = new TypeProto { TensorType = tensor } };
    }
}
