using System.Numerics.Tensors;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The gradient of a gather along an axis: dy (outer..., j..., inner...), indices (j...) int32 or int64 -> dx (outer..., length, inner...),
/// dx[o, i, c] = sum over the j with indices[j] = i of dy[o, j, c]; float32. An index below 0 counts from the back.
/// </summary>
/// <remarks>
/// Parts are cut along outer and inner dimensions, so that each element is summed by one part, in the order of the indices.
/// </remarks>
/// <param name="axis">The axis, from the front.</param>
/// <param name="length">How long it is in the tensor that was gathered from.</param>
internal sealed unsafe class GatherGradientOperator(int axis, int length) : Operator
{
    private const int ColumnsInItem = 32;

    public override string Kind => "GatherGradient";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (gradient, indices) = (OperatorChecks.Required(inputs, 0, "gradient"), OperatorChecks.Required(inputs, 1, "indices"));
        OperatorChecks.Takes(gradient.Element == ElementType.Float32, gradient, "float32");
        OperatorChecks.Takes(indices.Element is ElementType.Int32 or ElementType.Int64, indices, "int32 or int64");
        var lengths = gradient.Shape.Lengths;
        var rank = indices.Shape.Rank;
        if (lengths.Length < axis + rank || !lengths.Slice(axis, rank).SequenceEqual(indices.Shape.Lengths))
            throw new ArgumentException($"The gradient {gradient.Shape} does not have the indices' shape {indices.Shape} at axis {axis}.");
        int[] shape = [.. lengths[..axis], length, .. lengths[(axis + rank)..]];
        return [new(gradient.Element, new TensorShape(shape))];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Inputs[0]!.Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var (dy, indices, dx) = (context.Inputs[0], context.Inputs[1], context.Outputs[0]);
        var cut = TensorAxis.Cut(dx.Shape, axis);
        var work = new Work
        {
            Gradient = dy.Pointer<float>(),
            Indices = indices,
            Result = dx.Pointer<float>(),
            Count = (nint)indices.Shape.ElementCount,
            Length = length,
            Inner = (nint)cut.Inner,
            ItemsInRow = (nint)(cut.Inner + ColumnsInItem - 1) / ColumnsInItem,
        };
        ElementParts.Run(work, cut.Outer * work.ItemsInRow, Math.Min(cut.Inner, ColumnsInItem) * (work.Count + length), context.Threads);
    }

    private struct Work : IRangeWork
    {
        public float* Gradient;
        public TensorBuffer Indices;
        public float* Result;
        public nint Count;
        public int Length;
        public nint Inner;
        public nint ItemsInRow;

        public readonly void Run(nint start, nint end)
        {
            // Neighbouring columns are added together.
            while (start < end)
            {
                var (outer, first) = Math.DivRem(start, ItemsInRow);
                var items = Math.Min(ItemsInRow - first, end - start);
                var column = first * ColumnsInItem;
                var columns = (int)Math.Min(items * ColumnsInItem, Inner - column);
                Add(Gradient + (outer * Count * Inner) + column, Result + (outer * Length * Inner) + column, columns);
                start += items;
            }
        }

        private readonly void Add(float* dy, float* dx, int columns)
        {
            for (nint i = 0; i < Length; i++)
                new Span<float>(dx + (i * Inner), columns).Clear();
            if (columns == 1)
            {
                for (nint j = 0; j < Count; j++)
                    dx[TensorIndex.Of(Indices, j, Length, "Gather") * Inner] += dy[j * Inner];
                return;
            }

            for (nint j = 0; j < Count; j++)
            {
                var target = new Span<float>(dx + (TensorIndex.Of(Indices, j, Length, "Gather") * Inner), columns);
                TensorPrimitives.Add(target, new ReadOnlySpan<float>(dy + (j * Inner), columns), target);
            }
        }
    }
}
