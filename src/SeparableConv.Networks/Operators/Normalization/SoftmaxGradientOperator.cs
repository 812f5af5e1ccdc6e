using System.Numerics;
using System.Numerics.Tensors;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The gradient of a softmax along one axis, from its output: gradient dy and output y of one shape -> dx = y * (dy - sum of dy * y
/// along the axis); of its logarithm dx = dy - e^y * sum of dy along the axis. Floats of any size.
/// </summary>
internal sealed class SoftmaxGradientOperator(int axis, bool logarithm) : Operator
{
    public override string Kind => Logarithm ? "LogSoftmaxGradient" : "SoftmaxGradient";

    public int Axis { get; } = axis;

    public bool Logarithm { get; } = logarithm;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var gradient = GradientChecks.SameShape(inputs, "gradient", "output");
        OperatorChecks.Takes(gradient.Element.IsFloat(), gradient, "floats");
        _ = TensorAxis.Resolve(Axis, gradient.Shape.Rank);
        return [gradient];
    }

    internal override OperatorCost Cost(Node node) => new(0, 4 * node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var work = new FloatWork { Context = context, Cut = TensorAxis.Cut(context.Outputs[0].Shape, Axis), Logarithm = Logarithm };
        ElementDispatch.Floats(context.Outputs[0].Type.Element, ref work);
    }

    private struct FloatWork : IFloatWork
    {
        public ForwardContext Context;
        public TensorAxis Cut;
        public bool Logarithm;

        public readonly unsafe void Run<T>()
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            var columns = new Columns<T>
            {
                Gradient = Context.Inputs[0].Pointer<T>(),
                Y = Context.Inputs[1].Pointer<T>(),
                Result = Context.Outputs[0].Pointer<T>(),
                Length = Cut.Length,
                Inner = (nint)Cut.Inner,
                Logarithm = Logarithm,
            };
            ElementParts.Run(columns, Cut.Outer * Cut.Inner, Cut.Length, Context.Threads);
        }
    }

    /// <summary>
    /// Columns of <c>Length</c> elements that lie <c>Inner</c> apart; neighbouring ones are computed together. The result may lie where
    /// the gradient lies.
    /// </summary>
    private unsafe struct Columns<T> : IRangeWork
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private const int Most = 128;

        public T* Gradient;
        public T* Y;
        public T* Result;
        public nint Length;
        public nint Inner;
        public bool Logarithm;

        public readonly void Run(nint start, nint end)
        {
            Span<double> sums = stackalloc double[Most];
            Span<T> exponentials = stackalloc T[Most];
            while (start < end)
            {
                var (outer, column) = Math.DivRem(start, Inner);
                var count = (int)Math.Min(Math.Min(Most, Inner - column), end - start);
                var offset = (outer * Length * Inner) + column;
                if (Inner == 1)
                    RunRow(offset, exponentials);
                else
                    RunColumns(offset, sums[..count], exponentials[..count]);
                start += count;
            }
        }

        private readonly void RunRow(nint offset, Span<T> exponentials)
        {
            var sum = 0.0;
            for (nint at = 0; at < Length; at += Most)
            {
                var (dy, y, _) = Piece(offset + at, (int)Math.Min(Most, Length - at));
                sum += double.CreateTruncating(Logarithm ? TensorPrimitives.Sum(dy) : TensorPrimitives.Dot(dy, y));
            }

            for (nint at = 0; at < Length; at += Most)
            {
                var (dy, y, dx) = Piece(offset + at, (int)Math.Min(Most, Length - at));
                if (!Logarithm)
                {
                    TensorPrimitives.Subtract(dy, T.CreateTruncating(sum), dx);
                    TensorPrimitives.Multiply(dx, y, dx);
                    continue;
                }

                var e = exponentials[..dy.Length];
                TensorPrimitives.Exp(y, e);
                TensorPrimitives.Multiply(e, T.CreateTruncating(sum), e);
                TensorPrimitives.Subtract(dy, e, dx);
            }
        }

        private readonly void RunColumns(nint offset, Span<double> sums, Span<T> exponentials)
        {
            sums.Clear();
            for (nint k = 0; k < Length; k++)
            {
                var (dy, y, _) = Piece(offset + (k * Inner), sums.Length);
                for (var i = 0; i < sums.Length; i++)
                    sums[i] += double.CreateTruncating(dy[i]) * (Logarithm ? 1 : double.CreateTruncating(y[i]));
            }

            for (nint k = 0; k < Length; k++)
            {
                var (dy, y, dx) = Piece(offset + (k * Inner), sums.Length);
                if (Logarithm)
                    TensorPrimitives.Exp(y, exponentials);
                for (var i = 0; i < sums.Length; i++)
                {
                    var sum = T.CreateTruncating(sums[i]);
                    dx[i] = Logarithm ? dy[i] - (exponentials[i] * sum) : y[i] * (dy[i] - sum);
                }
            }
        }

        private readonly Pieces Piece(nint offset, int count) =>
            new(new(Gradient + offset, count), new(Y + offset, count), new(Result + offset, count));

        private readonly ref struct Pieces(ReadOnlySpan<T> dy, ReadOnlySpan<T> y, Span<T> dx)
        {
            private readonly ReadOnlySpan<T> _dy = dy;
            private readonly ReadOnlySpan<T> _y = y;
            private readonly Span<T> _dx = dx;

            public void Deconstruct(out ReadOnlySpan<T> dy, out ReadOnlySpan<T> y, out Span<T> dx)
            {
                dy = _dy;
                y = _y;
                dx = _dx;
            }
        }
    }
}
