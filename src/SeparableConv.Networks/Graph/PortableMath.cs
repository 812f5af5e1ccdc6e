namespace SeparableConv.Networks.Graph;

/// <summary>
/// Logarithm and power of 2 from + - * / alone, which IEEE 754 settles to the last bit: those of Math are the platform's, whose last bits
/// differ, and first weights and a training that goes on elsewhere should be the same numbers everywhere.
/// </summary>
internal static class PortableMath
{
    private const double Ln2 = 0.69314718055994530942;
    private const int MantissaBits = 52;
    private const int ExponentBias = 1023;

    /// <summary>The logarithm of a positive, normal number; off by a few units of the last place of the larger of it and 1.</summary>
    public static double Log2(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (int)(bits >> MantissaBits) - ExponentBias;
        var mantissa = BitConverter.Int64BitsToDouble((bits & ((1L << MantissaBits) - 1)) | ((long)ExponentBias << MantissaBits));
        if (mantissa > 4.0 / 3)
            (mantissa, exponent) = (mantissa / 2, exponent + 1);

        // ln m = 2 (t + t^3/3 + t^5/5 + ...), t = (m-1)/(m+1), at most 1/5: what is left out is below 2^-53.
        var t = (mantissa - 1) / (mantissa + 1);
        double sum = 0;
        for (var k = 23; k >= 1; k -= 2)
            sum = (sum * t * t) + (1.0 / k);
        return exponent + (2 * t * sum / Ln2);
    }

    /// <summary>2^x for x of 0 and below; 0 where that is below what a normal number holds.</summary>
    public static double Exp2(double x)
    {
        if (x <= 1 - ExponentBias)
            return 0;
        var whole = Math.Floor(x);
        var rest = (x - whole) * Ln2;

        // e^rest = 1 + rest (1 + rest/2 (1 + rest/3 (...))), rest below 0.7: what is left out is below 2^-53.
        double sum = 1;
        for (var k = 18; k >= 1; k--)
            sum = 1 + (sum * rest / k);
        return sum * BitConverter.Int64BitsToDouble(((long)whole + ExponentBias) << MantissaBits);
    }
}
