using System.Numerics;
using System.Numerics.Tensors;
using SeparableConv.Loops;
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>What a reduction computes of the numbers along its axes.</summary>
internal enum ReduceKind
{
    Mean,
    Sum,
    Max,
    Min,
    Prod,
}

/// <summary>
/// The mean, sum, product, largest or least along some axes of a tensor. The axes count from the back where they are negative; they
/// stay as lengths of 1 where the dimensions are kept, else they vanish.
/// </summary>
/// <remarks>
/// With no axes nothing is reduced. Sums and products of integers wrap around and their mean is rounded towards 0; float16 and float64 are
/// summed in double precision. An empty sum is 0, an empty product 1; an empty maximum, minimum or mean is refused.
/// </remarks>
internal sealed unsafe class ReduceOperator(ReduceKind kind, int[] axes, bool keepDimensions) : Operator, INumberOperator
{
    private readonly int[] _axes = [.. axes];

    public override string Kind => "Reduce" + ReduceKind;

    public ReduceKind ReduceKind { get; } = kind;

    public ReadOnlySpan<int> Axes => _axes;

    public bool KeepDimensions { get; } = keepDimensions;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = OperatorChecks.Required(inputs, 0, "input");
        OperatorChecks.Takes(x.Element != ElementType.Bool, x, "numbers");
        TensorShapes.CheckRank(x.Shape);
        foreach (var axis in _axes)
            _ = TensorAxis.Resolve(axis, x.Shape.Rank);
        if (x.Shape.ElementCount == 0 && ReduceKind is not (ReduceKind.Sum or ReduceKind.Prod))
            throw new ArgumentException($"The input {x.Shape} is empty; {Kind} needs at least one number.");
        var lengths = new List<int>();
        for (var i = 0; i < x.Shape.Rank; i++)
        {
            if (!IsReduced(i, x.Shape.Rank))
                lengths.Add(x.Shape[i]);
            else if (KeepDimensions)
                lengths.Add(1);
        }

