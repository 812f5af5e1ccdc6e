using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>Rows of output of two vectors of channels, of every Dilation-th column, for <see cref="QuantizedDepthwiseSlide"/>.</summary>
internal unsafe struct QuantizedDepthwiseBand
{
    /// <summary>The image's first row at the first column that is read and inside, at the first channel.</summary>
    public byte* Image;

    /// <summary>Bytes from an input row to the next.</summary>
    public nint RowStride;

    /// <summary>Bytes from a column that is read to the next.</summary>
    public nint ColumnStride;

    /// <summary>
    /// Columns that are read: of the border, then of the image, then of the border again, to <see cref="Columns"/> in all.
    /// </summary>
    public int LeftColumns;

    public int InsideColumns;

    public int Columns;

    /// <summary>The vertical axis. The kernel may have fewer rows than the loop, which then reads none for the rest.</summary>
    public AxisGeometry Rows;

    /// <summary>The first row of output and one past the last.</summary>
    public int FirstRow;

    public int EndRow;

    /// <summary>Two vectors of bytes that stand for 0.</summary>
    public byte* Border;

    /// <summary>
    /// [kernel column][pair of kernel rows][column of both vectors]: 16 bits of the upper row's weight below 16 of the lower one's.
    /// </summary>
    public int* Weights;

    /// <summary>[column of both vectors].</summary>
    public int* Bias;

    /// <summary>The numbers that sums are rounded by; those of the two vectors begin at <see cref="FirstColumn"/>.</summary>
    public RoundingTables Tables;

    public int FirstColumn;

    public QuantizedOutput Output;

    /// <summary>The first row of output at the first channel.</summary>
    public byte* Target;

    /// <summary>Bytes from a row of output to the next.</summary>
    public nint TargetRowStride;

    /// <summary>Bytes from an output to the next.</summary>
    public nint TargetStride;
}

