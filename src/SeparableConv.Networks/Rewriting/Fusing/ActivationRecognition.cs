using SeparableConv.Activations;

namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Finds activations that were written out: minimum and maximum with a number, x*hard-sigmoid(x), hard-swish and hard-sigmoid as
/// exporters spell them, with min(max(x + 3, 0), 6) and a sixth, and the products that <see cref="GatedProduct"/> knows.
/// </summary>
internal sealed class ActivationRecognition : NetworkPass
{
    private const float Sixth = 1f / 6;

    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (node.Outputs[0].Type.Element != ElementType.Float32
            || Recognize(node.Operator, inputs) is not var (activation, x)
            || x.Shape != node.Outputs[0].Shape)
            return null;
        return [Graph.Add(node.Name, new ActivationOperator(activation), x)];
    }

    private static (Activation Activation, Value X)? Recognize(Operator op, Value?[] inputs) => op switch
    {
        BinaryOperator { Activation.IsNone: true } binary when inputs is [{ } a, { } b] => binary.BinaryKind switch
        {
            BinaryKind.Max =>
                WithNumber(a, b) is var (x, number) && !float.IsNaN(number) ? (Activation.Clip(number, float.PositiveInfinity), x) : null,
            BinaryKind.Min =>
                WithNumber(a, b) is var (x, number) && !float.IsNaN(number) ? (Activation.Clip(float.NegativeInfinity, number), x) : null,
            BinaryKind.Div => Number(b) == 6 ? AsSixth(a) : null,
            BinaryKind.Mul => Product(a, b) ?? Product(b, a) ?? GatedProduct.Recognize(a, b),
            _ => null,
        },
        _ => null,
    };

    /// <summary>
    /// The activation that the product of two values is: x*hard-sigmoid(x), or a value times one sixth (<see cref="AsSixth"/>).
    /// </summary>
    private static (Activation, Value)? Product(Value a, Value b)
    {
        if (b.Producer is { Operator: ActivationOperator gate } && IsHardSigmoid(gate.Activation) && b.Producer.Inputs[0] == a)
            return (Activation.HardSwish, a);
        return Number(b) is { } number && IsSixth(number) ? AsSixth(a) : null;
    }

    /// <summary>The activation that a sixth of a value is: the value is min(max(x + 3, 0), 6), or x times that.</summary>
    private static (Activation, Value)? AsSixth(Value value)
    {
        if (Gate(value) is { } x)
            return (Activation.HardSigmoid(Sixth, 0.5f), x);
        if (value.Producer is { Operator: BinaryOperator { BinaryKind: BinaryKind.Mul, Activation.IsNone: true } } product)
        {
            var (a, b) = (product.Inputs[0]!, product.Inputs[1]!);
            if (Gate(b) == a)
                return (Activation.HardSwish, a);
            if (Gate(a) == b)
                return (Activation.HardSwish, b);
        }

        return null;
    }

    /// <summary>x where a value is min(max(x + 3, 0), 6); else null.</summary>
    private static Value? Gate(Value value)
    {
        if (value.Producer is { Operator: ActivationOperator { Activation: var clip } } clipped && IsTo6(clip))
        {
            return clipped.Inputs[0]!.Producer is { Operator: BinaryOperator { BinaryKind: BinaryKind.Add, Activation.IsNone: true } } plain
                ? Plus3(plain)
                : null;
        }

        return value.Producer is { Operator: BinaryOperator { BinaryKind: BinaryKind.Add, Activation: var fused } } sum && IsTo6(fused)
            ? Plus3(sum)
            : null;
    }

    private static bool IsHardSigmoid(Activation activation) =>
        activation.Function is (ActivationKind.HardSigmoid, var alpha, 0.5f) && IsSixth(alpha);

    private static bool IsTo6(Activation activation) => activation is { IsClamp: true, LowerBound: 0, UpperBound: 6 };

    private static Value? Plus3(Node sum) => WithNumber(sum.Inputs[0]!, sum.Inputs[1]!) is var (x, number) && number == 3 ? x : null;

    private static (Value X, float Number)? WithNumber(Value a, Value b) =>
        Number(b) is { } second ? (a, second) : Number(a) is { } first ? (b, first) : null;

    private static bool IsSixth(float number) => Math.Abs(number - Sixth) < 1e-6f;

    private static float? Number(Value value) =>
        value.Constant is { Type: { Element: ElementType.Float32, Shape.ElementCount: 1 } } constant ? constant.Span<float>()[0] : null;
}
