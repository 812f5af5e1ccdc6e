using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>How many numbers become one: a sum, a product, the largest or the least.</summary>
internal interface IReduction
{
    /// <summary>What does not change the result.</summary>
    static abstract float Identity { get; }

    static abstract TVec Combine<TSimd, TVec>(TVec a, TVec b)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct;
}

/// <summary>The reductions. The largest and the least may lose a NaN, as the machine's own do.</summary>
internal static class Reduction
{
    public readonly struct Sum : IReduction
    {
        public static float Identity => 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVec Combine<TSimd, TVec>(TVec a, TVec b)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => TSimd.Add(a, b);
    }

    public readonly struct Product : IReduction
    {
        public static float Identity => 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVec Combine<TSimd, TVec>(TVec a, TVec b)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => TSimd.Multiply(a, b);
    }

    public readonly struct Max : IReduction
    {
        public static float Identity => float.NegativeInfinity;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVec Combine<TSimd, TVec>(TVec a, TVec b)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => TSimd.Max(a, b);
    }

    public readonly struct Min : IReduction
    {
        public static float Identity => float.PositiveInfinity;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVec Combine<TSimd, TVec>(TVec a, TVec b)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => TSimd.Min(a, b);
    }
}
