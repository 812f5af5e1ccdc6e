using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// Sums and products of runs of bytes, and PReLU, in single precision, rounded half away from zero:
/// y = clamp(round(number), least, most) + zeroPoint.
/// </summary>
/// <remarks>
/// 16,384 sums of int8 take 2.5 us on Zen 5, and 22 where both operands are looked up and the sums rounded as fixed-point numbers.
/// Fixed-point arithmetic has other last bits; <see cref="BytePairFit"/> finds factors with which none of the 65,536 pairs shows it.
/// </remarks>
internal static unsafe class BytePairLoop
{
    /// <summary>How two bytes become a number.</summary>
    internal interface ICombination
    {
        static abstract TVec Of<TSimd, TVec>(TVec a, TVec b, in BytePairFormula formula)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct;
    }

    /// <summary>Combines <paramref name="count"/> pairs; an operand whose step is 0 is one byte for all.</summary>
    public static void Run<TCombination>(
        byte* a, int stepA, byte* b, int stepB, byte* y, nint count, in BytePairFormula formula, SimdWidth width)
        where TCombination : struct, ICombination
    {
        var work = new Work<TCombination>
        {
            A = a,
            StepA = stepA,
            B = b,
            StepB = stepB,
            Y = y,
            Count = count,
            Formula = formula,
        };
        width.Dispatch(ref work);
    }

    private struct Work<TCombination> : ISimdWork
        where TCombination : struct, ICombination
    {
        public byte* A;
        public int StepA;
        public byte* B;
        public int StepB;
        public byte* Y;
        public nint Count;
        public BytePairFormula Formula;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            var lanes = TSimd.Count;
            var isSigned = Formula.IsSigned;
            var (oneA, oneB) = (One<TSimd, TVec>(*A, isSigned), One<TSimd, TVec>(*B, isSigned));
            nint i = 0;
            for (; i <= Count - lanes; i += lanes)
            {
                var first = StepA == 0 ? oneA : TSimd.LoadBytes(A + i, isSigned);
                var second = StepB == 0 ? oneB : TSimd.LoadBytes(B + i, isSigned);
                TSimd.StoreBytes(Rounded<TSimd, TVec>(TCombination.Of<TSimd, TVec>(first, second, Formula)), Y + i);
            }

            if (i == Count)
                return;
            var left = (int)(Count - i);
            var tail = stackalloc byte[3 * lanes];
            if (StepA != 0)
                Buffer.MemoryCopy(A + i, tail, left, left);
            if (StepB != 0)
                Buffer.MemoryCopy(B + i, tail + lanes, left, left);
            var last = TCombination.Of<TSimd, TVec>(
                StepA == 0 ? oneA : TSimd.LoadBytes(tail, isSigned),
                StepB == 0 ? oneB : TSimd.LoadBytes(tail + lanes, isSigned),
                Formula);
            TSimd.StoreBytes(Rounded<TSimd, TVec>(last), tail + (2 * lanes));
            Buffer.MemoryCopy(tail + (2 * lanes), Y + i, left, left);
        }

        private static TVec One<TSimd, TVec>(byte raw, bool isSigned)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => TSimd.Broadcast(isSigned ? (sbyte)raw : raw);

