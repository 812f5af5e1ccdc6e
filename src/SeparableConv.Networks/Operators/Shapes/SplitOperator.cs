namespace SeparableConv.Networks.Operators;

/// <summary>Cuts a tensor along an axis into pieces of given lengths, an output each.</summary>
internal sealed class SplitOperator(int axis, int[] sizes) : ShapeOperator
{
    public override string Kind => "Split";

    /// <summary>The axis, from the back where below 0.</summary>
    public int Axis => axis;

    /// <summary>The pieces' lengths along the axis.</summary>
    public ReadOnlySpan<int> Sizes => sizes;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = ShapeRules.Only(inputs);
        var along = TensorAxis.Resolve(axis, input.Shape.Rank);
        long sum = 0;
        foreach (var size in sizes)
            sum += size;
        if (sizes.Length == 0 || sum != input.Shape[along])
        {
            throw new ArgumentException(
                $"The input {input.Shape} is cut into {sizes.Length} pieces of {sum} together; "
                + $"dimension {along} has {input.Shape[along]}.");
        }

        return Array.ConvertAll(sizes, size =>
        {
            var lengths = input.Shape.Lengths.ToArray();
            lengths[along] = size;
            return ShapeRules.Moved(input, new TensorShape(lengths));
        });
    }

    private protected override Step Plan(TensorType[] inputs)
    {
        var along = TensorAxis.Resolve(axis, inputs[0].Shape.Rank);
        var source = ShapeRules.Strides(inputs[0].Shape);
        var outputs = Infer(inputs);
        var copies = new (StridedCopy, int, int)[outputs.Length];
        long offset = 0;
        for (var i = 0; i < outputs.Length; i++)
        {
            var shape = outputs[i].Shape;
            copies[i] = (new(shape.Lengths, source, ShapeRules.Strides(shape), inputs[0].Element.Size(), offset * source[along]), 0, i);
            offset += sizes[i];
        }

        return new StridedCopyStep(copies);
    }
}
