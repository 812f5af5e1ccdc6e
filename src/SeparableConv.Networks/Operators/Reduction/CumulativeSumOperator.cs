using System.Numerics;
using System.Numerics.Tensors;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Sums along an axis: y[..., i, ...] is the sum of x[..., k, ...] over k up to i, without i itself where it is exclusive, and from i on
/// to the end where it is reversed. Integers wrap around.
/// </summary>
/// <remarks>Each sum goes on from the one before it, in the element type.</remarks>
internal sealed unsafe class CumulativeSumOperator(int axis, bool exclusive, bool reverse) : Operator, INumberOperator
{
    private const int ColumnsInItem = 64;

    public override string Kind => "CumulativeSum";

    /// <summary>The axis, from the back where below 0.</summary>
    public int Axis => axis;

    public bool Exclusive => exclusive;

    public bool Reverse => reverse;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = ShapeRules.Only(inputs);
        OperatorChecks.Takes(x.Element != ElementType.Bool, x, "numbers");
        _ = TensorAxis.Resolve(axis, x.Shape.Rank);
        return [x with { Quantization = null }];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context) => ElementDispatch.Run(this, context.Inputs[0].Type.Element, context);

    void INumberOperator.Run<T>(ForwardContext context)
    {
        var cut = TensorAxis.Cut(context.Inputs[0].Shape, axis);
        var work = new Work<T>
        {
            X = context.Inputs[0].Pointer<T>(),
            Y = context.Outputs[0].Pointer<T>(),
            Length = cut.Length,
            Inner = (nint)cut.Inner,
            ItemsInRow = (nint)(cut.Inner + ColumnsInItem - 1) / ColumnsInItem,
            Exclusive = exclusive,
            Reverse = reverse,
        };
        ElementParts.Run(work, cut.Outer * work.ItemsInRow, Math.Min(cut.Inner, ColumnsInItem) * cut.Length, context.Threads);
    }

    private struct Work<T> : IRangeWork
        where T : unmanaged, INumber<T>
    {
        public T* X;
        public T* Y;
        public nint Length;
        public nint Inner;
        public nint ItemsInRow;
        public bool Exclusive;
        public bool Reverse;

        public readonly void Run(nint start, nint end)
        {
            for (var item = start; item < end; item++)
            {
                var (outer, first) = Math.DivRem(item, ItemsInRow);
                var column = first * ColumnsInItem;
                var offset = (outer * Length * Inner) + column;
                if (Inner == 1)
                    SumRow(X + offset, Y + offset);
                else
                    SumColumns(X + offset, Y + offset, (int)Math.Min(ColumnsInItem, Inner - column));
            }
        }

        private readonly void SumRow(T* x, T* y)
        {
            var sum = T.Zero;
            for (nint k = 0; k < Length; k++)
            {
                var at = Reverse ? Length - 1 - k : k;
                var before = sum;
                sum += x[at];
                y[at] = Exclusive ? before : sum;
            }
        }

        private readonly void SumColumns(T* x, T* y, int columns)
        {
            var step = Reverse ? -Inner : Inner;
            var at = Reverse ? (Length - 1) * Inner : 0;
            for (nint k = 0; k < Length; k++, at += step)
            {
                var target = new Span<T>(y + at, columns);
                if (k == 0 && Exclusive)
                    target.Clear();
                else if (k == 0)
                    new ReadOnlySpan<T>(x + at, columns).CopyTo(target);
                else
                    Add(y + at - step, x + (Exclusive ? at - step : at), target);
            }
        }

        private static void Add(T* sum, T* term, Span<T> target) => TensorPrimitives.Add(
            new ReadOnlySpan<T>(sum, target.Length), new ReadOnlySpan<T>(term, target.Length), target);
    }
}
