using System.Numerics;

namespace SeparableConv.Networks.Operators;

/// <summary>A function of two elements.</summary>
internal interface IBinaryFunction<TA, TB, TResult>
{
    static abstract TResult Apply(TA a, TB b);
}

/// <summary>A choice by the elements' signs or order, which would mislead a branch: it has a vector form.</summary>
internal interface IBinaryChoice<T> : IBinaryFunction<T, T, T>
{
    static abstract Vector<T> Apply(Vector<T> a, Vector<T> b);
}

/// <summary>Functions that TensorPrimitives does not have, or defines otherwise than networks do.</summary>
internal static class BinaryFunctions
{
    /// <summary>The quotient of integers, rounded towards 0. Divided by 0 it is 0; the least integer divided by -1 wraps around.</summary>
    public readonly struct Quotient<T> : IBinaryFunction<T, T, T>
        where T : INumber<T>
    {
        public static T Apply(T a, T b) => b == T.Zero ? T.Zero : b + T.One == T.Zero && T.IsNegative(b) ? T.Zero - a : a / b;
    }

    public readonly struct FloorRemainder<T> : IBinaryFunction<T, T, T>
        where T : INumber<T>
    {
        public static T Apply(T a, T b)
        {
            var r = TruncatedRemainder<T>.Apply(a, b);
            return r != T.Zero && T.IsNegative(r) != T.IsNegative(b) ? r + b : r;
        }
    }

    public readonly struct TruncatedRemainder<T> : IBinaryFunction<T, T, T>
        where T : INumber<T>
    {
        public static T Apply(T a, T b) =>
            !T.IsInteger(b) || !IsWholeType ? a % b : b == T.Zero || (T.IsNegative(b) && b + T.One == T.Zero) ? T.Zero : a % b;

        private static bool IsWholeType => typeof(T) != typeof(float) && typeof(T) != typeof(double) && typeof(T) != typeof(Half);
    }

    /// <summary>Powers. Integers to whole powers wrap around; everything else is computed in double precision.</summary>
    public readonly struct Power<T, TExponent> : IBinaryFunction<T, TExponent, T>
        where T : INumber<T>
        where TExponent : INumber<TExponent>
    {
        public static T Apply(T a, TExponent b)
        {
            if (typeof(T) == typeof(float) && typeof(TExponent) == typeof(float))
                return T.CreateTruncating(MathF.Pow(float.CreateTruncating(a), float.CreateTruncating(b)));
            var wholeExponent = typeof(TExponent) != typeof(float) && typeof(TExponent) != typeof(double)
                && typeof(TExponent) != typeof(Half);
            var wholeBase = typeof(T) != typeof(float) && typeof(T) != typeof(double) && typeof(T) != typeof(Half);
            return wholeBase && wholeExponent && !TExponent.IsNegative(b)
                ? Whole(a, ulong.CreateTruncating(b))
                : T.CreateSaturating(Math.Pow(double.CreateTruncating(a), double.CreateTruncating(b)));
        }

        private static T Whole(T a, ulong b)
        {
            var result = T.One;
            for (; b != 0; b >>= 1, a *= a)
            {
                if ((b & 1) != 0)
                    result *= a;
            }

            return result;
        }
    }

    public readonly struct Equal<T> : IBinaryFunction<T, T, bool>
        where T : IEquatable<T>, IEqualityOperators<T, T, bool>
    {
        public static bool Apply(T a, T b) => a == b;
    }

    public readonly struct Less<T> : IBinaryFunction<T, T, bool>
        where T : INumber<T>
    {
        public static bool Apply(T a, T b) => a < b;
    }

    public readonly struct LessOrEqual<T> : IBinaryFunction<T, T, bool>
        where T : INumber<T>
    {
        public static bool Apply(T a, T b) => a <= b;
    }

    public readonly struct Greater<T> : IBinaryFunction<T, T, bool>
        where T : INumber<T>
    {
        public static bool Apply(T a, T b) => a > b;
    }

    public readonly struct GreaterOrEqual<T> : IBinaryFunction<T, T, bool>
        where T : INumber<T>
    {
        public static bool Apply(T a, T b) => a >= b;
    }

    // Booleans are bytes: any but 0 is true.
    public readonly struct EqualTruth : IBinaryFunction<byte, byte, bool>
    {
        public static bool Apply(byte a, byte b) => (a != 0) == (b != 0);
    }

    public readonly struct And : IBinaryFunction<byte, byte, bool>
    {
        public static bool Apply(byte a, byte b) => a != 0 && b != 0;
    }

    public readonly struct Or : IBinaryFunction<byte, byte, bool>
    {
        public static bool Apply(byte a, byte b) => (a | b) != 0;
    }

    public readonly struct Xor : IBinaryFunction<byte, byte, bool>
    {
        public static bool Apply(byte a, byte b) => (a != 0) != (b != 0);
    }

    /// <summary>x where it is not below 0, else x times the slope.</summary>
    public readonly struct Slope<T> : IBinaryChoice<T>
        where T : INumber<T>
    {
        public static T Apply(T a, T b) => a < T.Zero ? a * b : a;

        public static Vector<T> Apply(Vector<T> a, Vector<T> b) =>
            Vector.ConditionalSelect(Vector.LessThan(a, Vector<T>.Zero), a * b, a);
    }
}
