using System.Numerics;
using System.Numerics.Tensors;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A linear map along one axis: x (outer, sources, inner) -> y (outer, results, inner), y[o, i, c] = sum over the terms k of position i of
/// weight_k * x[o, position_k, c]; float32. What moves or weighs along an axis (a resize, a mean of windows, a mirrored border) has a
/// gradient of this form.
/// </summary>
/// <remarks>Each sum runs over its terms in their order, in one part.</remarks>
internal sealed unsafe class AxisSumsOperator(int axis, AxisTaps taps) : Operator
{
    public override string Kind => "AxisSums";

    /// <summary>The axis, from the back where below 0.</summary>
    public int Axis => axis;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = ShapeRules.Only(inputs);
        OperatorChecks.Takes(input.Element == ElementType.Float32, input, "float32");
        var along = TensorAxis.Resolve(axis, input.Shape.Rank);
        if (input.Shape[along] != taps.Sources)
        {
            throw new ArgumentException(
                $"Dimension {along} of the input {input.Shape} has {input.Shape[along]} positions; the sums read {taps.Sources}.");
        }

        var lengths = input.Shape.Lengths.ToArray();
        lengths[along] = taps.Results;
        return [new(input.Element, new TensorShape(lengths))];
    }

    internal override OperatorCost Cost(Node node)
    {
        var cut = TensorAxis.Cut(node.Outputs[0].Shape, axis);
        return new(0, cut.Outer * cut.Inner * taps.Count);
    }

    internal override void Forward(ForwardContext context)
    {
        var cut = TensorAxis.Cut(context.Outputs[0].Shape, axis);
        if (cut.Inner == 0)
            return;
        var work = new Work
        {
            Taps = taps,
            X = context.Inputs[0].Pointer<float>(),
            Y = context.Outputs[0].Pointer<float>(),
            Inner = checked((int)cut.Inner),
        };
        ElementParts.Run(work, cut.Outer * cut.Length, cut.Inner * (1 + (taps.Count / Math.Max(1, cut.Length))), context.Threads);
    }

    private struct Work : IRangeWork
    {
        public AxisTaps Taps;
        public float* X;
        public float* Y;
        public int Inner;

        public readonly void Run(nint start, nint end)
        {
            for (var row = start; row < end; row++)
            {
                var (outer, result) = Math.DivRem(row, Taps.Results);
                Taps.Of(result, out var positions, out var weights);
                var x = X + (outer * Taps.Sources * Inner);
                if (Inner < Vector<float>.Count)
                    RunShort(x, positions, weights, Y + (row * Inner));
                else
                    RunLong(x, positions, weights, new Span<float>(Y + (row * Inner), Inner));
            }
        }

        private readonly void RunLong(float* x, ReadOnlySpan<int> positions, ReadOnlySpan<float> weights, Span<float> y)
        {
            if (positions.IsEmpty)
                y.Clear();
            for (var k = 0; k < positions.Length; k++)
            {
                var source = new ReadOnlySpan<float>(x + ((nint)positions[k] * Inner), Inner);
                if (k == 0)
                    TensorPrimitives.Multiply(source, weights[k], y);
                else
                    TensorPrimitives.MultiplyAddEstimate(source, weights[k], y, y);
            }
        }

        private readonly void RunShort(float* x, ReadOnlySpan<int> positions, ReadOnlySpan<float> weights, float* y)
        {
            for (nint c = 0; c < Inner; c++)
            {
                var sum = 0f;
                for (var k = 0; k < positions.Length; k++)
                    sum += weights[k] * x[((nint)positions[k] * Inner) + c];
                y[c] = sum;
            }
        }
    }
}