        // A unit in the last place further from zero, a half is no half any more.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly TVec Rounded<TSimd, TVec>(TVec number)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            var rounded = TSimd.Round(TSimd.MultiplyAdd(number, TSimd.Broadcast(1f / (1 << 23)), number));
            var clamped = TSimd.Min(TSimd.Broadcast(Formula.Most), TSimd.Max(TSimd.Broadcast(Formula.Least), rounded));
            return TSimd.Add(clamped, TSimd.Broadcast(Formula.ZeroPoint));
        }
    }

    /// <summary>a*FactorA + (b*FactorB + Fixed).</summary>
    internal readonly struct Sum : ICombination
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVec Of<TSimd, TVec>(TVec a, TVec b, in BytePairFormula formula)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => TSimd.MultiplyAdd(
                a,
                TSimd.Broadcast(formula.FactorA.High),
                TSimd.MultiplyAdd(b, TSimd.Broadcast(formula.FactorB.High), TSimd.Broadcast(formula.Fixed)));
    }

    /// <summary>(a - ZeroA)*(b - ZeroB) times FactorA.</summary>
    internal readonly struct Product : ICombination
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVec Of<TSimd, TVec>(TVec a, TVec b, in BytePairFormula formula)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            var exact = TSimd.Multiply(
                TSimd.Subtract(a, TSimd.Broadcast(formula.ZeroA)), TSimd.Subtract(b, TSimd.Broadcast(formula.ZeroB)));
            var (high, low) = (TSimd.Broadcast(formula.FactorA.High), TSimd.Broadcast(formula.FactorA.Low));
            return TSimd.Multiply(RoundedProduct<TSimd, TVec>(exact, high, low), TSimd.Broadcast(formula.FactorA.Scale));
        }
    }

    /// <summary>(a - ZeroA) times FactorB where that is 0 or more, times (b - ZeroB) and FactorA below: PReLU.</summary>
    internal readonly struct Slope : ICombination
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVec Of<TSimd, TVec>(TVec a, TVec b, in BytePairFormula formula)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            var (below, above) = (formula.FactorA, formula.FactorB);
            var x = TSimd.Subtract(a, TSimd.Broadcast(formula.ZeroA));
            var product = TSimd.Multiply(x, TSimd.Subtract(b, TSimd.Broadcast(formula.ZeroB)));
            var rounded = RoundedProduct<TSimd, TVec>(
                TSimd.SelectLess(x, TSimd.Zero, product, x),
                TSimd.SelectLess(x, TSimd.Zero, TSimd.Broadcast(below.High), TSimd.Broadcast(above.High)),
                TSimd.SelectLess(x, TSimd.Zero, TSimd.Broadcast(below.Low), TSimd.Broadcast(above.Low)));
            return TSimd.Multiply(
                rounded, TSimd.SelectLess(x, TSimd.Zero, TSimd.Broadcast(below.Scale), TSimd.Broadcast(above.Scale)));
        }
    }

    // A whole number times high + low, to the nearest whole number, half up: the first of fixed point's two roundings. What the product of
    // the high part is beside its rounding, and beside a half, is exact, so that the low part can decide.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec RoundedProduct<TSimd, TVec>(TVec number, TVec high, TVec low)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var rounded = TSimd.Round(TSimd.Multiply(number, high));
        var rest = TSimd.MultiplyAdd(number, high, TSimd.Subtract(TSimd.Zero, rounded));
        var half = TSimd.Broadcast(0.5f);
        var above = TSimd.MultiplyAdd(number, low, TSimd.Subtract(rest, half));
        var below = TSimd.MultiplyAdd(number, low, TSimd.Add(rest, half));
        var up = TSimd.SelectLess(above, TSimd.Zero, TSimd.Zero, TSimd.Broadcast(1f));
        return TSimd.Add(rounded, TSimd.SelectLess(below, TSimd.Zero, TSimd.Broadcast(-1f), up));
    }
}

/// <summary>A factor in single precision: (High + Low) * Scale; between the two products fixed-point arithmetic rounds.</summary>
/// <param name="High">The first 24 bits of the mantissa.</param>
/// <param name="Low">The others.</param>
/// <param name="Scale">A power of two, 1 at most.</param>
internal readonly record struct BytePairFactor(float High, float Low, float Scale)
{
    /// <summary>The numbers of a fixed-point multiplier.</summary>
    public static BytePairFactor Of(FixedPointMultiplier multiplier)
    {
        var high = (double)(float)multiplier.Mantissa;
        var unit = Math.ScaleB(1, Math.Max(multiplier.Shift, 0) - 31);
        return new((float)(high * unit), (float)((multiplier.Mantissa - high) * unit), MathF.ScaleB(1, Math.Min(multiplier.Shift, 0)));
    }
}

/// <summary>What <see cref="BytePairLoop"/> computes by.</summary>
internal readonly record struct BytePairFormula
{
    /// <summary>Whether the bytes, all of them, are signed.</summary>
    public bool IsSigned { get; init; }

    /// <summary>What the first operand, or the product, is multiplied by; of PReLU, the product below 0.</summary>
    public BytePairFactor FactorA { get; init; }

    /// <summary>Of a sum, what the second operand is multiplied by; of PReLU, what the first is from 0 on.</summary>
    public BytePairFactor FactorB { get; init; }

    /// <summary>Of a sum, what is added: minus the factors times the operands' zero points.</summary>
    public float Fixed { get; init; }

    /// <summary>Of a product and of PReLU, the first operand's zero point.</summary>
    public float ZeroA { get; init; }

    /// <summary>Of a product and of PReLU, the second operand's zero point.</summary>
    public float ZeroB { get; init; }

    /// <summary>Added to the rounded number.</summary>
    public float ZeroPoint { get; init; }

    /// <summary>The least rounded number.</summary>
    public float Least { get; init; }

    /// <summary>The largest rounded number.</summary>
    public float Most { get; init; }
}
