using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Inference;

/// <summary>Lets a convolution read the zeros of a Pad before it as a border of its own.</summary>
internal sealed class PadFolding : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (inputs.Length == 0 || inputs[0]?.Producer is not { Operator: PadOperator pad } before || !IsBorderOfZeros(pad))
            return null;
        var op = Padded(node.Operator, pad, inputs);
        return op is null ? null : [Graph.Add(node.Name, op, [before.Inputs[0], .. inputs.AsSpan(1)])];
    }

    private static bool IsBorderOfZeros(PadOperator pad) =>
        pad.Mode == PadMode.Constant
        && pad.ConstantValue == 0
        && pad.Before is [0, >= 0, >= 0, 0]
        && pad.After is [0, >= 0, >= 0, 0];

    /// <summary>The operator that reads the border itself; null where none can.</summary>
    private static Operator? Padded(Operator op, PadOperator pad, Value?[] inputs) => op switch
    {
        FloatConvOperator conv => conv.With(conv.Options with { Padding = Sum(pad, conv.Geometry(inputs[0]!.Type, inputs[1]!.Type)) }),
        _ => null,
    };

    /// <summary>The pad's border and, inside the sizes that it gave, the convolution's own.</summary>
    private static Padding Sum(PadOperator pad, in ConvGeometry geometry) => Padding.Explicit(
        checked(pad.Before[1] + geometry.Rows.PadBefore),
        checked(pad.After[1] + geometry.Rows.PadAfter),
        checked(pad.Before[2] + geometry.Columns.PadBefore),
        checked(pad.After[2] + geometry.Columns.PadAfter));
}
