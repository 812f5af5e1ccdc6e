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
    public readonly struct LargerByFirst<T> : IBinaryChoice<T>
        where T : INumber<T>
    {
        public static T Apply(T a, T b) => a < b ? T.Zero : a == b ? T.One / (T.One + T.One) : T.One;

        public static Vector<T> Apply(Vector<T> a, Vector<T> b) => Share(Vector.LessThan(a, b), Vector.Equals(a, b));
    }

    public readonly struct LesserByFirst<T> : IBinaryChoice<T>
        where T : INumber<T>
    {
        public static T Apply(T a, T b) => a > b ? T.Zero : a == b ? T.One / (T.One + T.One) : T.One;

        public static Vector<T> Apply(Vector<T> a, Vector<T> b) => Share(Vector.GreaterThan(a, b), Vector.Equals(a, b));
    }

    public readonly struct SlopeByInput<T> : IBinaryChoice<T>
        where T : INumber<T>
    {
        public static T Apply(T a, T b) => a > T.Zero ? T.One : b;

        public static Vector<T> Apply(Vector<T> a, Vector<T> b) =>
            Vector.ConditionalSelect(Vector.GreaterThan(a, Vector<T>.Zero), Vector<T>.One, b);
    }

    public readonly struct SlopeBySlope<T> : IBinaryChoice<T>
        where T : INumber<T>
    {
        public static T Apply(T a, T b) => a > T.Zero ? T.Zero : a;

        public static Vector<T> Apply(Vector<T> a, Vector<T> b) =>
            Vector.ConditionalSelect(Vector.GreaterThan(a, Vector<T>.Zero), Vector<T>.Zero, a);
    }

    private static Vector<T> Share<T>(Vector<T> isNone, Vector<T> isHalf)
        where T : INumber<T>
    {
        var half = new Vector<T>(T.One / (T.One + T.One));
        return Vector.ConditionalSelect(isNone, Vector<T>.Zero, Vector.ConditionalSelect(isHalf, half, Vector<T>.One));
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
