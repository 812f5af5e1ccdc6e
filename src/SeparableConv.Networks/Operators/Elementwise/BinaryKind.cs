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
