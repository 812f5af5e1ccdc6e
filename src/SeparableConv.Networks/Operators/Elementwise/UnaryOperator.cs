using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>Element-wise functions of one operand.</summary>
internal enum UnaryKind
{
    /// <summary>The least integer stays as it is: its magnitude does not fit.</summary>
    Abs,

    Neg,

    /// <summary>-1, 0 or 1; NaN for NaN.</summary>
    Sign,

    Floor,
    Ceil,

    /// <summary>To the nearest integer, half to even.</summary>
    Round,

    Sqrt,
    Reciprocal,
    Exp,
    Log,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Asinh,
    Acosh,
    Atanh,

    /// <summary>2/sqrt(pi) * the integral of e^(-t^2) from 0 to x.</summary>
    Erf,

    /// <summary>log(1 + e^x).</summary>
    Softplus,

    /// <summary>x / (1 + |x|).</summary>
    Softsign,

    /// <summary>The negation of bools.</summary>
    Not,
}

/// <summary>
/// An element-wise function of one tensor: y[...] = f(x[...]). Integers take Abs, Neg and Sign, bools Not, floats all others.
/// </summary>
internal sealed class UnaryOperator(UnaryKind kind) : Operator
{
    public override string Kind => UnaryKind switch
    {
        UnaryKind.Neg => "Negative",
        _ => UnaryKind.ToString(),
    };

    public UnaryKind UnaryKind { get; } = kind;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = OperatorChecks.Required(inputs, 0, "input");
        if (!UnaryRow.For(UnaryKind, input.Element).Exists)
            throw new ArgumentException($"The input is {input}; {Kind} does not take this element type: put a Cast before it.");
        return [input with { Quantization = null }];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Shape.ElementCount);

    internal override unsafe void Forward(ForwardContext context)
    {
        var (x, y) = (context.Inputs[0], context.Outputs[0]);
        var work = new Work
        {
            Row = UnaryRow.For(UnaryKind, x.Type.Element),
            X = (byte*)x.Memory,
            Y = (byte*)y.Memory,
            Size = x.Type.Element.Size(),
        };
        ElementParts.Run(work, y.Shape.ElementCount, 1, context.Threads);
    }

    /// <summary>dx = dy * f'(x), of floats. Steps, which are level wherever they have a derivative, give none.</summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        var (x, y, dy) = (context.Input(0), context.Node.Outputs[0], context.Output(0));
        if (!x.Type.Element.IsFloat())
            return null;
        return UnaryKind switch
        {
            UnaryKind.Sign or UnaryKind.Floor or UnaryKind.Ceil or UnaryKind.Round => context.Nothing(),
            UnaryKind.Neg => [context.Add("input", new UnaryOperator(UnaryKind.Neg), dy)],
            _ => [context.Add("input", new UnaryGradientOperator(UnaryKind), dy, UnaryGradientOperator.ReadsOutput(UnaryKind) ? y : x)],
        };
    }

    private unsafe struct Work : IRangeWork
    {
        public UnaryRow Row;
        public byte* X;
        public byte* Y;
        public int Size;

        public readonly void Run(nint start, nint end) => Row.Run(X + (start * Size), Y + (start * Size), (int)(end - start));
    }
}
