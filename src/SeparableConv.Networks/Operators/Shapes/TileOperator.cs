using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The tensor repeated along its dimensions: y[i_0, i_1, ...] = x[i_0 mod length_0, ...], repeats[d] times along dimension d.
/// </summary>
internal sealed class TileOperator(int[] repeats) : ShapeOperator
{
    public override string Kind => "Tile";

    /// <summary>How often, along each dimension.</summary>
    public ReadOnlySpan<int> Repeats => repeats;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = ShapeRules.Only(inputs);
        if (repeats.Length != input.Shape.Rank || Array.Exists(repeats, repeat => repeat < 0))
        {
            throw new ArgumentException(
                $"The repeats are ({string.Join(',', repeats)}); "
                + $"expected {input.Shape.Rank} numbers of 0 or more for the input {input.Shape}.");
        }

        return [ShapeRules.Moved(input, Output(input.Shape))];
    }

    /// <summary>dx is the sum of dy over the repeats, each dimension seen as (repeats, length).</summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        if (context.Output(0) is not { } dy || !dy.Type.Element.IsFloat())
            return null;
        var shape = context.Input(0).Shape;
        var (lengths, axes) = (new List<int>(), new List<int>());
        for (var d = 0; d < shape.Rank; d++)
        {
            if (repeats[d] != 1)
            {
                axes.Add(lengths.Count);
                lengths.Add(repeats[d]);
            }

            lengths.Add(shape[d]);
        }

        if (axes.Count == 0)
            return [dy];
        var pieces = context.Reshape(dy, new TensorShape([.. lengths]));
        return [context.Add("input", new ReduceOperator(ReduceKind.Sum, [.. axes], keepDimensions: false), pieces)];
    }

    private protected override Step Plan(TensorType[] inputs)
    {
        // Each dimension is two loops: over the repeats, which do not move the source, and over its elements.
        var shape = inputs[0].Shape;
        var (source, target) = (ShapeRules.Strides(shape), ShapeRules.Strides(Output(shape)));
        var lengths = new int[2 * shape.Rank];
        var (sourceStrides, targetStrides) = (new long[2 * shape.Rank], new long[2 * shape.Rank]);
        for (var d = 0; d < shape.Rank; d++)
        {
            (lengths[2 * d], lengths[(2 * d) + 1]) = (repeats[d], shape[d]);
            sourceStrides[(2 * d) + 1] = source[d];
            (targetStrides[2 * d], targetStrides[(2 * d) + 1]) = (shape[d] * target[d], target[d]);
        }

        return new StridedCopyStep((new(lengths, sourceStrides, targetStrides, inputs[0].Element.Size()), 0, 0));
    }

    private TensorShape Output(TensorShape shape)
    {
        var lengths = new int[shape.Rank];
        for (var d = 0; d < lengths.Length; d++)
            lengths[d] = ShapeRules.Length(shape[d], repeats[d]);
        return new TensorShape(lengths);
    }
}
