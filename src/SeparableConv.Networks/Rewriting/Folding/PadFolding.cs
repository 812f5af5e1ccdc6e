namespace SeparableConv.Networks.Rewriting;

/// <summary>Lets a convolution or a mean read the zeros of a Pad before it as a border of its own.</summary>
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
        Pool2DOperator { PoolKind: PoolKind.Average, CeilMode: false } pool => Padded(pool, pad, inputs[0]!.Shape),
        _ => null,
    };

    // A mean over zeros that were put there counts them; so must it where they are its own border.
    private static Pool2DOperator? Padded(Pool2DOperator pool, PadOperator pad, TensorShape padded)
    {
        var geometry = pool.Geometry(padded);
        return pool.CountIncludePad || (geometry.Rows is { PadBefore: 0, PadAfter: 0 } && geometry.Columns is { PadBefore: 0, PadAfter: 0 })
            ? new(
                PoolKind.Average,
                pool.Kernel,
                pool.Stride,
                pool.Dilation,
                Sum(pad, geometry),
                ceilMode: false,
                countIncludePad: true,
                pool.Activation)
            : null;
    }

    /// <summary>The pad's border and, inside the sizes that it gave, the convolution's own.</summary>
    private static Padding Sum(PadOperator pad, in ConvGeometry geometry) => Padding.Explicit(
        checked(pad.Before[1] + geometry.Rows.PadBefore),
        checked(pad.After[1] + geometry.Rows.PadAfter),
        checked(pad.Before[2] + geometry.Columns.PadBefore),
        checked(pad.After[2] + geometry.Columns.PadAfter));
}
