using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

/// <summary>
/// Sine and cosine for vectors. x = n*pi/2 + r with whole n and |r| at most pi/4; sin r and cos r are polynomials in r^2, interpolated at
/// the nodes of Chebyshev, and n says which of them it is and with what sign.
/// </summary>
internal static class Trigonometry
{
    /// <summary>The largest magnitude that is reduced exactly enough.</summary>
    public const float Largest = 8192f;

    private const float TwoByPi = 0.63661977f;

    // pi/2 in three parts; n times the first two is exact.
    private const float High = 1.5703125f;
    private const float Middle = 4.83512878e-4f;
    private const float Low = 3.13916473e-7f;

    /// <summary>sin(x), or with a quarter of 1 cos(x), within 2^-23 for x up to <see cref="Largest"/>.</summary>
    /// <param name="x">The angle.</param>
    /// <param name="quarter">Quarters of a turn to add: 0 or 1.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Sine<TSimd, TVec>(TVec x, float quarter)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var n = TSimd.Round(TSimd.Multiply(x, TSimd.Broadcast(TwoByPi)));
        var r = TSimd.MultiplyAdd(n, TSimd.Broadcast(-High), x);
        r = TSimd.MultiplyAdd(n, TSimd.Broadcast(-Middle), r);
        r = TSimd.MultiplyAdd(n, TSimd.Broadcast(-Low), r);
        var square = TSimd.Multiply(r, r);

        // What is left out is below a quarter of a unit in the last place.
        var p = TSimd.MultiplyAdd(TSimd.Broadcast(-1.95873872e-4f), square, TSimd.Broadcast(8.33274611e-3f));
        p = TSimd.MultiplyAdd(p, square, TSimd.Broadcast(-0.16666664f));
        var sine = TSimd.MultiplyAdd(TSimd.Multiply(square, r), p, r);
        var q = TSimd.MultiplyAdd(TSimd.Broadcast(2.45474366e-5f), square, TSimd.Broadcast(-1.38883002e-3f));
        q = TSimd.MultiplyAdd(q, square, TSimd.Broadcast(0.041666664f));
        q = TSimd.MultiplyAdd(q, square, TSimd.Broadcast(-0.5f));
        var cosine = TSimd.MultiplyAdd(q, square, TSimd.Broadcast(1f));

        // Odd quarters are the cosine; every other pair of quarters is below 0.
        n = TSimd.Add(n, TSimd.Broadcast(quarter));
        var odd = Odd<TSimd, TVec>(n);
        var half = TSimd.Broadcast(0.5f);
        var size = TSimd.SelectLess(odd, half, sine, cosine);
        var negative = Odd<TSimd, TVec>(TSimd.Multiply(TSimd.Subtract(n, odd), half));
        return TSimd.SelectLess(negative, half, size, TSimd.Subtract(TSimd.Zero, size));
    }

    // 1 for odd whole numbers, 0 for even ones.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec Odd<TSimd, TVec>(TVec n)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var rounded = TSimd.Round(TSimd.Multiply(n, TSimd.Broadcast(0.5f)));
        return TSimd.Abs(TSimd.MultiplyAdd(rounded, TSimd.Broadcast(-2f), n));
    }
}
