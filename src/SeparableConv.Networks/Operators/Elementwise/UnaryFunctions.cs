using System.Numerics;

namespace SeparableConv.Networks.Operators;

/// <summary>A function of one element.</summary>
internal interface IUnaryFunction<T>
{
    static abstract T Apply(T x);
}

/// <summary>The functions that the framework's vector loops do not have, or do otherwise than networks mean them.</summary>
internal static class UnaryFunctions
{
    /// <summary>Integers; the least stays what it is, where the framework would throw.</summary>
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
            // The rounding of 1 + e is taken back by the quotient, so that log keeps every digit of a small e.
            var e = Math.Exp(-Math.Abs(double.CreateSaturating(x)));
            var sum = 1 + e;
            var logarithm = sum == 1 ? e : Math.Log(sum) * (e / (sum - 1));
            return T.CreateSaturating(Math.Max(double.CreateSaturating(x), 0) + logarithm);
        }
    }

    public readonly struct Softsign<T> : IUnaryFunction<T>
        where T : IFloatingPointIeee754<T>
    {
        public static T Apply(T x) => x / (T.One + T.Abs(x));
    }

    public readonly struct Erf<T> : IUnaryFunction<T>
        where T : IFloatingPointIeee754<T>
    {
        public static T Apply(T x) => T.CreateSaturating(ErrorFunction.Erf(double.CreateSaturating(x)));
    }
}
