using SeparableConv.Networks.Gradients;

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

    /// <summary>
    /// dx is the gradients of the pieces one after another. A piece that nobody reads is zeros, which its neighbour brings.
    /// </summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        var rank = context.Input(0).Shape.Rank;
        var along = TensorAxis.Resolve(axis, rank);
        var (parts, before) = (new List<Value>(), 0);
        for (var i = 0; i < sizes.Length; i++)
        {
            if (context.Output(i) is not { } dy)
            {
                // In front of the first piece; those behind a piece were brought by it.
                before += parts.Count == 0 ? sizes[i] : 0;
                continue;
            }

            var after = 0;
            for (var next = i + 1; next < sizes.Length && context.Output(next) is null; next++)
                after += sizes[next];
            if (before + after > 0)
            {
                var (front, back) = (new int[rank], new int[rank]);
                (front[along], back[along]) = (before, after);
                dy = context.Add("padded", new PadOperator(front, back, PadMode.Constant, 0), dy);
            }

            parts.Add(dy);
            before = 0;
        }

        return [parts.Count == 1 ? parts[0] : context.Add("input", new ConcatOperator(along), [.. parts])];
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
