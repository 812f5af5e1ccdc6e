using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// Input pixels of one row that the same taps read: what one call of <see cref="DepthwiseGradientTaps"/> works on. The taps are a
/// grid of up to 3 rows and 3 columns. Distances are in floats.
/// </summary>
internal unsafe struct DepthwiseGradientRun
{
    /// <summary>The first input pixel.</summary>
    public float* Input;

    /// <summary>The first pixel of the input's gradient.</summary>
    public float* InputGradient;

    /// <summary>From a pixel to the next, of the input and of its gradient.</summary>
    public nint InputStep;

    public int Pixels;

    /// <summary>To the same pixels of the row that is worked on next, where that is to be fetched meanwhile; else 0.</summary>
    public nint Ahead;

    /// <summary>Whether the input's gradient is too large for the caches.</summary>
    public bool IsLarge;

    /// <summary>For each row of taps, the output gradient's pixel that the first column meets at the first input pixel.</summary>
    public float* Row0;
    public float* Row1;
    public float* Row2;

    /// <summary>From the output gradient's pixel of one input pixel to that of the next.</summary>
    public nint OutputStep;

    /// <summary>From the output gradient's pixel of one column of taps to that of the next.</summary>
    public nint ColumnStep;

    /// <summary>Where the weights of each tap begin within the packed weights of a vector, rows of 3.</summary>
    public fixed int Weights[9];

    /// <summary>Whether the input's gradient is added to: other taps were there before.</summary>
    public bool Adds;

    /// <summary>
    /// What the input is read through, where these taps are all that there are: the gradient is then masked and summed here.
    /// </summary>
    public ChannelMap Map;

    /// <summary>The sums of masked gradients, and of their products with (z - center), [vector][lane]; added to.</summary>
    public float* Sums;
    public float* ProductSums;

    /// <summary>[vector][tap][lane].</summary>
    public float* Packed;

    /// <summary>The weights' gradient, laid out as the weights; added to.</summary>
    public float* Gradients;

    /// <summary>Floats of <see cref="Packed"/> and <see cref="Gradients"/> from one vector to the next.</summary>
    public nint VectorStep;

    public int Vectors;
    public int Channels;
}

