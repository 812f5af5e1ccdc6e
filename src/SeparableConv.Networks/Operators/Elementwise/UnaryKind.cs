namespace SeparableConv.Networks.Operators;

/// <summary>Element-wise functions of one operand.</summary>
internal enum UnaryKind
{
    /// <summary>The least integer, which has no counterpart, stays.</summary>
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

    /// <summary>2/sqrt(pi) * the integral of e^(-t^2) from 0 to x.</summary>
    Erf,

    /// <summary>log(1 + e^x).</summary>
    Softplus,

    /// <summary>x / (1 + |x|).</summary>
    Softsign,

    /// <summary>Of bools.</summary>
    Not,
}
