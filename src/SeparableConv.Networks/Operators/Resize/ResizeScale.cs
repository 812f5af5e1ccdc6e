namespace SeparableConv.Networks.Operators;

/// <summary>
/// How many pixels of the output stand for one of the input, along an axis: a number that a model gives, or the ratio of two lengths,
/// with which places are computed without any rounding.
/// </summary>
internal readonly record struct ResizeScale
{
    private ResizeScale(double value, long numerator, long denominator) =>
        (Value, Numerator, Denominator) = (value, numerator, denominator);

    /// <summary>The scale, rounded to double precision where it is a ratio.</summary>
    public double Value { get; }

    /// <summary>Whether it is a ratio.</summary>
    public bool IsRatio => Denominator != 0;

    /// <summary>The ratio's numerator.</summary>
    public long Numerator { get; }

    /// <summary>The ratio's denominator; 0 where it is none.</summary>
    public long Denominator { get; }

    /// <summary>A number.</summary>
    public static implicit operator ResizeScale(float scale) => new(scale, 0, 0);

    /// <summary>What makes one length the other.</summary>
    public static ResizeScale Ratio(int output, int input) => new((double)output / Math.Max(1, input), output, Math.Max(1, input));
}

/// <summary>A place between pixels, 0 being the centre of the first one: a whole number and a fraction from 0 to below 1.</summary>
/// <param name="Whole">The pixel before it, or at it.</param>
/// <param name="Fraction">How far it lies behind.</param>
internal readonly record struct ResizePlace(long Whole, double Fraction)
{
    public static ResizePlace Of(double place)
    {
        var whole = Math.Floor(place);
        return new((long)Math.Clamp(whole, -long.MaxValue / 2, long.MaxValue / 2), place - whole);
    }

    /// <summary>A quotient with a divisor above 0. Whether it is whole, or just between two pixels, is exact.</summary>
    public static ResizePlace Of(Int128 dividend, Int128 divisor)
    {
        var (whole, rest) = Int128.DivRem(dividend, divisor);
        return rest < 0
            ? new((long)whole - 1, (double)(rest + divisor) / (double)divisor)
            : new((long)whole, (double)rest / (double)divisor);
    }

    /// <summary>The nearest pixel.</summary>
    public long Nearest(NearestRounding rounding) => rounding switch
    {
        NearestRounding.RoundPreferFloor => Fraction > 0.5 ? Whole + 1 : Whole,
        NearestRounding.RoundPreferCeil => Fraction >= 0.5 ? Whole + 1 : Whole,
        NearestRounding.Floor => Whole,
        _ => Fraction > 0 ? Whole + 1 : Whole,
    };
}