/// <summary>
/// The loops of <see cref="QuantizedDepthwiseSliding"/>, which go along a row of output column by column. The numbers of an input column
/// are widened to 16 bits and paired in registers, one row's with the next row's. Their products are added to every sum that reads the
/// column, and the sum that is then complete is made bytes. Nothing is stored in between.
/// </summary>
internal static unsafe class QuantizedDepthwiseSlide
{
    /// <summary>
    /// Kernels of 3x3, whose outputs lie TStride columns apart, 1 or 2; TSigned is 1 for unsigned bytes, 2 for signed ones.
    /// </summary>
    /// <remarks>
    /// Sums are named by how many columns they lack; weights stay in registers where there are enough. It is one long body because vectors
    /// stay there only as locals of one method.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run3x3<TSimd, TVec, TRounding, TSigned, TStride>(in QuantizedDepthwiseBand band)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
        where TRounding : struct, IRounding<TSimd, TVec>
        where TSigned : unmanaged, IConstant
        where TStride : unmanaged, IConstant
    {
        var v = TSimd.Count;
        var factors = band.Tables.Factors + band.FirstColumn;
        var (factorLow, factorHigh) = (TSimd.Load(factors), TSimd.Load(factors + v));
        var lower = band.Tables.Lower + band.FirstColumn;
        var (lowerLow, lowerHigh) = (TSimd.Load(lower), TSimd.Load(lower + v));
        var upper = band.Tables.Upper + band.FirstColumn;
        var (upperLow, upperHigh) = (TSimd.Load(upper), TSimd.Load(upper + v));
        var shifts = band.Tables.Shifts + band.FirstColumn;
        var (shiftLow, shiftHigh) = (TSimd.Load(shifts), TSimd.Load(shifts + v));
        var zeroPoint = TSimd.BroadcastShort(band.Output.ZeroPoint);
        var least = TSimd.BroadcastShort(band.Output.ClampMin);
        var most = TSimd.BroadcastShort(band.Output.ClampMax);
        var (biasLow, biasHigh) = (TSimd.Load(band.Bias), TSimd.Load(band.Bias + v));
        var w = band.Weights;
        var (w0aLow, w0aHigh, w0bLow, w0bHigh) = (TSimd.Load(w), TSimd.Load(w + v), TSimd.Load(w + (2 * v)), TSimd.Load(w + (3 * v)));
        w += 4 * v;
        var (w1aLow, w1aHigh, w1bLow, w1bHigh) = (TSimd.Load(w), TSimd.Load(w + v), TSimd.Load(w + (2 * v)), TSimd.Load(w + (3 * v)));
        w += 4 * v;
        var (w2aLow, w2aHigh, w2bLow, w2bHigh) = (TSimd.Load(w), TSimd.Load(w + v), TSimd.Load(w + (2 * v)), TSimd.Load(w + (3 * v)));
        var (left, inside, window) = (band.LeftColumns, band.InsideColumns, band.Columns);
        var (columnStride, targetStride) = (band.ColumnStride, band.TargetStride);
        for (var row = band.FirstRow; row < band.EndRow; row++)
        {
            TVec oneLow = biasLow, oneHigh = biasHigh, twoLow = biasLow, twoHigh = biasHigh;
            var y = band.Rows.InputStart(row);
            var target = band.Target + ((row - band.FirstRow) * band.TargetRowStride);
            var skip = sizeof(TStride) == 1 ? 2 : 1;
            var isOdd = false;
            for (var part = 0; part < 3; part++)
            {
                byte* p0 = band.Border, p1 = p0, p2 = p0;
                nint step0 = 0, step1 = 0, step2 = 0;
                var count = part == 0 ? left : window - left - inside;
                if (part == 1)
                {
                    count = inside;
                    Start(band, y, 0, columnStride, ref p0, ref step0);
                    Start(band, y, 1, columnStride, ref p1, ref step1);
                    Start(band, y, 2, columnStride, ref p2, ref step2);
                }

                for (; count > 0; count--)
                {
                    var x0 = TSimd.LoadShorts(p0, sizeof(TSigned) == 2);
                    var x1 = TSimd.LoadShorts(p1, sizeof(TSigned) == 2);
                    var x2 = TSimd.LoadShorts(p2, sizeof(TSigned) == 2);
                    p0 += step0;
                    p1 += step1;
                    p2 += step2;
                    var (aLow, aHigh, bLow, bHigh) =
                        (TSimd.JoinLow(x0, x1), TSimd.JoinHigh(x0, x1), TSimd.JoinLow(x2, x2), TSimd.JoinHigh(x2, x2));
                    if (sizeof(TStride) == 2 && isOdd)
                    {
                        oneLow = TSimd.MultiplyAddPairs(bLow, w1bLow, TSimd.MultiplyAddPairs(aLow, w1aLow, oneLow));
                        oneHigh = TSimd.MultiplyAddPairs(bHigh, w1bHigh, TSimd.MultiplyAddPairs(aHigh, w1aHigh, oneHigh));
                        isOdd = false;
                        continue;
                    }

                    isOdd = true;
                    var low = TSimd.MultiplyAddPairs(bLow, w2bLow, TSimd.MultiplyAddPairs(aLow, w2aLow, oneLow));
                    var high = TSimd.MultiplyAddPairs(bHigh, w2bHigh, TSimd.MultiplyAddPairs(aHigh, w2aHigh, oneHigh));
                    if (sizeof(TStride) == 1)
                    {
                        oneLow = TSimd.MultiplyAddPairs(bLow, w1bLow, TSimd.MultiplyAddPairs(aLow, w1aLow, twoLow));
                        oneHigh = TSimd.MultiplyAddPairs(bHigh, w1bHigh, TSimd.MultiplyAddPairs(aHigh, w1aHigh, twoHigh));
                        twoLow = TSimd.MultiplyAddPairs(bLow, w0bLow, TSimd.MultiplyAddPairs(aLow, w0aLow, biasLow));
                        twoHigh = TSimd.MultiplyAddPairs(bHigh, w0bHigh, TSimd.MultiplyAddPairs(aHigh, w0aHigh, biasHigh));
                    }
                    else
                    {
                        oneLow = TSimd.MultiplyAddPairs(bLow, w0bLow, TSimd.MultiplyAddPairs(aLow, w0aLow, biasLow));
                        oneHigh = TSimd.MultiplyAddPairs(bHigh, w0bHigh, TSimd.MultiplyAddPairs(aHigh, w0aHigh, biasHigh));
                    }

                    if (--skip >= 0)
                        continue;
                    low = TRounding.Round(low, factorLow, lowerLow, upperLow, shiftLow);
                    high = TRounding.Round(high, factorHigh, lowerHigh, upperHigh, shiftHigh);
                    TSimd.StoreBytes(TSimd.ClampShorts(TSimd.AddShorts(TSimd.Pack(low, high), zeroPoint), least, most), target);
                    target += targetStride;
                }
            }
        }
    }

