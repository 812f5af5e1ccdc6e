using System.Numerics;

namespace SeparableConv.Networks.Operators;

/// <summary>The functions of <see cref="BinaryDerivative"/>.</summary>
internal static class BinaryDerivatives
{
    public readonly struct PowerByBase<T, TExponent> : IBinaryFunction<T, TExponent, T>
        where T : INumber<T>
        where TExponent : INumber<TExponent>
    {
        // In double: b - 1 of an integer or a small float is exact there.
        public static T Apply(T a, TExponent b)
        {
            var exponent = double.CreateTruncating(b);
            return exponent == 0
                ? T.Zero
                : T.CreateSaturating(exponent * Math.Pow(double.CreateTruncating(a), exponent - 1));
        }
    }

    // A NaN is neither less nor equal: both operands get the gradient.
    public readonly struct LargerByFirst<T> : IBinaryFunction<T, T, T>
        where T : INumber<T>
    {
        public static T Apply(T a, T b) => a < b ? T.Zero : a == b ? T.One / (T.One + T.One) : T.One;
    }

    public readonly struct LesserByFirst<T> : IBinaryFunction<T, T, T>
        where T : INumber<T>
    {
        public static T Apply(T a, T b) => a > b ? T.Zero : a == b ? T.One / (T.One + T.One) : T.One;
    }

    public readonly struct SlopeByInput<T> : IBinaryFunction<T, T, T>
        where T : INumber<T>
    {
        public static T Apply(T a, T b) => a > T.Zero ? T.One : b;
    }

    public readonly struct SlopeBySlope<T> : IBinaryFunction<T, T, T>
        where T : INumber<T>
    {
        public static T Apply(T a, T b) => a > T.Zero ? T.Zero : a;
    }

    /// <summary>The element where the bool, any byte but 0, is true, else 0.</summary>
    public readonly struct WhereTrue<T> : IBinaryFunction<T, byte, T>
        where T : INumber<T>
    {
        public static T Apply(T a, byte b) => b != 0 ? a : T.Zero;
    }

    public readonly struct WhereFalse<T> : IBinaryFunction<T, byte, T>
        where T : INumber<T>
    {
        public static T Apply(T a, byte b) => b == 0 ? a : T.Zero;
    }
}
