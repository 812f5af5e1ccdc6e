using System.Numerics;

namespace SeparableConv.Networks.Operators;

/// <summary>A function of one element.</summary>
internal interface IUnaryFunction<T>
{
    static abstract T Apply(T x);
}

/// <summary>Functions that TensorPrimitives does not have, or defines otherwise than networks do.</summary>
internal static class UnaryFunctions
{
    /// <summary>For integers: the least one stays as it is, where the framework's function would throw.</summary>
    public readonly struct Abs<T> : IUnaryFunction<T>
        where T : INumber<T>
    {
        public static T Apply(T x) => T.IsNegative(x) ? T.Zero - x : x;
    }

    public readonly struct Neg<T> : IUnaryFunction<T>
        where T : INumber<T>
    {
        public static T Apply(T x) => T.Zero - x;
    }

    public readonly struct Sign<T> : IUnaryFunction<T>
        where T : INumber<T>
    {
        public static T Apply(T x) => x > T.Zero ? T.One : x < T.Zero ? T.Zero - T.One : x;
    }

    public readonly struct Not : IUnaryFunction<byte>
    {
        public static byte Apply(byte x) => x == 0 ? (byte)1 : (byte)0;
    }

    /// <summary>max(x, 0) + log(1 + e^-|x|), which neither overflows nor loses small numbers.</summary>
    public readonly struct Softplus<T> : IUnaryFunction<T>
        where T : IFloatingPointIeee754<T>
    {
        public static T Apply(T x)
        {
            // The framework's LogP1 is log(1 + z), which forgets a small z.
            var z = Math.Exp(-Math.Abs(double.CreateTruncating(x)));
            var log = z < 1e-5 ? z - (z * z / 2) : Math.Log(1 + z);
            return T.CreateTruncating(Math.Max(double.CreateTruncating(x), 0) + log);
        }
    }

    public readonly struct Softsign<T> : IUnaryFunction<T>
        where T : IFloatingPointIeee754<T>
    {
        public static T Apply(T x) => x / (T.One + T.Abs(x));
    }

    /// <summary>The framework's function for vectors is a difference of exponentials, which loses the digits of small numbers.</summary>
    public readonly struct Sinh<T> : IUnaryFunction<T>
        where T : IFloatingPointIeee754<T>
    {
        public static T Apply(T x) => T.Sinh(x);
    }

    public readonly struct Erf<T> : IUnaryFunction<T>
        where T : IFloatingPointIeee754<T>
    {
        public static T Apply(T x) => T.CreateSaturating(ErrorFunction.Erf(double.CreateSaturating(x)));
    }
}

/// <summary>erf(x) = 2/sqrt(pi) * the integral of e^(-t^2) from 0 to x.</summary>
internal static class ErrorFunction
{
    /// <summary>2/sqrt(pi), the derivative at 0.</summary>
    public const double TwoBySqrtPi = 1.1283791670955126;

    // Below, the series needs at most 60 terms; above, the continued fraction at most 60 steps.
    private const double Middle = 2.5;

    private const double Saturated = 6;

    /// <summary>Within 1e-14 of the value, and relative to it near 0.</summary>
    public static double Erf(double x)
    {
        var magnitude = Math.Abs(x);
        return double.IsNaN(x) ? x
            : magnitude >= Saturated ? Math.CopySign(1, x)
            : magnitude < Middle ? Series(x)
            : Math.CopySign(1 - Tail(magnitude), x);
    }

    // x * e^(-x^2) * sum over n of (2x^2)^n / (1*3*...*(2n+1)): every term is positive, so none cancels.
    private static double Series(double x)
    {
        var square = 2 * x * x;
        double sum = 1, term = 1;
        for (var n = 3; term > 1e-17 * sum; n += 2)
        {
            term *= square / n;
            sum += term;
        }

        return TwoBySqrtPi * x * Math.Exp(-x * x) * sum;
    }

    // e^(-x^2)/sqrt(pi) / (x + (1/2)/(x + (2/2)/(x + (3/2)/(x + ...)))), from the inside out.
    private static double Tail(double x)
    {
        var fraction = x;
        for (var k = 60; k >= 1; k--)
            fraction = x + (k / 2.0 / fraction);
        return TwoBySqrtPi / 2 * Math.Exp(-x * x) / fraction;
    }
}
