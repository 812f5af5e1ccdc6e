using System.Numerics;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The <paramref name="count"/> largest numbers along an axis, or the least, best first, and where they were, as int64. Of equal ones
/// the first comes first; a NaN counts as larger than all numbers.
/// </summary>
/// <remarks>The best so far are a heap in the outputs, the worst of them on top, which is sorted at the end.</remarks>
internal sealed unsafe class TopKOperator(int axis, int count, bool largest) : Operator, INumberOperator
{
    public override string Kind => "TopK";

    /// <summary>The axis, from the back where below 0.</summary>
    public int Axis => axis;

    public int Count => count;

    public bool Largest => largest;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = ShapeRules.Only(inputs);
        OperatorChecks.Takes(x.Element != ElementType.Bool, x, "numbers");
        var along = TensorAxis.Resolve(axis, x.Shape.Rank);
        if (count < 0 || count > x.Shape[along])
        {
            throw new ArgumentException(
                $"{count} numbers were asked for of the input {x.Shape} along axis {axis}; expected 0 to {x.Shape[along]}.");
        }

        var lengths = x.Shape.Lengths.ToArray();
        lengths[along] = count;
        var shape = new TensorShape(lengths);
        return [ShapeRules.Moved(x, shape), new(ElementType.Int64, shape)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Inputs[0]!.Shape.ElementCount);

    internal override void Forward(ForwardContext context) => ElementDispatch.Run(this, context.Inputs[0].Type.Element, context);

    void INumberOperator.Run<T>(ForwardContext context)
    {
        var cut = TensorAxis.Cut(context.Inputs[0].Shape, axis);
        if (count == 0)
            return;
        var work = new Work<T>
        {
            X = context.Inputs[0].Pointer<T>(),
            Values = context.Outputs[0].Pointer<T>(),
            Indices = context.Outputs[1].Pointer<long>(),
            Length = cut.Length,
            Count = count,
            Inner = (nint)cut.Inner,
            Largest = largest,
        };
        ElementParts.Run(work, cut.Outer * cut.Inner, 4L * cut.Length, context.Threads);
    }

    private struct Work<T> : IRangeWork
        where T : unmanaged, INumber<T>
    {
        public T* X;
        public T* Values;
        public long* Indices;
        public nint Length;
        public nint Count;
        public nint Inner;
        public bool Largest;

        public readonly void Run(nint start, nint end)
        {
            for (var i = start; i < end; i++)
            {
                var (outer, column) = Math.DivRem(i, Inner);
                var offset = (outer * Count * Inner) + column;
                Find(X + (outer * Length * Inner) + column, Values + offset, Indices + offset);
            }
        }

        private readonly void Find(T* x, T* values, long* indices)
        {
            for (nint k = 0; k < Count; k++)
                (values[k * Inner], indices[k * Inner]) = (x[k * Inner], k);
            for (var root = (Count / 2) - 1; root >= 0; root--)
                Sink(values, indices, root, Count);
            for (var k = Count; k < Length; k++)
            {
                // A later one has to be better than the worst, not as good.
                var value = x[k * Inner];
                if (!IsBetter(value, *values))
                    continue;
                (*values, *indices) = (value, k);
                Sink(values, indices, 0, Count);
            }

            // The worst goes to the end, again and again.
            for (var left = Count - 1; left > 0; left--)
            {
                var at = left * Inner;
                (values[0], values[at]) = (values[at], values[0]);
                (indices[0], indices[at]) = (indices[at], indices[0]);
                Sink(values, indices, 0, left);
            }
        }

        // Lets the root of a heap of so many go down below those that are worse.
        private readonly void Sink(T* values, long* indices, nint root, nint size)
        {
            var (value, index) = (values[root * Inner], indices[root * Inner]);
            for (nint child; (child = (2 * root) + 1) < size; root = child)
            {
                if (child + 1 < size && IsWorse(values, indices, child + 1, values[child * Inner], indices[child * Inner]))
                    child++;
                if (!IsWorse(values, indices, child, value, index))
                    break;
                (values[root * Inner], indices[root * Inner]) = (values[child * Inner], indices[child * Inner]);
            }

            (values[root * Inner], indices[root * Inner]) = (value, index);
        }

        private readonly bool IsWorse(T* values, long* indices, nint at, T value, long index)
        {
            var own = values[at * Inner];
            return IsBetter(value, own) || (!IsBetter(own, value) && indices[at * Inner] > index);
        }

        private readonly bool IsBetter(T a, T b) => Largest
            ? a > b || (T.IsNaN(a) && !T.IsNaN(b))
            : a < b || (T.IsNaN(b) && !T.IsNaN(a));
    }
}
