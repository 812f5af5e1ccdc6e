using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

/// <summary>
/// One call of <see cref="SmallFilterPass"/>: a part of four output rows, none of whose taps lies in a border.
/// </summary>
internal unsafe struct SmallFilterTaps
{
    /// <summary>The first element of the part in the first row that is read; a vector before and behind the part is read too.</summary>
    public byte* Input;

    /// <summary>Bytes from an input row to the next.</summary>
    public nint InputRowBytes;

    /// <summary>The first sum of the first output row, at the beginning of a vector in memory where it is streamed.</summary>
    public float* Target;

    /// <summary>Floats from an output row to the next; a multiple of a vector where they are streamed.</summary>
    public nint TargetStride;

    /// <summary>Elements a row, a multiple of a vector.</summary>
    public nint Count;

    /// <summary>Eight weights: of the column's taps, and zeros.</summary>
    public float* Column;

    /// <summary>Eight weights: of the row's taps, and zeros.</summary>
    public float* Row;

    /// <summary>Added to every sum.</summary>
    public float Offset;
}

/// <summary>
/// A separable filter of 3, 5 or 7 taps either way in one pass, four rows at a time, away from the borders: to the bit the sums of
/// <see cref="ColumnPass"/> and <see cref="RowPass"/>, but the column sums stay in registers. A row's taps are cut out of the last three
/// vectors of its column sums.
/// </summary>
/// <remarks>
/// So small a filter is bound by memory, and two passes in turns leave it idle by halves. On one Zen 5 core, 3840x2160: 5x5 on floats x 3
/// takes 6.1 ms in place of 11.7, where a plain copy takes 5.1. For 512 bits alone, as <see cref="RowWindowPass"/> is and for its reason.
/// </remarks>
internal static unsafe class SmallFilterPass
{
    /// <summary>Elements of a vector: parts of rows are a multiple of it.</summary>
    public const int V = 16;

    // Far enough for memory, and a part of the first-level cache that rows of this depth do not fill.
    private const int AheadBytes = 1280;

    /// <summary>
    /// The body for such taps and floats from a pixel to the next, or null. Sums are written as <typeparamref name="TOut"/>, which is
    /// float or streamed.
    /// </summary>
    public static delegate*<SmallFilterTaps*, void> For<TIn, TOut>(int columnTaps, bool hollowColumn, int rowTaps, bool hollowRow, int step)
        where TIn : unmanaged
        where TOut : unmanaged => (columnTaps, hollowColumn) switch
        {
            _ when !Avx512BW.IsSupported => null,
            (3, false) => Rows<TIn, TOut, Taps3>(rowTaps, hollowRow, step),
            (3, true) => Rows<TIn, TOut, Taps3Hollow>(rowTaps, hollowRow, step),
            (5, false) => Rows<TIn, TOut, Taps5>(rowTaps, hollowRow, step),
            (5, true) => Rows<TIn, TOut, Taps5Hollow>(rowTaps, hollowRow, step),
            (7, false) => Rows<TIn, TOut, Taps7>(rowTaps, hollowRow, step),
            (7, true) => Rows<TIn, TOut, Taps7Hollow>(rowTaps, hollowRow, step),
            _ => null,
        };

    private static delegate*<SmallFilterTaps*, void> Rows<TIn, TOut, TColumn>(int taps, bool hollow, int step)
        where TIn : unmanaged
        where TOut : unmanaged
        where TColumn : struct, ITapCount => (taps, hollow) switch
        {
            (3, false) => Steps<TIn, TOut, TColumn, Taps3>(step),
            (3, true) => Steps<TIn, TOut, TColumn, Taps3Hollow>(step),
            (5, false) => Steps<TIn, TOut, TColumn, Taps5>(step),
            (5, true) => Steps<TIn, TOut, TColumn, Taps5Hollow>(step),
            (7, false) => Steps<TIn, TOut, TColumn, Taps7>(step),
            (7, true) => Steps<TIn, TOut, TColumn, Taps7Hollow>(step),
            _ => null,
        };

