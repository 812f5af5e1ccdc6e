using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>Tensors one after another along an axis. All other lengths, the element types and the quantizations must be equal.</summary>
internal sealed class ConcatOperator(int axis) : ShapeOperator
{
    public override string Kind => "Concatenate";

    /// <summary>The axis, from the back where below 0.</summary>
    public int Axis => axis;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var first = OperatorChecks.Required(inputs, 0, "first input");
        var along = TensorAxis.Resolve(axis, first.Shape.Rank);
        var lengths = first.Shape.Lengths.ToArray();
        for (var i = 1; i < inputs.Length; i++)
        {
            var next = OperatorChecks.Required(inputs, i, "next input");
            if (next.Element != first.Element || next.Shape.Rank != first.Shape.Rank || !EqualBeside(next.Shape, first.Shape, along))
                throw new ArgumentException($"Input {i} is {next} but input 0 is {first}; they may differ in dimension {along} only.");
            if (!SameScale(next.Quantization, first.Quantization))
            {
                throw new ArgumentException(
                    $"Input {i} has {Words(next.Quantization)} but input 0 has {Words(first.Quantization)}; requantize one of them first.");
            }

            lengths[along] = checked(lengths[along] + next.Shape[along]);
        }

        return [ShapeRules.Moved(first, new TensorShape(lengths))];
    }

    /// <summary>The gradient of each input is the part of dy that lies where the input lies in the output.</summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        var (dy, gradients) = (context.Output(0)!, context.Nothing());
        var rank = dy.Shape.Rank;
        var along = TensorAxis.Resolve(axis, rank);
        var (starts, steps) = (new int[rank], new int[rank]);
        Array.Fill(steps, 1);
        for (var i = 0; i < gradients.Length; i++)
        {
            var shape = context.Input(i).Shape;
            if (context.Wants(i))
                gradients[i] = context.Add("part", new SliceOperator([.. starts], steps, shape.Lengths.ToArray()), dy);
            starts[along] += shape[along];
        }

        return gradients;
    }

    private protected override Step Plan(TensorType[] inputs)
    {
        var along = TensorAxis.Resolve(axis, inputs[0].Shape.Rank);
        var target = ShapeRules.Strides(Infer(inputs)[0].Shape);
        var copies = new (StridedCopy, int, int)[inputs.Length];
        long offset = 0;
        for (var i = 0; i < inputs.Length; i++)
        {
            var shape = inputs[i].Shape;
            copies[i] = (new(shape.Lengths, ShapeRules.Strides(shape), target, inputs[i].Element.Size(), 0, offset * target[along]), i, 0);
            offset += shape[along];
        }

        return new StridedCopyStep(copies);
    }

    private static bool EqualBeside(TensorShape a, TensorShape b, int axis) =>
        a.Lengths[..axis].SequenceEqual(b.Lengths[..axis]) && a.Lengths[(axis + 1)..].SequenceEqual(b.Lengths[(axis + 1)..]);

    private static bool SameScale(Quantization? a, Quantization? b) => a is null || b is null
        ? a is null && b is null
        : a.Scales.SequenceEqual(b.Scales) && a.ZeroPoints.SequenceEqual(b.ZeroPoints);

    private static string Words(Quantization? quantization) => quantization?.ToString() ?? "no scale";
}
