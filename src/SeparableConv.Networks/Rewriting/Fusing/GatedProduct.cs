using SeparableConv.Activations;

namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Activations that are x times a smooth gate, as exporters spell them: swish, x*sigmoid(beta*x); Mish, x*tanh(softplus(x)); GELU,
/// x * (1 + erf(x/sqrt(2))) / 2, and the same with a hyperbolic tangent. The factors may stand in any order.
/// </summary>
internal readonly struct GatedProduct
{
    // The half, the value and the gate.
    private const int MostFactors = 3;

    private const float Tolerance = 1e-5f;

    private readonly float _number;
    private readonly Value? _first;
    private readonly Value? _second;

    private GatedProduct(float number, Value? first, Value? second) => (_number, _first, _second) = (number, first, second);

    /// <summary>The activation that the product of two values is, and what it is applied to; null where it is none of these.</summary>
    public static (Activation Activation, Value X)? Recognize(Value a, Value b)
    {
        // A product of a value and its sigmoid has no further factors to be looked for.
        if (BySigmoid(a, b) is { } swish)
            return swish;
        if (BySigmoid(b, a) is { } turned)
            return turned;
        if (Of(a, b) is not { _first: { } first, _second: { } second } product)
            return null;
        return product.Gated(first, second) ?? product.Gated(second, first);
    }

    private static (Activation, Value)? BySigmoid(Value x, Value gate)
    {
        if (Argument(gate, ActivationKind.Sigmoid) is not { } scaled)
            return null;
        return scaled == x ? (Activation.Swish(), x)
            : Scaled(scaled, x) is { } beta && float.IsFinite(beta) ? (Activation.Swish(beta), x)
            : null;
    }

    private (Activation, Value)? Gated(Value x, Value gate)
    {
        var inner = Argument(gate, ActivationKind.Tanh)?.Producer;
        if (IsNear(_number, 1) && inner is { Operator: UnaryOperator { UnaryKind: UnaryKind.Softplus } } && inner.Inputs[0] == x)
            return (Activation.Mish, x);
        if (!IsNear(_number, 0.5f) || Plus(gate, 1) is not { } function)
            return null;
        if (function.Producer is { Operator: UnaryOperator { UnaryKind: UnaryKind.Erf } } erf)
            return Scaled(erf.Inputs[0]!, x) is { } root && IsNear(root, GELUFunction.RootOfHalf) ? (Activation.GELU, x) : null;
        return Argument(function, ActivationKind.Tanh) is { } bracket && IsBracket(bracket, x) ? (Activation.GELUTanh, x) : null;
    }

    // sqrt(2/pi) * (x + 0.044715x^3).
    private static bool IsBracket(Value value, Value x)
    {
        if (Factors(value) is not { _second: null, _first.Producer: { } sum } outer
            || sum.Operator is not BinaryOperator { BinaryKind: BinaryKind.Add, Activation.IsNone: true }
            || !IsNear(outer._number, GELUTanhFunction.Scale / 2))
            return false;
        var cube = sum.Inputs[0] == x ? sum.Inputs[1]! : sum.Inputs[1] == x ? sum.Inputs[0]! : null;
        return cube is not null && CubeFactor(cube, x) is { } factor && IsNear(factor, GELUTanhFunction.Cube);
    }

    // The number c where a value is c*x^3, the cube being a power or a product.
    private static float? CubeFactor(Value value, Value x)
    {
        if (Factors(value) is not { _first: { } first } factors)
            return null;
        var isCube = factors._second is null
            ? IsPower(first, x, 3)
            : (first == x && IsPower(factors._second, x, 2)) || (factors._second == x && IsPower(first, x, 2));
        return isCube ? factors._number : null;
    }

    private static bool IsPower(Value value, Value x, int exponent) =>
        value.Producer is { Operator: BinaryOperator { Activation.IsNone: true } op } power
        && power.Inputs[0] == x
        && (op.BinaryKind == BinaryKind.Pow
            ? Number(power.Inputs[1]!) == exponent
            : op.BinaryKind == BinaryKind.Mul && exponent == 2 && power.Inputs[1] == x);

    // What an activation of a kind was applied to.
    private static Value? Argument(Value value, ActivationKind kind) =>
        value.Producer is { Operator: ActivationOperator op } node && op.Activation.Function.Kind == kind ? node.Inputs[0] : null;

    // The number c where a value is c*x.
    private static float? Scaled(Value value, Value x) =>
        Factors(value) is { _second: null, _first: { } first, _number: var number } && first == x ? number : null;

    private static Value? Plus(Value value, float number)
    {
        if (value.Producer is not { Operator: BinaryOperator { BinaryKind: BinaryKind.Add, Activation.IsNone: true } } sum)
            return null;
        var (a, b) = (sum.Inputs[0]!, sum.Inputs[1]!);
        return Number(b) == number ? a : Number(a) == number ? b : null;
    }

    // A number and one value or two; null where there are more. Squares are left whole, so that a cube can be found.
    private static GatedProduct? Factors(Value value)
    {
        var product = new GatedProduct(1, null, null);
        return product.Times(value, MostFactors);
    }

    private static GatedProduct? Of(Value a, Value b) => new GatedProduct(1, null, null).Times(a, MostFactors)?.Times(b, MostFactors);

    private GatedProduct? Times(Value value, int depth)
    {
        if (Number(value) is { } number)
            return new(_number * number, _first, _second);
        if (depth > 0 && value.Producer is { Operator: BinaryOperator { Activation.IsNone: true } op } node)
        {
            var (a, b) = (node.Inputs[0]!, node.Inputs[1]!);
            if (op.BinaryKind == BinaryKind.Mul && a != b)
                return Times(a, depth - 1)?.Times(b, depth - 1);
            if (op.BinaryKind == BinaryKind.Div && Number(b) is { } divisor && divisor != 0)
                return new GatedProduct(_number / divisor, _first, _second).Times(a, depth - 1);
        }

        return _first is null ? new(_number, value, null) : _second is null ? new(_number, _first, value) : null;
    }

    private static bool IsNear(float number, float expected) => Math.Abs(number - expected) < Tolerance;

    private static float? Number(Value value) =>
        value.Constant is { Type: { Element: ElementType.Float32, Shape.ElementCount: 1 } } constant ? constant.Span<float>()[0] : null;
}
