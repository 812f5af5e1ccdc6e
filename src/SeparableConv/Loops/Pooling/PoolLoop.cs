using System.Diagnostics;
using System.Runtime.CompilerServices;
using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// Pooling: y[n, i, j, c] = the largest, or the mean, of x[n, i*s + u*d - p, j*s + v*d - p, c] over the taps u, v that lie inside the
/// input. Each lane is one channel.
/// </summary>
/// <remarks>
/// The mean divides by the number of taps inside the input or, where the border counts, inside input and border. A window
/// with no tap inside the input gives 0 as its mean and minus infinity as its maximum. A NaN in a maximum's window may be lost.
/// </remarks>
internal static unsafe class PoolLoop
{
    // A part should be worth waking a thread for.
    private const long LeastLoadsInPart = 16 * 1024;

    /// <summary>Computes (N, outH, outW, C) from (N, inH, inW, C).</summary>
    /// <param name="input">The input.</param>
    /// <param name="output">The output.</param>
    /// <param name="geometry">The sizes; as many output channels as input channels.</param>
    /// <param name="mean">Whether the mean is wanted, not the maximum.</param>
    /// <param name="countsBorder">Whether the mean counts the border's zeros.</param>
    /// <param name="activation">Applied to the result.</param>
    /// <param name="width">The widest vectors to run with; fewer channels than lanes take narrower ones.</param>
    /// <param name="threads">Threads to use at most; the result does not depend on it.</param>
    public static void Run(
        float* input, float* output, in ConvGeometry geometry, bool mean, bool countsBorder, Activation activation,
        SimdWidth width, int threads)
    {
        Debug.Assert(geometry.InChannels == geometry.OutChannels, "Pooling keeps the channels.");
        var rows = (long)geometry.Batch * geometry.Rows.Out;
        var loadsInRow = Math.Max(1, (long)geometry.Columns.Out * geometry.InChannels * geometry.Rows.Kernel * geometry.Columns.Kernel);
        var work = new Work
        {
            Input = input,
            Output = output,
            Geometry = geometry,
            Mean = mean,
            CountsBorder = countsBorder,
            Activation = activation,
            Width = SimdWidths.ForChannels(width, geometry.InChannels),
            RowsInPart = (int)Math.Clamp(LeastLoadsInPart / loadsInRow, 1, rows),
            Rows = checked((int)rows),
        };
        WorkerPool.Shared.Run(ref work, (work.Rows + work.RowsInPart - 1) / work.RowsInPart, threads);
    }

    /// <summary>Taps that lie inside the input or its border; the last windows of a rounded-up size reach further.</summary>
    public static int BorderedTaps(in AxisGeometry axis, int output)
    {
        var room = (long)axis.In + axis.PadAfter - axis.InputStart(output);
        return (int)Math.Min(axis.Kernel, (room + axis.Dilation - 1) / axis.Dilation);
    }

    private struct Work : IParallelWork
    {
        public float* Input;
        public float* Output;
        public ConvGeometry Geometry;
        public bool Mean;
        public bool CountsBorder;
        public Activation Activation;
        public SimdWidth Width;
        public int RowsInPart;
        public int Rows;

        public readonly void Execute(int part)
        {
            var rows = new PartRows(in this, part * RowsInPart, Math.Min(Rows, (part + 1) * RowsInPart));
            Width.Dispatch(ref rows);
        }

        public readonly void RunRows<TSimd, TVec>(int row, int end)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            var (columns, channels) = (Geometry.Columns.Out, Geometry.InChannels);
            for (; row < end; row++)
            {
                if (Mean)
                    RunRow<TSimd, TVec, Reduction.Sum>(row);
                else
                    RunRow<TSimd, TVec, Reduction.Max>(row);
                Activation.ApplyRows(Output + ((nint)row * columns * channels), columns, channels, channels, 0, Width);
            }
        }

