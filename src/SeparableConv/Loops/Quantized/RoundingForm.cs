namespace SeparableConv.Loops;

/// <summary>How a <see cref="Requantizer"/> rounds its sums.</summary>
internal enum RoundingForm
{
    /// <summary>Not at all: <see cref="Requantization.None"/>.</summary>
    None,

    /// <summary>Number by number, for a sum may leave 32 bits on its way.</summary>
    Number,

    /// <summary><see cref="FloatRounding{TSimd, TVec}"/>.</summary>
    Float,

    /// <summary><see cref="ClampedFloatRounding{TSimd, TVec}"/>.</summary>
    ClampedFloat,

    /// <summary><see cref="FixedRounding{TSimd, TVec}"/>.</summary>
    Fixed,

    /// <summary><see cref="PositiveFixedRounding{TSimd, TVec}"/>.</summary>
    PositiveFixed,
}
