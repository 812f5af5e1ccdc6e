using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>Element-wise operations of two operands.</summary>
internal enum BinaryKind
{
    Add,
    Sub,
    Mul,

    /// <summary>Integers round towards 0; an integer divided by 0 gives 0.</summary>
    Div,

    /// <summary>The exponent may be of another type; the result has the base's.</summary>
    Pow,

    /// <summary>NaN where either is NaN.</summary>
    Min,

    /// <summary>NaN where either is NaN.</summary>
    Max,

    /// <summary>The remainder with the sign of the divisor, as Python's; by an integer 0 it is 0.</summary>
    Mod,

    /// <summary>The remainder with the sign of the dividend, as C's fmod; by an integer 0 it is 0.</summary>
    FMod,

    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
    Xor,
}

/// <summary>
/// Element-wise arithmetic, comparison or logic of two tensors with NumPy's broadcasting, activation fused where the result is
/// float32: y[...] = activation(a[...] op b[...]).
/// </summary>
/// <remarks>
/// Both operands have the same element type, except a power's exponent. Integers wrap around. Comparisons and logic give bool.
/// </remarks>
internal sealed class BinaryOperator(BinaryKind kind, Activation activation) : Operator
{
    public override string Kind => BinaryKind switch
    {
        BinaryKind.Sub => "Subtract",
        BinaryKind.Mul => "Multiply",
        BinaryKind.Div => "Divide",
        BinaryKind.Pow => "Power",
        BinaryKind.Min => "Minimum",
        BinaryKind.Max => "Maximum",
        _ => BinaryKind.ToString(),
    };

    public BinaryKind BinaryKind { get; } = kind;

    public Activation Activation { get; } = activation;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    private bool GivesTruth => BinaryKind >= BinaryKind.Equal;

    // One number for all is a literal of a formula, such as hard-swish's sixth, and a whole table was computed; a row of numbers was
    // learned.
    internal override InputRole RoleOf(int input, TensorType type) =>
        BinaryKind is BinaryKind.Add or BinaryKind.Sub or BinaryKind.Mul or BinaryKind.Div && type.Element.IsFloat() && IsRow(type.Shape)
            ? InputRole.Parameter
            : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (a, b) = (OperatorChecks.Required(inputs, 0, "first operand"), OperatorChecks.Required(inputs, 1, "second operand"));
        if (BinaryKind != BinaryKind.Pow)
            OperatorChecks.SameElement(a, b);
        if (!BinaryRow.For(BinaryKind, a.Element, b.Element).Exists)
            throw new ArgumentException($"The operands are {a} and {b}; {Kind} does not take these element types: put a Cast before them.");
        var shape = TensorShapes.Broadcast(a.Shape, b.Shape);
        _ = StridedLoops.Broadcast(a.Shape, b.Shape, shape);
        var element = GivesTruth ? ElementType.Bool : a.Element;
        OperatorChecks.Activation(Activation, element, shape.Rank > 0 ? shape[^1] : 1);
        return [new(element, shape)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Shape.ElementCount);

    internal override Step Prepare(Node node) => Prepare(node.Inputs[0]!.Type, node.Inputs[1]!.Type, node.Outputs[0].Type);

    internal override void Forward(ForwardContext context) =>
        Prepare(context.Inputs[0].Type, context.Inputs[1].Type, context.Outputs[0].Type).Run(context);

    private BroadcastStep Prepare(TensorType a, TensorType b, TensorType y) =>
        new(new BroadcastWork(BinaryRow.For(BinaryKind, a.Element, b.Element), a, b, y, Activation), Activation);

    /// <summary>
    /// With floats, d(a+b) = da + db, d(a-b) = da - db, d(ab) = b da + a db, d(a/b) = da/b - (ab/b^2) db, d(a^b) = b a^(b-1) da for an
    /// exponent that does not learn; of the larger or the lesser that one has the gradient, of equals half each. Where an operand was
    /// broadcast its gradient is the sum.
    /// </summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        if (!Activation.IsNone || context.Output(0) is not { } dy || !dy.Type.Element.IsFloat())
            return null;
        var gradients = context.Nothing();
        if (context.Wants(0))
        {
            if (ByFirst(context, dy) is not { } first)
                return null;
            gradients[0] = context.SumTo(first, context.Input(0).Shape);
        }

        if (context.Wants(1))
        {
            if (BySecond(context, dy) is not { } second)
                return null;
            second = context.SumTo(second, context.Input(1).Shape);
            var isNegative = BinaryKind is BinaryKind.Sub or BinaryKind.Div;
            gradients[1] = isNegative ? context.Add("second", new UnaryOperator(UnaryKind.Neg), second) : second;
        }

        return gradients;
    }

    // Still in the shape of the output, as is the next one.
    private Value? ByFirst(GradientContext context, Value dy)
    {
        var (a, b) = (context.Input(0), context.Input(1));
        return BinaryKind switch
        {
            BinaryKind.Add or BinaryKind.Sub => dy,
            BinaryKind.Mul or BinaryKind.Div => context.Add("first", new BinaryOperator(BinaryKind, Activation.None), dy, b),
            BinaryKind.Pow => context.Add("first", new BinaryGradientOperator(BinaryDerivative.PowerByBase), dy, a, b),
            BinaryKind.Max => context.Add("first", new BinaryGradientOperator(BinaryDerivative.LargerByFirst), dy, a, b),
            BinaryKind.Min => context.Add("first", new BinaryGradientOperator(BinaryDerivative.LesserByFirst), dy, a, b),
            _ => null,
        };
    }

    // Without the sign of a difference or a quotient, which is cheaper behind the sum.
    private Value? BySecond(GradientContext context, Value dy)
    {
        var (a, b) = (context.Input(0), context.Input(1));
        switch (BinaryKind)
        {
            case BinaryKind.Add or BinaryKind.Sub:
                return dy;
            case BinaryKind.Mul:
                return context.Add("second", new BinaryOperator(BinaryKind.Mul, Activation.None), dy, a);
            case BinaryKind.Div:
                var product = context.Add("second", new BinaryOperator(BinaryKind.Mul, Activation.None), dy, context.Node.Outputs[0]);
                return context.Add("second", new BinaryOperator(BinaryKind.Div, Activation.None), product, b);
            case BinaryKind.Max:
                return context.Add("second", new BinaryGradientOperator(BinaryDerivative.LargerByFirst), dy, b, a);
            case BinaryKind.Min:
                return context.Add("second", new BinaryGradientOperator(BinaryDerivative.LesserByFirst), dy, b, a);
            default:
                return null;
        }
    }

    // Whether exactly one dimension is longer than 1.
    private static bool IsRow(TensorShape shape)
    {
        var longer = 0;
        foreach (var length in shape.Lengths)
            longer += length == 1 ? 0 : 1;
        return longer == 1;
    }
}
