namespace SeparableConv.Networks.Operators;

/// <summary>
/// The gradient of a slice: dy -> dx of the sliced tensor's shape, dx[starts_0 + i_0*steps_0, ...] = dy[i_0, ...], 0 where the slice does
/// not read.
/// </summary>
/// <param name="shape">The sliced tensor's shape.</param>
/// <param name="starts">The first index of each dimension.</param>
/// <param name="steps">From one index to the next; not 0 where a dimension has more than one.</param>
internal sealed class SliceGradientOperator(TensorShape shape, int[] starts, int[] steps) : ShapeOperator
{
    public override string Kind => "SliceGradient";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var gradient = ShapeRules.Only(inputs);
        _ = new SliceOperator(starts, steps, gradient.Shape.Lengths.ToArray()).Infer([new(gradient.Element, shape)]);
        for (var d = 0; d < steps.Length; d++)
        {
            if (steps[d] == 0 && gradient.Shape[d] > 1)
                throw new ArgumentException($"Dimension {d} is read with step 0; a slice with a gradient has steps other than 0.");
        }

        return [ShapeRules.Moved(gradient, shape)];
    }

    private protected override Step Plan(TensorType[] inputs)
    {
        if (shape.ElementCount == 0)
            return new IndexedCopyStep(null);
        var indexes = new int[shape.Rank][];
        for (var d = 0; d < indexes.Length; d++)
        {
            indexes[d] = new int[shape[d]];
            Array.Fill(indexes[d], IndexedCopy.Nothing);
            for (var i = 0; i < inputs[0].Shape[d]; i++)
                indexes[d][starts[d] + (i * steps[d])] = i;
        }

        return new IndexedCopyStep(new(inputs[0].Shape, indexes, inputs[0].Element.Size()));
    }
}
