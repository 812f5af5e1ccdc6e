namespace SeparableConv.Loops;

/// <summary>
/// Gives the compiled loop for a vector width, a pixel type and a number of taps, as a function pointer. A filter asks when it is made
/// (column passes) and at the begin of each run (row passes, whose types are those of the run's pixels); no loop asks inside.
/// </summary>
internal static unsafe class FilterLoops
{
    /// <summary>
    /// The loop over four lines at a time; null where there is none (one or two taps, irregular zeros).
    /// </summary>
    public static delegate*<ColumnTaps*, void> FourLines<TIn>(SimdWidth width, ReadOnlySpan<float> weights, Mirror mirror)
        where TIn : unmanaged
    {
        var choice = new FourLinesChoice<TIn>(weights, mirror);
        width.Dispatch(ref choice);
        return choice.Loop;
    }

    /// <summary>The loop over one line of any taps.</summary>
    public static delegate*<ColumnTaps*, void> OneLine<TIn>(SimdWidth width, Mirror mirror)
        where TIn : unmanaged
    {
        var choice = new OneLineChoice<TIn>(mirror);
        width.Dispatch(ref choice);
        return choice.Loop;
    }

    /// <summary>
    /// The loop that sums taps, none of them zero, along a line; they lie <paramref name="step"/> floats apart, or irregularly (0).
    /// </summary>
    public static delegate*<RowTaps*, void> Row<TOut>(SimdWidth width, int taps, int step = 0, Mirror mirror = Mirror.None)
        where TOut : unmanaged
    {
        if (mirror != Mirror.None)
            return mirror == Mirror.Even ? RowPairs<TOut, EvenMirror>(width, step) : RowPairs<TOut, OddMirror>(width, step);
        if (width == SimdWidth.V512 && taps is >= 2 and <= 7 && RowWindowPass.Handles(step))
            return Windows<TOut>(taps, step);
        var choice = new RowChoice<TOut>(taps);
        width.Dispatch(ref choice);
        return choice.Loop;
    }

    /// <summary>The loop of a dense filter over four rows at a time.</summary>
    public static delegate*<DenseTaps*, void> DenseFourRows<TOut>(SimdWidth width)
        where TOut : unmanaged
    {
        var choice = default(DenseFourRowsChoice<TOut>);
        width.Dispatch(ref choice);
        return choice.Loop;
    }

    /// <summary>The loop that makes floats of pixels: from, to, count, and how many bytes ahead is fetched.</summary>
    public static delegate*<void*, float*, nint, nint, void> Widen<TIn>(SimdWidth width)
        where TIn : unmanaged
    {
        var choice = default(WidenChoice<TIn>);
        width.Dispatch(ref choice);
        return choice.Loop;
    }

    private ref struct FourLinesChoice<TIn>(ReadOnlySpan<float> weights, Mirror mirror) : ISimdWork
        where TIn : unmanaged
    {
        private readonly ReadOnlySpan<float> _weights = weights;
        private readonly Mirror _mirror = mirror;

        public delegate*<ColumnTaps*, void> Loop;

        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => Loop = FourLines<TSimd, TVec, TIn>(_weights, _mirror);
    }

    private struct OneLineChoice<TIn>(Mirror mirror) : ISimdWork
        where TIn : unmanaged
    {
        public delegate*<ColumnTaps*, void> Loop;

        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => Loop = mirror switch
            {
                Mirror.Even => &ColumnPairsPass.OneLine<TSimd, TVec, TIn, EvenMirror>,
                Mirror.Odd => &ColumnPairsPass.OneLine<TSimd, TVec, TIn, OddMirror>,
                _ => &ColumnPass.OneLine<TSimd, TVec, TIn>,
            };
    }

    private struct RowChoice<TOut>(int taps) : ISimdWork
        where TOut : unmanaged
    {
        public delegate*<RowTaps*, void> Loop;

        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => Loop = Row<TSimd, TVec, TOut>(taps);
    }

    private struct RowPairsChoice<TOut, TMirror> : ISimdWork
        where TOut : unmanaged
        where TMirror : struct, IMirror
    {
        public delegate*<RowTaps*, void> Loop;

        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => Loop = &RowPairsPass.Run<TSimd, TVec, TOut, TMirror>;
    }

    private struct DenseFourRowsChoice<TOut> : ISimdWork
        where TOut : unmanaged
    {
        public delegate*<DenseTaps*, void> Loop;

        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => Loop = &DensePass.FourRows<TSimd, TVec, TOut>;
    }

    private struct WidenChoice<TIn> : ISimdWork
        where TIn : unmanaged
    {
        public delegate*<void*, float*, nint, nint, void> Loop;

        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => Loop = &DensePass.Widen<TSimd, TVec, TIn>;
    }

    private static delegate*<ColumnTaps*, void> FourLines<TSimd, TVec, TIn>(ReadOnlySpan<float> weights, Mirror mirror)
        where TSimd : struct, ISimd<TVec>
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
                _ when mirror == Mirror.Odd => &ColumnPairsPass.FourLines<TSimd, TVec, TIn, OddMirror>,
                _ => null,
            };
        }

        if (zeros > 0)
            return null;
        return (taps, mirror) switch
        {
            ( < 3, _) => null,
            (3, _) => &ColumnPass.FourLines<TSimd, TVec, TIn, Taps3>,
            (5, _) => &ColumnPass.FourLines<TSimd, TVec, TIn, Taps5>,
            (7, _) => &ColumnPass.FourLines<TSimd, TVec, TIn, Taps7>,
            (_, Mirror.Even) => &ColumnPairsPass.FourLines<TSimd, TVec, TIn, EvenMirror>,
            (_, Mirror.Odd) => &ColumnPairsPass.FourLines<TSimd, TVec, TIn, OddMirror>,
            _ => &ColumnPass.FourLinesOfMany<TSimd, TVec, TIn>,
        };
    }

    private static delegate*<RowTaps*, void> RowPairs<TOut, TMirror>(SimdWidth width, int step)
        where TOut : unmanaged
        where TMirror : struct, IMirror
    {
        if (width == SimdWidth.V512 && RowPairsWindowPass.Handles(step))
        {
            return step switch
            {
                1 => &RowPairsWindowPass.Run<TOut, TMirror, Step1>,
                2 => &RowPairsWindowPass.Run<TOut, TMirror, Step2>,
                3 => &RowPairsWindowPass.Run<TOut, TMirror, Step3>,
                _ => &RowPairsWindowPass.Run<TOut, TMirror, Step4>,
            };
        }

        var choice = default(RowPairsChoice<TOut, TMirror>);
        width.Dispatch(ref choice);
        return choice.Loop;
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
        where TSimd : struct, ISimd<TVec>
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
