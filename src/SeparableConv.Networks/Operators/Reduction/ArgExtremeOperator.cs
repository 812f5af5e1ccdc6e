using System.Numerics;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The index of the largest number along an axis, or of the least, as int64 or int32: the first of equal ones, or the last. The axis is
/// kept with length 1, or left out. A NaN comes before all numbers, as in NumPy.
/// </summary>
internal sealed unsafe class ArgExtremeOperator(
    bool largest, int axis, bool keepDimensions, ElementType output, bool selectLast = false) : Operator, INumberOperator
{
    public override string Kind => Largest ? "ArgMax" : "ArgMin";

    public bool Largest { get; } = largest;

    public int Axis { get; } = axis;

    public bool KeepDimensions { get; } = keepDimensions;

    public ElementType Output { get; } = output;

    public bool SelectLast { get; } = selectLast;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = OperatorChecks.Required(inputs, 0, "input");
        OperatorChecks.Takes(x.Element != ElementType.Bool, x, "numbers");
        if (Output is not (ElementType.Int64 or ElementType.Int32))
            throw new ArgumentException($"{Kind} gives int64 or int32, not {Output.ToString().ToLowerInvariant()}.");
        var dimension = TensorAxis.Resolve(Axis, x.Shape.Rank);
        if (x.Shape[dimension] == 0)
            throw new ArgumentException($"The input {x.Shape} is empty along axis {Axis}; {Kind} needs at least one number.");
        var lengths = new List<int>(x.Shape.Lengths.ToArray());
        if (KeepDimensions)
            lengths[dimension] = 1;
        else
            lengths.RemoveAt(dimension);
        return [new(Output, new TensorShape([.. lengths]))];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Inputs[0]!.Shape.ElementCount);

    internal override void Forward(ForwardContext context) => ElementDispatch.Run(this, context.Inputs[0].Type.Element, context);

    void INumberOperator.Run<T>(ForwardContext context)
    {
        var (x, y) = (context.Inputs[0], context.Outputs[0]);
        var cut = TensorAxis.Cut(x.Shape, Axis);
        var work = new Work<T>
        {
            X = x.Pointer<T>(),
            Y = y.Memory,
            Wide = Output == ElementType.Int64,
            Length = cut.Length,
            Inner = (nint)cut.Inner,
            SelectLast = SelectLast,
            Largest = Largest,
        };
        ElementParts.Run(work, cut.Outer * cut.Inner, cut.Length, context.Threads);
    }

    private struct Work<T> : IRangeWork
        where T : unmanaged, INumber<T>
    {
        public T* X;
        public void* Y;
        public bool Wide;
        public nint Length;
        public nint Inner;
        public bool SelectLast;
        public bool Largest;

        public readonly void Run(nint start, nint end)
        {
            if (Inner > 1 && Vector<T>.IsSupported && (typeof(T) == typeof(float) || typeof(T) == typeof(int)))
            {
                RunColumns(start, end);
                return;
            }

            for (var i = start; i < end; i++)
            {
                var (outer, column) = Math.DivRem(i, Inner);
                Store(i, Find(X + (outer * Length * Inner) + column));
            }
        }

        private readonly void Store(nint i, nint found)
        {
            if (Wide)
                ((long*)Y)[i] = found;
            else
                ((int*)Y)[i] = (int)found;
        }

        /// <summary>Neighbouring columns of numbers of 32 bits together.</summary>
        private readonly void RunColumns(nint start, nint end)
        {
            while (start < end)
            {
                var (outer, column) = Math.DivRem(start, Inner);
                var (x, stop) = (outer * Length * Inner, Math.Min(end, (outer + 1) * Inner));
                for (; start <= stop - Vector<T>.Count; start += Vector<T>.Count, column += Vector<T>.Count)
                {
                    var found = Find(X + x + column, Inner);
                    for (var i = 0; i < Vector<int>.Count; i++)
                        Store(start + i, found[i]);
                }

                for (; start < stop; start++, column++)
                    Store(start, Find(X + x + column));
            }
        }

        private readonly Vector<int> Find(T* x, nint stride)
        {
            var (extreme, found) = (Vector.Load(x), Vector<int>.Zero);
            for (nint k = 1; k < Length; k++)
            {
                var value = Vector.Load(x + (k * stride));
                var isBeyond = Largest ? Vector.GreaterThan(value, extreme) : Vector.LessThan(value, extreme);

                // A NaN is the first that is not itself.
                isBeyond |= Vector.AndNot(Vector.Equals(extreme, extreme), Vector.Equals(value, value));
                if (SelectLast)
                    isBeyond |= Vector.Equals(value, extreme);
                extreme = Vector.ConditionalSelect(isBeyond, value, extreme);
                found = Vector.ConditionalSelect(Vector.As<T, int>(isBeyond), new Vector<int>((int)k), found);
            }

            return found;
        }

        private readonly nint Find(T* x)
        {
            if (sizeof(T) == 1 && Inner == 1 && Largest && !SelectLast && Length >= BytePoolLoop.Lanes)
            {
                return typeof(T) == typeof(sbyte)
                    ? BytePoolLoop.IndexOfMax((sbyte*)x, (int)Length)
                    : BytePoolLoop.IndexOfMax((byte*)x, (int)Length);
            }

            if (typeof(T) == typeof(float) && Inner == 1 && !SelectLast && Length >= Vector<float>.Count
                && FindSingle((float*)x) is var at and >= 0)
                return at;
            var (extreme, found) = (*x, (nint)0);
            for (nint k = 1; k < Length; k++)
            {
                var value = x[k * Inner];
                var isBeyond = (Largest ? value > extreme : value < extreme) || (T.IsNaN(value) && !T.IsNaN(extreme));
                if (isBeyond || (SelectLast && value == extreme))
                    (extreme, found) = (value, k);
            }

            return found;
        }

        // The extreme of a row first, then where it is; -1 where a number is none.
        private readonly nint FindSingle(float* x)
        {
            var last = Length - Vector<float>.Count;
            var extreme = Vector.Load(x + last);
            var numbers = Vector.Equals(extreme, extreme);
            for (nint k = 0; k < last; k += Vector<float>.Count)
            {
                var value = Vector.Load(x + k);
                numbers &= Vector.Equals(value, value);
                extreme = Vector.ConditionalSelect(
                    Largest ? Vector.GreaterThan(value, extreme) : Vector.LessThan(value, extreme), value, extreme);
            }

            if (!Vector.EqualsAll(numbers, Vector<int>.AllBitsSet))
                return -1;
            var one = extreme[0];
            for (var i = 1; i < Vector<float>.Count; i++)
                one = (Largest ? extreme[i] > one : extreme[i] < one) ? extreme[i] : one;
            return new ReadOnlySpan<float>(x, (int)Length).IndexOf(one);
        }
    }
}
