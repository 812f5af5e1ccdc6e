using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A regular part of a tensor: y[i_0, i_1, ...] = x[starts_0 + i_0*steps_0, ...], with a start, a step and a length for every dimension.
/// </summary>
/// <remarks>Steps may be negative. Starts and lengths are numbers from the front, already cut to the input.</remarks>
internal sealed class SliceOperator(int[] starts, int[] steps, int[] lengths) : ShapeOperator
{
    public override string Kind => "Slice";

    /// <summary>The first index of each dimension.</summary>
    public ReadOnlySpan<int> Starts => starts;

    /// <summary>From one index to the next.</summary>
    public ReadOnlySpan<int> Steps => steps;

    /// <summary>The output's lengths.</summary>
    public ReadOnlySpan<int> Lengths => lengths;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = ShapeRules.Only(inputs);
        var rank = input.Shape.Rank;
        if (starts.Length != rank || steps.Length != rank || lengths.Length != rank)
        {
            throw new ArgumentException(
                $"The input {input.Shape} has {rank} dimensions but {starts.Length} starts, {steps.Length} steps and "
                + $"{lengths.Length} lengths were given.");
        }

        for (var d = 0; d < rank; d++)
        {
            var last = starts[d] + ((lengths[d] - 1L) * steps[d]);
            if (lengths[d] > 0 && (starts[d] < 0 || starts[d] >= input.Shape[d] || last < 0 || last >= input.Shape[d]))
            {
                throw new ArgumentException(
                    $"Dimension {d} of the input {input.Shape} is read from {starts[d]} to {last}; it has 0 to {input.Shape[d] - 1}.");
            }
        }

        return [ShapeRules.Moved(input, new TensorShape(lengths))];
    }

    /// <summary>dx is dy where the slice read, else 0. One that reads an element again and again has none.</summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        for (var d = 0; d < steps.Length; d++)
        {
            if (steps[d] == 0 && lengths[d] > 1)
                return null;
        }

        return [context.Add("input", new SliceGradientOperator(context.Input(0).Shape, starts, steps), context.Output(0))];
    }

    private protected override Step Plan(TensorType[] inputs)
    {
        var strides = ShapeRules.Strides(inputs[0].Shape);
        var source = new long[strides.Length];
        long offset = 0;
        for (var d = 0; d < strides.Length; d++)
        {
            source[d] = strides[d] * steps[d];
            offset += lengths[d] > 0 ? strides[d] * starts[d] : 0;
        }

        var copy = new StridedCopy(lengths, source, ShapeRules.Strides(new TensorShape(lengths)), inputs[0].Element.Size(), offset);
        return new StridedCopyStep((copy, 0, 0));
    }
}
