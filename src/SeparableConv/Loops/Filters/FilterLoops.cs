using System.Runtime.Intrinsics;

namespace SeparableConv.Loops;

/// <summary>Picks the compiled body for a width, a pixel type and a number of taps; done once, when a filter is made.</summary>
internal static unsafe class FilterLoops
{
    /// <summary>The body for four lines at a time; null where there is none (one or two taps, irregular zeros).</summary>
    public static delegate*<ColumnTaps*, void> FourLines<TIn>(SimdWidth width, ReadOnlySpan<float> weights)
        where TIn : unmanaged => width switch
        {
            SimdWidth.V512 => FourLines<Simd512, Vector512<float>, TIn>(weights),
            SimdWidth.V256 => FourLines<Simd256, Vector256<float>, TIn>(weights),
            SimdWidth.V128 => FourLines<Simd128, Vector128<float>, TIn>(weights),
            _ => FourLines<SimdScalar, float, TIn>(weights),
        };

    public static delegate*<ColumnTaps*, void> OneLine<TIn>(SimdWidth width)
        where TIn : unmanaged => width switch
        {
            SimdWidth.V512 => &ColumnPass.OneLine<Simd512, Vector512<float>, TIn>,
            SimdWidth.V256 => &ColumnPass.OneLine<Simd256, Vector256<float>, TIn>,
            SimdWidth.V128 => &ColumnPass.OneLine<Simd128, Vector128<float>, TIn>,
            _ => &ColumnPass.OneLine<SimdScalar, float, TIn>,
        };

    /// <summary>The body that sums taps, none of them zero, along a line; they lie <paramref name="step"/> floats apart, or irregularly (0).</summary>
    public static delegate*<RowTaps*, void> Row<TOut>(SimdWidth width, int taps, int step = 0)
        where TOut : unmanaged => width switch
        {
            SimdWidth.V512 when taps is >= 2 and <= 7 && RowWindowPass.Handles(step) => Windows<TOut>(taps, step),
            SimdWidth.V512 => Row<Simd512, Vector512<float>, TOut>(taps),
            SimdWidth.V256 => Row<Simd256, Vector256<float>, TOut>(taps),
            SimdWidth.V128 => Row<Simd128, Vector128<float>, TOut>(taps),
            _ => Row<SimdScalar, float, TOut>(taps),
        };

    public static delegate*<DenseTaps*, void> DenseTwoRows<TOut>(SimdWidth width)
        where TOut : unmanaged => width switch
        {
            SimdWidth.V512 => &DensePass.TwoRows<Simd512, Vector512<float>, TOut>,
            SimdWidth.V256 => &DensePass.TwoRows<Simd256, Vector256<float>, TOut>,
            SimdWidth.V128 => &DensePass.TwoRows<Simd128, Vector128<float>, TOut>,
            _ => &DensePass.TwoRows<SimdScalar, float, TOut>,
        };

    public static delegate*<void*, float*, nint, void> Widen<TIn>(SimdWidth width)
        where TIn : unmanaged => width switch
        {
            SimdWidth.V512 => &DensePass.Widen<Simd512, Vector512<float>, TIn>,
            SimdWidth.V256 => &DensePass.Widen<Simd256, Vector256<float>, TIn>,
            SimdWidth.V128 => &DensePass.Widen<Simd128, Vector128<float>, TIn>,
            _ => &DensePass.Widen<SimdScalar, float, TIn>,
        };

    private static delegate*<ColumnTaps*, void> FourLines<TSimd, TVec, TIn>(ReadOnlySpan<float> weights)
        where TSimd : struct, IPixelSimd<TVec>
        where TVec : struct
        where TIn : unmanaged
    {
        var taps = weights.Length;
        var zeros = weights.Count(0f);
        if (zeros == 1 && weights[taps / 2] == 0f)
        {
            return taps switch
            {
                3 => &ColumnPass.FourLines<TSimd, TVec, TIn, Taps3Hollow>,
                5 => &ColumnPass.FourLines<TSimd, TVec, TIn, Taps5Hollow>,
                7 => &ColumnPass.FourLines<TSimd, TVec, TIn, Taps7Hollow>,
                _ => null,
            };
        }

        if (zeros > 0)
            return null;
        return taps switch
        {
            < 3 => null,
            3 => &ColumnPass.FourLines<TSimd, TVec, TIn, Taps3>,
            5 => &ColumnPass.FourLines<TSimd, TVec, TIn, Taps5>,
            7 => &ColumnPass.FourLines<TSimd, TVec, TIn, Taps7>,
            _ => &ColumnPass.FourLinesOfMany<TSimd, TVec, TIn>,
        };
    }

    private static delegate*<RowTaps*, void> Windows<TOut>(int taps, int step)
        where TOut : unmanaged => step switch
        {
            1 => Windows<TOut, Step1>(taps),
            2 => Windows<TOut, Step2>(taps),
            3 => Windows<TOut, Step3>(taps),
            4 => Windows<TOut, Step4>(taps),
            6 => Windows<TOut, Step6>(taps),
            _ => Windows<TOut, Step8>(taps),
        };

    private static delegate*<RowTaps*, void> Windows<TOut, TStep>(int taps)
        where TOut : unmanaged
        where TStep : struct, ITapStep => taps switch
        {
            2 => &RowWindowPass.Run<TOut, Taps2, TStep>,
            3 => &RowWindowPass.Run<TOut, Taps3, TStep>,
            4 => &RowWindowPass.Run<TOut, Taps4, TStep>,
            5 => &RowWindowPass.Run<TOut, Taps5, TStep>,
            6 => &RowWindowPass.Run<TOut, Taps6, TStep>,
            _ => &RowWindowPass.Run<TOut, Taps7, TStep>,
        };

    private static delegate*<RowTaps*, void> Row<TSimd, TVec, TOut>(int taps)
        where TSimd : struct, IPixelSimd<TVec>
        where TVec : struct
        where TOut : unmanaged => taps switch
        {
            2 => &RowPass.Run<TSimd, TVec, TOut, Taps2>,
            3 => &RowPass.Run<TSimd, TVec, TOut, Taps3>,
            4 => &RowPass.Run<TSimd, TVec, TOut, Taps4>,
            5 => &RowPass.Run<TSimd, TVec, TOut, Taps5>,
            6 => &RowPass.Run<TSimd, TVec, TOut, Taps6>,
            7 => &RowPass.Run<TSimd, TVec, TOut, Taps7>,
            _ => &RowPass.RunMany<TSimd, TVec, TOut>,
        };
}