        _ = new Nest(this, x.Shape);
        return [new(x.Element, new TensorShape([.. lengths]))];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Inputs[0]!.Shape.ElementCount);

    internal override Step Prepare(Node node) => node.Inputs[0]!.Type is { Element: ElementType.Float32 } x
        ? new SingleStep(this, new Nest(this, x.Shape))
        : base.Prepare(node);

    internal override void Forward(ForwardContext context) => ElementDispatch.Run(this, context.Inputs[0].Type.Element, context);

    /// <summary>
    /// Of a sum dx = dy, of a mean dy / count, for every element of the sum. Of the largest or the least, all that are equal to it
    /// share dy, as in PyTorch's amax. A product has none.
    /// </summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        var (x, y, dy) = (context.Input(0), context.Node.Outputs[0], context.Output(0)!);
        if (!x.Type.Element.IsFloat() || ReduceKind == ReduceKind.Prod)
            return null;
        var kept = KeptShape(x.Shape);
        dy = context.Reshape(dy, kept);
        if (ReduceKind is ReduceKind.Max or ReduceKind.Min)
        {
            var equal = context.Add(
                "equal", new BinaryOperator(BinaryKind.Equal, Activation.None), x, context.Reshape(y, kept));
            var ones = context.Add("ones", new CastOperator(x.Type.Element), equal);
            var count = context.Add("count", new ReduceOperator(ReduceKind.Sum, _axes, keepDimensions: true), ones);
            var share = context.Add("share", new BinaryOperator(BinaryKind.Div, Activation.None), dy, count);
            return [context.Add("input", new BinaryOperator(BinaryKind.Mul, Activation.None), ones, share)];
        }

        // An empty sum has no element to give to.
        if (ReduceKind == ReduceKind.Mean)
            dy = context.Add("share", new ScaleOperator((double)y.Shape.ElementCount / x.Shape.ElementCount), dy);
        return [x.Shape == kept ? dy : context.Add("input", new ExpandOperator(x.Shape), dy)];
    }

    private TensorShape KeptShape(TensorShape shape)
    {
        var lengths = shape.Lengths.ToArray();
        for (var i = 0; i < lengths.Length; i++)
            lengths[i] = IsReduced(i, lengths.Length) ? 1 : lengths[i];
        return new TensorShape(lengths);
    }

    private bool IsReduced(int dimension, int rank)
    {
        foreach (var axis in _axes)
        {
            if (axis == dimension || axis + rank == dimension)
                return true;
        }

        return false;
    }

    void INumberOperator.Run<T>(ForwardContext context)
    {
        if (typeof(T) == typeof(float))
            RunSingle(context, new Nest(this, context.Inputs[0].Shape));
        else if (typeof(T) == typeof(Half))
            Run<T, double>(context);
        else
            Run<T, T>(context);
    }

    /// <summary>Neighbouring axes, which is nearly always what networks reduce, are reduced with vectors.</summary>
    private void RunSingle(ForwardContext context, in Nest nest)
    {
        var (x, y) = (context.Inputs[0], context.Outputs[0]);
        if (nest.Reduced.Count > 1 || nest.Kept.Count > 2 || nest.Inner > int.MaxValue || nest.Reduced.Total == 0)
        {
            Run<float, double>(context);
            return;
        }

        var (length, inner) = (nest.Reduced.Total, nest.Inner);
        var outer = (nint)y.Shape.ElementCount / Math.Max(1, inner);
        if (inner == 1)
        {
            var rows = new RowWork { X = x.Pointer<float>(), Y = y.Pointer<float>(), Length = length, Kind = ReduceKind };
            ElementParts.Run(rows, outer, length, context.Threads);
            return;
        }

        var from = x.Pointer<float>();
        var to = y.Pointer<float>();
        var divisor = ReduceKind == ReduceKind.Mean ? (float)length : 1;
        switch (ReduceKind)
        {
            case ReduceKind.Max:
                PixelReduction.Run<Reduction.Max>(from, to, outer, length, (int)inner, 1, SimdWidths.Best, context.Threads);
                break;
            case ReduceKind.Min:
                PixelReduction.Run<Reduction.Min>(from, to, outer, length, (int)inner, 1, SimdWidths.Best, context.Threads);
                break;
            case ReduceKind.Prod:
                PixelReduction.Run<Reduction.Product>(from, to, outer, length, (int)inner, 1, SimdWidths.Best, context.Threads);
                break;
            default:
                PixelReduction.Run<Reduction.Sum>(from, to, outer, length, (int)inner, divisor, SimdWidths.Best, context.Threads);
                break;
        }
    }

    private void Run<T, TSum>(ForwardContext context)
        where T : unmanaged, INumber<T>
        where TSum : unmanaged, INumber<TSum>
    {
        var (x, y) = (context.Inputs[0], context.Outputs[0]);
        var nest = new Nest(this, x.Shape);
        var work = new GeneralWork<T, TSum>
        {
            X = x.Pointer<T>(),
            Y = y.Pointer<T>(),
            Kept = nest.Kept,
            Reduced = nest.Reduced,
            Kind = ReduceKind,
        };
        ElementParts.Run(work, y.Shape.ElementCount, nest.Reduced.Total, context.Threads);
    }

    /// <summary>The loops are found once: for rows of a few numbers they take longer than the sums.</summary>
    private sealed class SingleStep(ReduceOperator op, Nest nest) : Step
    {
        public override void Run(ForwardContext context) => op.RunSingle(context, nest);
    }

    /// <summary>The dimensions as loops: those that stay, and those that are reduced.</summary>
    private readonly struct Nest
    {
        public readonly StridedLoops Kept;
        public readonly StridedLoops Reduced;

        /// <summary>Elements behind the last reduced dimension.</summary>
        public readonly nint Inner;

        public Nest(ReduceOperator op, TensorShape shape)
        {
            Span<nint> strides = stackalloc nint[shape.Rank];
            TensorShapes.BroadcastStrides(shape, strides);
            Inner = 1;
            for (var i = 0; i < shape.Rank; i++)
            {
                if (op.IsReduced(i, shape.Rank))
                {
                    Reduced.Add(shape[i], strides[i], 0);
                    Inner = shape[i] == 1 ? Inner : 1;
                }
                else
                {
                    Kept.Add(shape[i], strides[i], 0);
                    Inner *= shape[i];
                }
            }
        }
    }

    private struct RowWork : IRangeWork
    {
        public float* X;
        public float* Y;
        public nint Length;
        public ReduceKind Kind;

        public readonly void Run(nint start, nint end)
        {
            for (var i = start; i < end; i++)
            {
                var row = new ReadOnlySpan<float>(X + (i * Length), checked((int)Length));
                Y[i] = Kind switch
                {
                    ReduceKind.Mean => TensorPrimitives.Sum(row) / Length,
                    ReduceKind.Sum => TensorPrimitives.Sum(row),
                    ReduceKind.Max => TensorPrimitives.Max(row),
                    ReduceKind.Min => TensorPrimitives.Min(row),
                    _ => TensorPrimitives.Product(row),
                };
            }
        }
    }

    private struct GeneralWork<T, TSum> : IRangeWork
        where T : unmanaged, INumber<T>
        where TSum : unmanaged, INumber<TSum>
    {
        public T* X;
        public T* Y;
        public StridedLoops Kept;
        public StridedLoops Reduced;
        public ReduceKind Kind;

        public readonly void Run(nint start, nint end)
        {
            var total = Reduced.Total;
            for (var i = start; i < end; i++)
            {
                var x = X + Kept.Offsets(i, Kept.Count).A;
                Y[i] = Kind is ReduceKind.Max or ReduceKind.Min ? Extreme(x, total) : Sum(x, total);
            }
        }

        private readonly T Extreme(T* x, nint total)
        {
            var result = *x;
            for (nint k = 1; k < total; k++)
            {
                var value = x[Reduced.Offsets(k, Reduced.Count).A];
                result = Kind == ReduceKind.Max ? T.Max(result, value) : T.Min(result, value);
            }

            return result;
        }

        private readonly T Sum(T* x, nint total)
        {
            var result = Kind == ReduceKind.Prod ? TSum.One : TSum.Zero;
            for (nint k = 0; k < total; k++)
            {
                var value = TSum.CreateTruncating(x[Reduced.Offsets(k, Reduced.Count).A]);
                result = Kind == ReduceKind.Prod ? result * value : result + value;
            }

            // A type too small for the number of its terms can hold the sum neither: wrapped around, as it is.
            if (Kind == ReduceKind.Mean && TSum.CreateTruncating(total) != TSum.Zero)
                result /= TSum.CreateTruncating(total);
            return T.CreateTruncating(result);
        }
    }
}