    private static delegate*<SmallFilterTaps*, void> Steps<TIn, TOut, TColumn, TRow>(int step)
        where TIn : unmanaged
        where TOut : unmanaged
        where TColumn : struct, ITapCount
        where TRow : struct, ITapCount => step switch
        {
            1 => &Run<TIn, TOut, TColumn, TRow, Step1>,
            2 => &Run<TIn, TOut, TColumn, TRow, Step2>,
            3 => &Run<TIn, TOut, TColumn, TRow, Step3>,
            4 => &Run<TIn, TOut, TColumn, TRow, Step4>,
            _ => null,
        };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TIn, TOut, TColumn, TRow, TStep>(SmallFilterTaps* call)
        where TIn : unmanaged
        where TOut : unmanaged
        where TColumn : struct, ITapCount
        where TRow : struct, ITapCount
        where TStep : struct, ITapStep
    {
        Debug.Assert(call->Count % V == 0, "A part is whole vectors.");

        // These two come first: what lived across a call would be read from the stack in the loop.
        var last = FirstColumns<TIn, TColumn>(call, -V);
        var here = FirstColumns<TIn, TColumn>(call, 0);
        var rows = new Window<TIn>(call->Input, call->InputRowBytes);
        var ahead = call->Input + ((TColumn.Count - 1) * call->InputRowBytes) + AheadBytes;
        var target = (byte*)call->Target;
        var targetRow = call->TargetStride * sizeof(float);
        var (targetRow2, targetRow3) = (2 * targetRow, 3 * targetRow);
        var end = target + (call->Count * sizeof(float));
        var (column0, column4) = (new Four(call->Column), new Four(call->Column + 4));
        var (row0, row4) = (new Four(call->Row), new Four(call->Row + 4));
        var offset = Vector512.Create(call->Offset);
        for (; target < end; target += V * sizeof(float), ahead += V * sizeof(TIn))
        {
            if (ColumnPass.IsNewLine((TIn*)ahead, V))
            {
                Sse.Prefetch0(ahead);
                Sse.Prefetch0(ahead + rows.Stride);
                Sse.Prefetch0(ahead + (2 * rows.Stride));
                Sse.Prefetch0(ahead + rows.Stride3);
            }

            rows.Move(V);
            var next = Columns<TIn, TColumn>(rows, column0, column4);
            Store<TOut>(Taps<TRow, TStep>(last.A, here.A, next.A, row0, row4, offset), target);
            Store<TOut>(Taps<TRow, TStep>(last.B, here.B, next.B, row0, row4, offset), target + targetRow);
            Store<TOut>(Taps<TRow, TStep>(last.C, here.C, next.C, row0, row4, offset), target + targetRow2);
            Store<TOut>(Taps<TRow, TStep>(last.D, here.D, next.D, row0, row4, offset), target + targetRow3);
            last = here;
            here = next;
        }
    }

    // Called, not inlined: the JIT has a budget of what it inlines into one method, and beyond it leaves calls in the loop.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static Four FirstColumns<TIn, TTaps>(SmallFilterTaps* call, nint x)
        where TIn : unmanaged
        where TTaps : struct, ITapCount
    {
        var rows = new Window<TIn>(call->Input, call->InputRowBytes);
        rows.Move(x);
        return Columns<TIn, TTaps>(rows, new Four(call->Column), new Four(call->Column + 4));
    }

    // The column sums of four rows at one place.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Four Columns<TIn, TTaps>(Window<TIn> rows, Four w0, Four w4)
        where TIn : unmanaged
        where TTaps : struct, ITapCount
    {
        Four sums = default;
        Add<TTaps>(0, rows.Load(0), w0, w4, ref sums);
        Add<TTaps>(1, rows.Load(1), w0, w4, ref sums);
        Add<TTaps>(2, rows.Load(2), w0, w4, ref sums);
        Add<TTaps>(3, rows.Load(3), w0, w4, ref sums);
        Add<TTaps>(4, rows.Load(4), w0, w4, ref sums);
        Add<TTaps>(5, rows.Load(5), w0, w4, ref sums);
        if (TTaps.Count > 3)
        {
            Add<TTaps>(6, rows.Load(6), w0, w4, ref sums);
            Add<TTaps>(7, rows.Load(7), w0, w4, ref sums);
        }

        if (TTaps.Count > 5)
        {
            Add<TTaps>(8, rows.Load(8), w0, w4, ref sums);
            Add<TTaps>(9, rows.Load(9), w0, w4, ref sums);
        }

        return sums;
    }

