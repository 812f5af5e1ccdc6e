using System.Numerics;
using System.Numerics.Tensors;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The gradient of an element-wise function of one tensor: gradient dy and input x, or the output y instead of x where
/// <see cref="ReadsOutput"/> says so -> dx = dy * f'(x). Floats of any size; the absolute value has the derivative 0 at 0, as in PyTorch.
/// </summary>
internal sealed class UnaryGradientOperator(UnaryKind kind) : Operator
{
    public override string Kind => $"{UnaryKind}Gradient";

    public UnaryKind UnaryKind { get; } = kind;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    /// <summary>Whether the derivative of a function is computed from its result.</summary>
    public static bool ReadsOutput(UnaryKind kind) => kind is UnaryKind.Exp or UnaryKind.Sqrt or UnaryKind.Reciprocal;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var gradient = GradientChecks.SameShape(inputs, "gradient", ReadsOutput(UnaryKind) ? "output" : "input");
        OperatorChecks.Takes(gradient.Element.IsFloat(), gradient, "floats");
        return UnaryKind is UnaryKind.Not or UnaryKind.Sign or UnaryKind.Floor or UnaryKind.Ceil or UnaryKind.Round or UnaryKind.Neg
            ? throw new ArgumentException($"{UnaryKind} has no gradient of this form.")
            : [gradient];
    }

    internal override OperatorCost Cost(Node node) => new(0, 2 * node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var work = new FloatWork { Context = context, Kind = UnaryKind };
        ElementDispatch.Floats(context.Outputs[0].Type.Element, ref work);
    }

    private struct FloatWork : IFloatWork
    {
        public ForwardContext Context;
        public UnaryKind Kind;

        public readonly unsafe void Run<T>()
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            var work = new Work<T>
            {
                Gradient = Context.Inputs[0].Pointer<T>(),
                Value = Context.Inputs[1].Pointer<T>(),
                Result = Context.Outputs[0].Pointer<T>(),
                Kind = Kind,
            };
            ElementParts.Run(work, Context.Outputs[0].Shape.ElementCount, 1, Context.Threads);
        }
    }

    private unsafe struct Work<T> : IRangeWork
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private const int BlockElements = 256;

        public T* Gradient;
        public T* Value;
        public T* Result;
        public UnaryKind Kind;

        public readonly void Run(nint start, nint end)
        {
            Span<T> derivative = stackalloc T[BlockElements];
            for (var at = start; at < end; at += BlockElements)
            {
                var count = (int)Math.Min(BlockElements, end - at);
                var dy = new ReadOnlySpan<T>(Gradient + at, count);
                Multiply(dy, new ReadOnlySpan<T>(Value + at, count), derivative[..count], new Span<T>(Result + at, count));
            }
        }

        /// <summary>dx = dy * the derivative; dx may be dy.</summary>
        private readonly void Multiply(ReadOnlySpan<T> dy, ReadOnlySpan<T> value, Span<T> derivative, Span<T> dx)
        {
            switch (Kind)
            {
                case UnaryKind.Exp:
                    TensorPrimitives.Multiply(dy, value, dx);
                    return;
                case UnaryKind.Log:
                    TensorPrimitives.Divide(dy, value, dx);
                    return;
                case UnaryKind.Sqrt:
                    TensorPrimitives.Add(value, value, derivative);
                    TensorPrimitives.Divide(dy, derivative, dx);
                    return;
                case UnaryKind.Softsign:
                    TensorPrimitives.Abs(value, derivative);
                    TensorPrimitives.Add(derivative, T.One, derivative);
                    TensorPrimitives.Divide(dy, derivative, dx);
                    TensorPrimitives.Divide(dx, derivative, dx);
                    return;
                default:
                    Derivative(value, derivative);
                    TensorPrimitives.Multiply(dy, derivative, dx);
                    return;
            }
        }

        private readonly void Derivative(ReadOnlySpan<T> value, Span<T> derivative)
        {
            switch (Kind)
            {
                case UnaryKind.Abs:
                    for (var i = 0; i < value.Length; i++)
                        derivative[i] = UnaryFunctions.Sign<T>.Apply(value[i]);
                    break;
                case UnaryKind.Reciprocal:
                    TensorPrimitives.Multiply(value, value, derivative);
                    TensorPrimitives.Negate(derivative, derivative);
                    break;
                case UnaryKind.Sin:
                    TensorPrimitives.Cos(value, derivative);
                    break;
                case UnaryKind.Cos:
                    TensorPrimitives.Sin(value, derivative);
                    TensorPrimitives.Negate(derivative, derivative);
                    break;
                case UnaryKind.Tan:
                    TensorPrimitives.Tan(value, derivative);
                    TensorPrimitives.MultiplyAdd(derivative, derivative, T.One, derivative);
                    break;
                case UnaryKind.Sinh:
                    TensorPrimitives.Cosh(value, derivative);
                    break;
                case UnaryKind.Cosh:
                    TensorPrimitives.Sinh(value, derivative);
                    break;
                case UnaryKind.Asin or UnaryKind.Acos or UnaryKind.Atan or UnaryKind.Asinh or UnaryKind.Acosh or UnaryKind.Atanh:
                    for (var i = 0; i < value.Length; i++)
                        derivative[i] = InverseDerivative(value[i]);
                    break;
                case UnaryKind.Erf:
                    TensorPrimitives.Multiply(value, value, derivative);
                    TensorPrimitives.Negate(derivative, derivative);
                    TensorPrimitives.Exp(derivative, derivative);
                    TensorPrimitives.Multiply(derivative, T.CreateTruncating(ErrorFunction.TwoBySqrtPi), derivative);
                    break;
                default:
                    // Softplus.
                    TensorPrimitives.Sigmoid(value, derivative);
                    break;
            }
        }

        private readonly T InverseDerivative(T x) => Kind switch
        {
            UnaryKind.Asin => T.One / T.Sqrt((T.One - x) * (T.One + x)),
            UnaryKind.Acos => T.NegativeOne / T.Sqrt((T.One - x) * (T.One + x)),
            UnaryKind.Atan => T.One / (T.One + (x * x)),
            UnaryKind.Asinh => T.One / T.Sqrt((x * x) + T.One),
            UnaryKind.Acosh => T.One / T.Sqrt((x - T.One) * (x + T.One)),
            _ => T.One / ((T.One - x) * (T.One + x)),
        };
    }
}