        private readonly void RunRow<TSimd, TVec, TReduction>(int row)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
            where TReduction : struct, IReduction
        {
            var (rows, columns, channels) = (Geometry.Rows, Geometry.Columns, (nint)Geometry.InChannels);
            var (image, outY) = Math.DivRem(row, rows.Out);
            var (startU, endU) = rows.Taps(outY);
            var countV = columns.Kernel;
            Window window = default;
            window.Lower = Activation.LowerBound;
            window.Upper = Activation.UpperBound;
            window.Channels = channels;
            window.RowStep = rows.Dilation * (nint)columns.In * channels;
            window.ColumnStep = columns.Dilation * channels;
            window.Rows = endU - startU;
            var firstY = rows.InputStart(outY) + ((nint)startU * rows.Dilation);
            var inputRow = Input + (((image * (nint)rows.In) + firstY) * columns.In * channels);
            var countU = CountsBorder ? BorderedTaps(rows, outY) : window.Rows;
            var (interiorStart, interiorEnd) = (columns.InteriorStart, columns.InteriorEnd);
            for (var outX = 0; outX < columns.Out; outX++)
            {
                var (startV, endV) = outX >= interiorStart && outX < interiorEnd ? (0, countV) : columns.Taps(outX);
                window.Columns = endV - startV;
                var firstX = columns.InputStart(outX) + ((nint)startV * columns.Dilation);
                window.Input = inputRow + (firstX * channels);
                window.Output = Output + ((((nint)row * columns.Out) + outX) * channels);
                var counted = CountsBorder && window.Columns < countV
                    ? BorderedTaps(columns, outX)
                    : CountsBorder ? countV : window.Columns;
                window.Divisor = Mean ? Math.Max(1f, (float)countU * counted) : 1;
                Reduce<TSimd, TVec, TReduction>(window);
            }
        }
    }

    private readonly ref struct PartRows(ref readonly Work work, int row, int end) : ISimdWork
    {
        private readonly ref readonly Work _work = ref work;

        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => _work.RunRows<TSimd, TVec>(row, end);
    }

    private struct Window
    {
        public float* Input;
        public float* Output;
        public nint Channels;
        public nint RowStep;
        public nint ColumnStep;
        public int Rows;
        public int Columns;
        public float Divisor;
        public float Lower;
        public float Upper;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Reduce<TSimd, TVec, TReduction>(in Window window)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TReduction : struct, IReduction
    {
        nint v = TSimd.Count;
        nint channel = 0;
        for (; channel <= window.Channels - (4 * v); channel += 4 * v)
        {
            var a = TSimd.Broadcast(TReduction.Identity);
            var (b, c, d) = (a, a, a);
            var row = window.Input + channel;
            for (var u = 0; u < window.Rows; u++, row += window.RowStep)
            {
                var at = row;
                for (var t = 0; t < window.Columns; t++, at += window.ColumnStep)
                {
                    a = TReduction.Combine<TSimd, TVec>(a, TSimd.Load(at));
                    b = TReduction.Combine<TSimd, TVec>(b, TSimd.Load(at + v));
                    c = TReduction.Combine<TSimd, TVec>(c, TSimd.Load(at + (2 * v)));
                    d = TReduction.Combine<TSimd, TVec>(d, TSimd.Load(at + (3 * v)));
                }
            }

            var target = window.Output + channel;
            TSimd.Store(Finish<TSimd, TVec, TReduction>(a, window), target);
            TSimd.Store(Finish<TSimd, TVec, TReduction>(b, window), target + v);
            TSimd.Store(Finish<TSimd, TVec, TReduction>(c, window), target + (2 * v));
            TSimd.Store(Finish<TSimd, TVec, TReduction>(d, window), target + (3 * v));
        }

        while (channel < window.Channels)
        {
            // The last vector moves left over its neighbour.
            channel = Math.Min(channel, window.Channels - v);
            var a = TSimd.Broadcast(TReduction.Identity);
            var row = window.Input + channel;
            for (var u = 0; u < window.Rows; u++, row += window.RowStep)
            {
                var at = row;
                for (var t = 0; t < window.Columns; t++, at += window.ColumnStep)
                    a = TReduction.Combine<TSimd, TVec>(a, TSimd.Load(at));
            }

            TSimd.Store(Finish<TSimd, TVec, TReduction>(a, window), window.Output + channel);
            channel += v;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec Finish<TSimd, TVec, TReduction>(TVec value, in Window window)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TReduction : struct, IReduction
    {
        var divided = typeof(TReduction) == typeof(Reduction.Max) ? value : TSimd.Divide(value, TSimd.Broadcast(window.Divisor));
        return TSimd.Min(TSimd.Broadcast(window.Upper), TSimd.Max(TSimd.Broadcast(window.Lower), divided));
    }
}
