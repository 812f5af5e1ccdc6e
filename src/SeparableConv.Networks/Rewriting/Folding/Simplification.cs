namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Takes out what changes nothing: identities and dropout, reshapes of reshapes, transposes that cancel each other. A transpose
/// that only moves dimensions of length 1 becomes a reshape, which costs nothing.
/// </summary>
internal sealed class Simplification : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        // What a quantized number stands for belongs to the value: readers look it up there.
        var output = node.Outputs[0].Type;
        if (inputs.Length == 0 || inputs[0] is not { } x || !ReferenceEquals(x.Type.Quantization, output.Quantization))
            return null;
        return node.Operator switch
        {
            TransposeOperator transpose => Transpose(node, transpose.Permutation.ToArray(), x),
            ReshapeOperator => Reshape(node, output.Shape, x),
            _ when x.Shape == output.Shape && x.Type.Element == output.Element && ChangesNothing(node, inputs) => [x],
            _ => null,
        };
    }

    /// <summary>Whether a node whose first output has the input's type and shape gives the input's numbers, and nothing else.</summary>
    private static bool ChangesNothing(Node node, Value?[] inputs) => node.Operator switch
    {
        IdentityOperator or DropoutOperator or CastOperator or ExpandOperator or TileOperator => true,
        PadOperator pad => !pad.Before.ContainsAnyExcept(0) && !pad.After.ContainsAnyExcept(0),
        SliceOperator slice => !slice.Steps.ContainsAnyExcept(1),
        ConcatOperator => inputs.Length == 1,
        SplitOperator => node.Outputs.Count == 1,
        _ => false,
    };

    private Value[]? Transpose(Node node, int[] permutation, Value x)
    {
        var source = x;
        while (source.Producer is { Operator: TransposeOperator before }
            && ReferenceEquals(source.Type.Quantization, source.Producer.Inputs[0]!.Type.Quantization))
        {
            var first = before.Permutation.ToArray();
            permutation = Array.ConvertAll(permutation, d => first[d]);
            source = source.Producer.Inputs[0]!;
        }

        if (KeepsOrder(permutation, source.Shape))
            return Reshape(node, node.Outputs[0].Shape, source)
                ?? [Graph.Add(node.Name, new ReshapeOperator(node.Outputs[0].Shape), source)];
        return source == x ? null : [Graph.Add(node.Name, new TransposeOperator(permutation), source)];
    }

    private Value[]? Reshape(Node node, TensorShape shape, Value x)
    {
        var source = x;
        while (source.Producer is { Operator: ReshapeOperator } before
            && ReferenceEquals(source.Type.Quantization, before.Inputs[0]!.Type.Quantization))
            source = before.Inputs[0]!;
        if (source.Shape == shape)
            return [source];
        return source == x ? null : [Graph.Add(node.Name, new ReshapeOperator(shape), source)];
    }

    /// <summary>Whether the dimensions that are longer than 1 stay in their order.</summary>
    private static bool KeepsOrder(int[] permutation, TensorShape shape)
    {
        var last = -1;
        foreach (var d in permutation)
        {
            if (shape[d] == 1)
                continue;
            if (d < last)
                return false;
            last = d;
        }

        return true;
    }
}
