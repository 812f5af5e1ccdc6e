using System.Numerics;
using System.Numerics.Tensors;

namespace SeparableConv.Networks.Operators;

/// <summary>Derivatives of functions f(a, b) of two elements that are functions of both.</summary>
internal enum BinaryDerivative
{
    /// <summary>Of a^b by a: b * a^(b-1); 0 where b is 0.</summary>
    PowerByBase,

    /// <summary>Of max(a, b) by a: 1 where a is larger, 0 where b is, and 1/2 where they are equal.</summary>
    LargerByFirst,

    /// <summary>Of min(a, b) by a: 1 where a is less, 0 where b is, and 1/2 where they are equal.</summary>
    LesserByFirst,

    /// <summary>Of PReLU by its input a, the slope being b: 1 where a is above 0, else b.</summary>
    SlopeByInput,

    /// <summary>Of PReLU by its slope b, the input being a: 0 where a is above 0, else a.</summary>
    SlopeBySlope,
}

/// <summary>
/// A gradient times the derivative of a function of two operands that broadcast to its shape: dy, a, b -> dy[...] * d(a[...], b[...]).
/// Floats; a power's exponent b may be any number. Where an operand was broadcast, the gradient is still to be summed.
/// </summary>
internal sealed class BinaryGradientOperator(BinaryDerivative derivative) : Operator
{
    public override string Kind => $"{Derivative}Gradient";

    public BinaryDerivative Derivative { get; } = derivative;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var gradient = OperatorChecks.Required(inputs, 0, "gradient");
        var (a, b) = (OperatorChecks.Required(inputs, 1, "first operand"), OperatorChecks.Required(inputs, 2, "second operand"));
        OperatorChecks.SameElement(gradient, a);
        OperatorChecks.Takes(a.Element.IsFloat() && BinaryRow.For(Derivative, a.Element, b.Element).Exists, b, "floats");
        if (TensorShapes.Broadcast(a.Shape, b.Shape) != gradient.Shape)
            throw new ArgumentException($"The operands {a.Shape} and {b.Shape} do not broadcast to the gradient's shape {gradient.Shape}.");
        _ = StridedLoops.Broadcast(a.Shape, b.Shape, gradient.Shape);
        return [gradient with { Quantization = null }];
    }

    internal override OperatorCost Cost(Node node) => new(0, 2 * node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var (dy, a, b, y) = (context.Inputs[0], context.Inputs[1], context.Inputs[2], context.Outputs[0]);
        var row = BinaryRow.For(Derivative, a.Type.Element, b.Type.Element);
        var work = new NumberWork { Gradient = dy, Result = y, Threads = context.Threads };
        work.Derivative = new BroadcastWork(row, a, b, y, Activation.None);
        ElementDispatch.WideNumbers(y.Type.Element, ref work);
    }

    private unsafe struct NumberWork : INumberWork
    {
        public TensorBuffer Gradient;
        public TensorBuffer Result;
        public BroadcastWork Derivative;
        public int Threads;

        public readonly void Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            var work = new Work<T> { Derivative = Derivative, Gradient = Gradient.Pointer<T>(), Result = Result.Pointer<T>() };
            ElementParts.Run(work, Result.Shape.ElementCount, 1, Threads);
        }
    }

    // A part's derivatives are still in the cache when the gradient comes.
    private unsafe struct Work<T> : IRangeWork
        where T : unmanaged, INumber<T>
    {
        public BroadcastWork Derivative;
        public T* Gradient;
        public T* Result;

        public readonly void Run(nint start, nint end)
        {
            Derivative.Run(start, end);
            var result = new Span<T>(Result + start, (int)(end - start));
            TensorPrimitives.Multiply(result, new ReadOnlySpan<T>(Gradient + start, result.Length), result);
        }
    }
}
