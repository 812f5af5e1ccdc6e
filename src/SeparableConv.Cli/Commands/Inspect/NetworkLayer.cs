using SeparableConv.Networks.Operators;

namespace SeparableConv.Cli.Commands;

/// <summary>One row of the list of a network's layers.</summary>
/// <param name="Node">The node.</param>
/// <param name="Kind">standard, grouped, depthwise, pointwise, transposed or dense; the operator's name for anything else.</param>
/// <param name="Macs">Multiply-accumulates.</param>
/// <param name="Separable">What a standard convolution would cost as a separable one; else null.</param>
internal sealed record NetworkLayer(Node Node, string Kind, long Macs, ConvCost? Separable)
{
    private const string Standard = "standard";

    /// <summary>The shape of the node's first input; null where it has none.</summary>
    public TensorShape? Input =>
        (Node.Inputs.FirstOrDefault(input => input is { IsStored: false }) ?? Node.Inputs.FirstOrDefault(input => input is not null))
            ?.Type.Shape;

    /// <summary>The shape of the node's output.</summary>
    public TensorShape Output => Node.Outputs[0].Type.Shape;

    /// <summary>Makes the row of a node.</summary>
    /// <exception cref="InputException">A count exceeds 2^63-1.</exception>
    public static NetworkLayer Of(Node node)
    {
        try
        {
            var geometry = node.Operator.Geometry(node);
            var kind = Name(node.Operator, geometry);
            var hasBias = node.Inputs.Count > 2 && node.Inputs[^1] is { IsStored: true, Type.Shape.Rank: 1 };
            return new(node, kind, node.Cost.Macs, kind == Standard ? ConvCost.DepthwiseSeparable(geometry!.Value, bias: hasBias) : null);
        }
        catch (OverflowException e)
        {
            throw new InputException($"A count of node '{node.Name}' is too large for 64 bits.", e);
        }
    }

    private static string Name(Operator op, ConvGeometry? geometry) => (op, geometry) switch
    {
        (_, { } g) when op.Kind.Contains("Depthwise", StringComparison.Ordinal) || (g.Groups > 1 && g.Groups == g.InChannels) =>
            "depthwise",
        (_, { Groups: > 1 }) => "grouped",
        (_, { Kernel: { Height: 1, Width: 1 } }) => "pointwise",
        (_, not null) => Standard,
        (ConvTranspose2DOperator or TFLiteConvTranspose2DOperator, _) => "transposed",
        (DenseOperator or GemmOperator or MatMulOperator or QuantizedDenseOperator or IntegerMatMulOperator, _) => "dense",
        _ => op.Kind,
    };
}