    // What an input row adds to the sums of the four output rows.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TTaps>(int row, Vector512<float> pixels, Four w0, Four w4, ref Four sums)
        where TTaps : struct, ITapCount
    {
        sums.A = Tap<TTaps>(row, pixels, w0, w4, sums.A);
        sums.B = Tap<TTaps>(row - 1, pixels, w0, w4, sums.B);
        sums.C = Tap<TTaps>(row - 2, pixels, w0, w4, sums.C);
        sums.D = Tap<TTaps>(row - 3, pixels, w0, w4, sums.D);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Taps<TTaps, TStep>(
        Vector512<float> last, Vector512<float> here, Vector512<float> next, Four w0, Four w4, Vector512<float> offset)
        where TTaps : struct, ITapCount
        where TStep : struct, ITapStep
    {
        var first = -(TTaps.Count / 2) * TStep.Floats;
        var sum = Tap<TTaps>(0, Cut(last, here, next, first), w0, w4, offset);
        sum = Tap<TTaps>(1, Cut(last, here, next, first + TStep.Floats), w0, w4, sum);
        sum = Tap<TTaps>(2, Cut(last, here, next, first + (2 * TStep.Floats)), w0, w4, sum);
        if (TTaps.Count > 3)
        {
            sum = Tap<TTaps>(3, Cut(last, here, next, first + (3 * TStep.Floats)), w0, w4, sum);
            sum = Tap<TTaps>(4, Cut(last, here, next, first + (4 * TStep.Floats)), w0, w4, sum);
        }

        if (TTaps.Count > 5)
        {
            sum = Tap<TTaps>(5, Cut(last, here, next, first + (5 * TStep.Floats)), w0, w4, sum);
            sum = Tap<TTaps>(6, Cut(last, here, next, first + (6 * TStep.Floats)), w0, w4, sum);
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Tap<TTaps>(int tap, Vector512<float> value, Four w0, Four w4, Vector512<float> sum)
        where TTaps : struct, ITapCount =>
        tap >= 0 && tap < TTaps.Count && !(TTaps.Hollow && tap == TTaps.Count / 2)
            ? Vector512.FusedMultiplyAdd(value, tap < 4 ? w0.At(tap) : w4.At(tap - 4), sum)
            : sum;

    // Sixteen floats from some before to some behind the beginning of the vector in the middle.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Cut(Vector512<float> last, Vector512<float> here, Vector512<float> next, int first) =>
        first < 0 ? VectorCut.At(last, here, V + first) : VectorCut.At(here, next, first);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TOut>(Vector512<float> sums, byte* target)
        where TOut : unmanaged
    {
        if (typeof(TOut) == typeof(Streamed<float>))
            sums.StoreAlignedNonTemporal((float*)target);
        else
            sums.Store((float*)target);
    }

    /// <summary>Sums of four rows, or four weights: the JIT keeps four fields in registers, but no more.</summary>
    [method: MethodImpl(MethodImplOptions.AggressiveInlining)]
    private struct Four(float* weights)
    {
        public Vector512<float> A = Vector512.Create(weights[0]);
        public Vector512<float> B = Vector512.Create(weights[1]);
        public Vector512<float> C = Vector512.Create(weights[2]);
        public Vector512<float> D = Vector512.Create(weights[3]);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly Vector512<float> At(int index) => index switch
        {
            0 => A,
            1 => B,
            2 => C,
            _ => D,
        };
    }

    /// <summary>
    /// Ten rows equally far apart, reached from two of them: there are not registers enough to point to each.
    /// </summary>
    [method: MethodImpl(MethodImplOptions.AggressiveInlining)]
    private struct Window<TIn>(byte* row0, nint stride)
        where TIn : unmanaged
    {
        public readonly nint Stride = stride;
        public readonly nint Stride3 = 3 * stride;
        private byte* _row0 = row0;
        private byte* _row4 = row0 + (4 * stride);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Move(nint elements)
        {
            _row0 += elements * sizeof(TIn);
            _row4 += elements * sizeof(TIn);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly Vector512<float> Load(int row) => Simd512.LoadPixels((TIn*)(row switch
        {
            0 => _row0,
            1 => _row0 + Stride,
            2 => _row0 + (2 * Stride),
            3 => _row0 + Stride3,
            4 => _row4,
            5 => _row4 + Stride,
            6 => _row4 + (2 * Stride),
            7 => _row4 + Stride3,
            8 => _row4 + (4 * Stride),
            _ => _row4 + Stride + (4 * Stride),
        }));
    }
}