/// <summary>
/// Both gradients of a depthwise convolution in one pass: for input pixel x and every output gradient g that it went into by weight w,
/// dx += g*w and dw += g*x.
/// </summary>
/// <remarks>
/// TRows and TColumns are the grid's. The nine sums of dw stay in registers along the row; so do the weights where there are 32 registers.
/// </remarks>
internal static unsafe class DepthwiseGradientTaps
{
    /// <summary>Runs the body of a grid.</summary>
    public static void Run<TSimd, TVec>(int rows, int columns, in DepthwiseGradientRun run)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        if (run.Map.IsPresent)
            Run<TSimd, TVec, Constant.Is2>(rows, columns, run);
        else
            Run<TSimd, TVec, Constant.Is1>(rows, columns, run);
    }

    private static void Run<TSimd, TVec, TMap>(int rows, int columns, in DepthwiseGradientRun run)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TMap : unmanaged, IConstant
    {
        switch ((rows * 4) + columns)
        {
            case (4 * 1) + 1:
                Run<TSimd, TVec, Constant.Is1, Constant.Is1, TMap>(run);
                break;
            case (4 * 1) + 2:
                Run<TSimd, TVec, Constant.Is1, Constant.Is2, TMap>(run);
                break;
            case (4 * 1) + 3:
                Run<TSimd, TVec, Constant.Is1, Constant.Is3, TMap>(run);
                break;
            case (4 * 2) + 1:
                Run<TSimd, TVec, Constant.Is2, Constant.Is1, TMap>(run);
                break;
            case (4 * 2) + 2:
                Run<TSimd, TVec, Constant.Is2, Constant.Is2, TMap>(run);
                break;
            case (4 * 2) + 3:
                Run<TSimd, TVec, Constant.Is2, Constant.Is3, TMap>(run);
                break;
            case (4 * 3) + 1:
                Run<TSimd, TVec, Constant.Is3, Constant.Is1, TMap>(run);
                break;
            case (4 * 3) + 2:
                Run<TSimd, TVec, Constant.Is3, Constant.Is2, TMap>(run);
                break;
            case (4 * 3) + 3:
                Run<TSimd, TVec, Constant.Is3, Constant.Is3, TMap>(run);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TSimd, TVec, TRows, TColumns, TMap>(in DepthwiseGradientRun run)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TRows : unmanaged, IConstant
        where TColumns : unmanaged, IConstant
        where TMap : unmanaged, IConstant
    {
        var zero = TSimd.Zero;
        TVec lower = zero, upper = zero, leastInside = zero, mostInside = zero;
        if (sizeof(TMap) > 1)
        {
            // At a bound the gradient is 0; NaN is less than nothing and lets it through.
            (lower, upper) = (TSimd.Broadcast(run.Map.Lower), TSimd.Broadcast(run.Map.Upper));
            leastInside = TSimd.Broadcast(float.BitIncrement(run.Map.Lower));
            mostInside = TSimd.Broadcast(float.BitDecrement(run.Map.Upper));
        }

        var (inputStep, outputStep, columnStep) = (run.InputStep, run.OutputStep, run.ColumnStep);
        var columnStep2 = 2 * columnStep;
        var (ahead, isLarge) = (run.Ahead, run.IsLarge);
        for (var vector = 0; vector < run.Vectors; vector++)
        {
            nint channel = Math.Min(vector * TSimd.Count, run.Channels - TSimd.Count);
            var packed = run.Packed + (vector * run.VectorStep);
            var gradients = run.Gradients + (vector * run.VectorStep);
            var x = run.Input + channel;
            var dx = run.InputGradient + channel;
            var row0 = run.Row0 + channel;
            var row1 = run.Row1 + channel;
            var row2 = run.Row2 + channel;
            var w00 = TSimd.Load(packed + run.Weights[0]);
            var g00 = TSimd.Load(gradients + run.Weights[0]);
            var w01 = sizeof(TColumns) > 1 ? TSimd.Load(packed + run.Weights[1]) : TSimd.Zero;
            var g01 = sizeof(TColumns) > 1 ? TSimd.Load(gradients + run.Weights[1]) : TSimd.Zero;
            var w02 = sizeof(TColumns) > 2 ? TSimd.Load(packed + run.Weights[2]) : TSimd.Zero;
            var g02 = sizeof(TColumns) > 2 ? TSimd.Load(gradients + run.Weights[2]) : TSimd.Zero;
            var w10 = sizeof(TRows) > 1 ? TSimd.Load(packed + run.Weights[3]) : TSimd.Zero;
            var g10 = sizeof(TRows) > 1 ? TSimd.Load(gradients + run.Weights[3]) : TSimd.Zero;
            var w11 = sizeof(TRows) > 1 && sizeof(TColumns) > 1 ? TSimd.Load(packed + run.Weights[4]) : TSimd.Zero;
            var g11 = sizeof(TRows) > 1 && sizeof(TColumns) > 1 ? TSimd.Load(gradients + run.Weights[4]) : TSimd.Zero;
            var w12 = sizeof(TRows) > 1 && sizeof(TColumns) > 2 ? TSimd.Load(packed + run.Weights[5]) : TSimd.Zero;
            var g12 = sizeof(TRows) > 1 && sizeof(TColumns) > 2 ? TSimd.Load(gradients + run.Weights[5]) : TSimd.Zero;
            var w20 = sizeof(TRows) > 2 ? TSimd.Load(packed + run.Weights[6]) : TSimd.Zero;
            var g20 = sizeof(TRows) > 2 ? TSimd.Load(gradients + run.Weights[6]) : TSimd.Zero;
            var w21 = sizeof(TRows) > 2 && sizeof(TColumns) > 1 ? TSimd.Load(packed + run.Weights[7]) : TSimd.Zero;
            var g21 = sizeof(TRows) > 2 && sizeof(TColumns) > 1 ? TSimd.Load(gradients + run.Weights[7]) : TSimd.Zero;
            var w22 = sizeof(TRows) > 2 && sizeof(TColumns) > 2 ? TSimd.Load(packed + run.Weights[8]) : TSimd.Zero;
            var g22 = sizeof(TRows) > 2 && sizeof(TColumns) > 2 ? TSimd.Load(gradients + run.Weights[8]) : TSimd.Zero;
            TVec scale = zero, center = zero, shift = zero, total = zero, products = zero;
            if (sizeof(TMap) > 1)
            {
                scale = TSimd.Load(run.Map.Scale + channel);
                center = TSimd.Load(run.Map.Center + channel);
                shift = TSimd.Load(run.Map.Shift + channel);
            }

            for (var p = run.Pixels; p > 0; p--)
            {
                var a = TSimd.Load(x);

                // Vector by vector, pixels are read far apart, which no processor foresees.
                if (ahead != 0)
                {
                    LargeMemory.Fetch(x + ahead);
                    if (!isLarge)
                        LargeMemory.Fetch(dx + ahead);
                }

                TVec centered = a, y = a;
                if (sizeof(TMap) > 1)
                {
                    centered = TSimd.Subtract(a, center);
                    y = TSimd.MultiplyAdd(scale, centered, shift);
                    a = TSimd.Min(upper, TSimd.Max(lower, y));
                }

                var sum = sizeof(TMap) == 1 && run.Adds ? TSimd.Load(dx) : zero;
                Tap<TSimd, TVec>(row0, w00, a, ref sum, ref g00);
                if (sizeof(TColumns) > 1)
                    Tap<TSimd, TVec>(row0 + columnStep, w01, a, ref sum, ref g01);
                if (sizeof(TColumns) > 2)
                    Tap<TSimd, TVec>(row0 + columnStep2, w02, a, ref sum, ref g02);

                if (sizeof(TRows) > 1)
                {
                    Tap<TSimd, TVec>(row1, w10, a, ref sum, ref g10);
                    if (sizeof(TColumns) > 1)
                        Tap<TSimd, TVec>(row1 + columnStep, w11, a, ref sum, ref g11);
                    if (sizeof(TColumns) > 2)
                        Tap<TSimd, TVec>(row1 + columnStep2, w12, a, ref sum, ref g12);
                }

                if (sizeof(TRows) > 2)
                {
                    Tap<TSimd, TVec>(row2, w20, a, ref sum, ref g20);
                    if (sizeof(TColumns) > 1)
                        Tap<TSimd, TVec>(row2 + columnStep, w21, a, ref sum, ref g21);
                    if (sizeof(TColumns) > 2)
                        Tap<TSimd, TVec>(row2 + columnStep2, w22, a, ref sum, ref g22);
                }
                if (sizeof(TMap) > 1)
                {
                    sum = TSimd.SelectLess(y, leastInside, zero, TSimd.SelectLess(mostInside, y, zero, sum));
                    total = TSimd.Add(total, sum);
                    products = TSimd.MultiplyAdd(sum, centered, products);
                }

                if (isLarge)
                    LargeMemory.Store<TSimd, TVec>(sum, dx);
                else
                    TSimd.Store(sum, dx);
                x += inputStep;
                dx += inputStep;
                row0 += outputStep;
                row1 += outputStep;
                row2 += outputStep;
            }

            if (sizeof(TMap) > 1)
            {
                var at = vector * TSimd.Count;
                TSimd.Store(TSimd.Add(total, TSimd.Load(run.Sums + at)), run.Sums + at);
                TSimd.Store(TSimd.Add(products, TSimd.Load(run.ProductSums + at)), run.ProductSums + at);
            }

            TSimd.Store(g00, gradients + run.Weights[0]);
            if (sizeof(TColumns) > 1)
                TSimd.Store(g01, gradients + run.Weights[1]);
            if (sizeof(TColumns) > 2)
                TSimd.Store(g02, gradients + run.Weights[2]);
            if (sizeof(TRows) > 1)
                TSimd.Store(g10, gradients + run.Weights[3]);
            if (sizeof(TRows) > 1 && sizeof(TColumns) > 1)
                TSimd.Store(g11, gradients + run.Weights[4]);
            if (sizeof(TRows) > 1 && sizeof(TColumns) > 2)
                TSimd.Store(g12, gradients + run.Weights[5]);
            if (sizeof(TRows) > 2)
                TSimd.Store(g20, gradients + run.Weights[6]);
            if (sizeof(TRows) > 2 && sizeof(TColumns) > 1)
                TSimd.Store(g21, gradients + run.Weights[7]);
            if (sizeof(TRows) > 2 && sizeof(TColumns) > 2)
                TSimd.Store(g22, gradients + run.Weights[8]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Tap<TSimd, TVec>(float* output, TVec weight, TVec x, ref TVec sum, ref TVec gradient)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var g = TSimd.Load(output);
        sum = TSimd.MultiplyAdd(g, weight, sum);
        gradient = TSimd.MultiplyAdd(g, x, gradient);
    }
}
