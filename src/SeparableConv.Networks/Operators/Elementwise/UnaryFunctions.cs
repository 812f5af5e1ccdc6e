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

    public readonly struct Erf<T> : IUnaryFunction<T>
        where T : IFloatingPointIeee754<T>
    {
        public static T Apply(T x) => T.CreateSaturating(ErrorFunction.Erf(double.CreateSaturating(x)));
    }
}
