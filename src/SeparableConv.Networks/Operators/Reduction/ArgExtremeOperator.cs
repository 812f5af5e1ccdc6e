using System.Numerics;

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
            for (var i = start; i < end; i++)
            {
                var (outer, column) = Math.DivRem(i, Inner);
                var found = Find(X + (outer * Length * Inner) + column);
                if (Wide)
                    ((long*)Y)[i] = found;
                else
                    ((int*)Y)[i] = (int)found;
            }
        }

        private readonly nint Find(T* x)
        {
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
    }
}