    /// <summary>The same for 5x5.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run5x5<TSimd, TVec, TRounding, TSigned, TStride>(in QuantizedDepthwiseBand band)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
        where TRounding : struct, IRounding<TSimd, TVec>
        where TSigned : unmanaged, IConstant
        where TStride : unmanaged, IConstant
    {
        var v = TSimd.Count;
        var factors = band.Tables.Factors + band.FirstColumn;
        var (factorLow, factorHigh) = (TSimd.Load(factors), TSimd.Load(factors + v));
        var lower = band.Tables.Lower + band.FirstColumn;
        var (lowerLow, lowerHigh) = (TSimd.Load(lower), TSimd.Load(lower + v));
        var upper = band.Tables.Upper + band.FirstColumn;
        var (upperLow, upperHigh) = (TSimd.Load(upper), TSimd.Load(upper + v));
        var shifts = band.Tables.Shifts + band.FirstColumn;
        var (shiftLow, shiftHigh) = (TSimd.Load(shifts), TSimd.Load(shifts + v));
        var zeroPoint = TSimd.BroadcastShort(band.Output.ZeroPoint);
        var least = TSimd.BroadcastShort(band.Output.ClampMin);
        var most = TSimd.BroadcastShort(band.Output.ClampMax);
        var (biasLow, biasHigh) = (TSimd.Load(band.Bias), TSimd.Load(band.Bias + v));
        var w0 = band.Weights;
        var (w1, w2, w3, w4) = ((nint)(w0 + (6 * v)), (nint)(w0 + (12 * v)), (nint)(w0 + (18 * v)), (nint)(w0 + (24 * v)));
        var (left, inside, window) = (band.LeftColumns, band.InsideColumns, band.Columns);
        var (columnStride, targetStride) = (band.ColumnStride, band.TargetStride);
        for (var row = band.FirstRow; row < band.EndRow; row++)
        {
            TVec oneLow = biasLow, oneHigh = biasHigh, twoLow = biasLow, twoHigh = biasHigh;
            TVec threeLow = biasLow, threeHigh = biasHigh, fourLow = biasLow, fourHigh = biasHigh;
            var y = band.Rows.InputStart(row);
            var target = band.Target + ((row - band.FirstRow) * band.TargetRowStride);
            var skip = sizeof(TStride) == 1 ? 4 : 2;
            var isOdd = false;
            for (var part = 0; part < 3; part++)
            {
                byte* p0 = band.Border, p1 = p0, p2 = p0, p3 = p0, p4 = p0;
                nint step0 = 0, step1 = 0, step2 = 0, step3 = 0, step4 = 0;
                var count = part == 0 ? left : window - left - inside;
                if (part == 1)
                {
                    count = inside;
                    Start(band, y, 0, columnStride, ref p0, ref step0);
                    Start(band, y, 1, columnStride, ref p1, ref step1);
                    Start(band, y, 2, columnStride, ref p2, ref step2);
                    Start(band, y, 3, columnStride, ref p3, ref step3);
                    Start(band, y, 4, columnStride, ref p4, ref step4);
                }

                for (; count > 0; count--)
                {
                    var x0 = TSimd.LoadShorts(p0, sizeof(TSigned) == 2);
                    var x1 = TSimd.LoadShorts(p1, sizeof(TSigned) == 2);
                    var (aLow, aHigh) = (TSimd.JoinLow(x0, x1), TSimd.JoinHigh(x0, x1));
                    x0 = TSimd.LoadShorts(p2, sizeof(TSigned) == 2);
                    x1 = TSimd.LoadShorts(p3, sizeof(TSigned) == 2);
                    var (bLow, bHigh) = (TSimd.JoinLow(x0, x1), TSimd.JoinHigh(x0, x1));
                    x0 = TSimd.LoadShorts(p4, sizeof(TSigned) == 2);
                    var (cLow, cHigh) = (TSimd.JoinLow(x0, x0), TSimd.JoinHigh(x0, x0));
                    p0 += step0;
                    p1 += step1;
                    p2 += step2;
                    p3 += step3;
                    p4 += step4;
                    if (sizeof(TStride) == 2 && isOdd)
                    {
                        oneLow = Add<TSimd, TVec>(aLow, bLow, cLow, (int*)w3, oneLow);
                        oneHigh = Add<TSimd, TVec>(aHigh, bHigh, cHigh, (int*)w3 + v, oneHigh);
                        twoLow = Add<TSimd, TVec>(aLow, bLow, cLow, (int*)w1, twoLow);
                        twoHigh = Add<TSimd, TVec>(aHigh, bHigh, cHigh, (int*)w1 + v, twoHigh);
                        isOdd = false;
                        continue;
                    }

                    isOdd = true;
                    var low = Add<TSimd, TVec>(aLow, bLow, cLow, (int*)w4, oneLow);
                    var high = Add<TSimd, TVec>(aHigh, bHigh, cHigh, (int*)w4 + v, oneHigh);
                    if (sizeof(TStride) == 1)
                    {
                        oneLow = Add<TSimd, TVec>(aLow, bLow, cLow, (int*)w3, twoLow);
                        oneHigh = Add<TSimd, TVec>(aHigh, bHigh, cHigh, (int*)w3 + v, twoHigh);
                        twoLow = Add<TSimd, TVec>(aLow, bLow, cLow, (int*)w2, threeLow);
                        twoHigh = Add<TSimd, TVec>(aHigh, bHigh, cHigh, (int*)w2 + v, threeHigh);
                        threeLow = Add<TSimd, TVec>(aLow, bLow, cLow, (int*)w1, fourLow);
                        threeHigh = Add<TSimd, TVec>(aHigh, bHigh, cHigh, (int*)w1 + v, fourHigh);
                        fourLow = Add<TSimd, TVec>(aLow, bLow, cLow, w0, biasLow);
                        fourHigh = Add<TSimd, TVec>(aHigh, bHigh, cHigh, w0 + v, biasHigh);
                    }
                    else
                    {
                        oneLow = Add<TSimd, TVec>(aLow, bLow, cLow, (int*)w2, twoLow);
                        oneHigh = Add<TSimd, TVec>(aHigh, bHigh, cHigh, (int*)w2 + v, twoHigh);
                        twoLow = Add<TSimd, TVec>(aLow, bLow, cLow, w0, biasLow);
                        twoHigh = Add<TSimd, TVec>(aHigh, bHigh, cHigh, w0 + v, biasHigh);
                    }

                    if (--skip >= 0)
                        continue;
                    low = TRounding.Round(low, factorLow, lowerLow, upperLow, shiftLow);
                    high = TRounding.Round(high, factorHigh, lowerHigh, upperHigh, shiftHigh);
                    TSimd.StoreBytes(TSimd.ClampShorts(TSimd.AddShorts(TSimd.Pack(low, high), zeroPoint), least, most), target);
                    target += targetStride;
                }
            }
        }
    }

    /// <summary>Three pairs of rows of a kernel column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec Add<TSimd, TVec>(TVec a, TVec b, TVec c, int* weights, TVec sum)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        sum = TSimd.MultiplyAddPairs(a, TSimd.Load(weights), sum);
        sum = TSimd.MultiplyAddPairs(b, TSimd.Load(weights + (2 * TSimd.Count)), sum);
        return TSimd.MultiplyAddPairs(c, TSimd.Load(weights + (4 * TSimd.Count)), sum);
    }

    /// <summary>Where a kernel row's input begins, if the kernel has that row and the image its input.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Start(in QuantizedDepthwiseBand band, int y, int kernelRow, nint columnStride, ref byte* start, ref nint step)
    {
        if (kernelRow >= band.Rows.Kernel)
            return;
        y += kernelRow * band.Rows.Dilation;
        if ((uint)y >= (uint)band.Rows.In)
            return;
        start = band.Image + (y * band.RowStride);
        step = columnStride;
    }
}
