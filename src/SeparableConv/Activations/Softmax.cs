using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

/// <summary>y_c = e^(x_c - m) / sum over k of e^(x_k - m), m the largest of the row.</summary>
internal static unsafe class SoftmaxRows
{
    private const int SharedFloats = 256;

    // Longer rows fill vectors well enough by themselves.
    private const int TurnedChannels = 64;

    public static void Apply(ActivationRows rows, SimdWidth width)
    {
        var work = new Work(rows);
        width.Dispatch(ref work);
    }

    private readonly struct Work(ActivationRows rows) : ISimdWork
    {
        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            if (2 * rows.Channels <= TSimd.Count)
            {
                RunShort<TSimd, TVec>(rows);
                return;
            }

            if (rows.Channels <= TurnedChannels && TSimd.Count > 1)
            {
                RunTurned<TSimd, TVec>(rows, isLogarithm: false);
                return;
            }

            for (nint pixel = 0; pixel < rows.Pixels; pixel++)
                SoftmaxRows.Run<TSimd, TVec>(rows.Data + (pixel * rows.PixelStride), rows.Channels);
        }
    }

    /// <summary>
    /// Rows that fill half a vector at most share vectors: each lane gets its row's numbers one after another from the lanes that hold
    /// them. 512x896 pixels of 4 channels take 1.2 ms on Zen 5; 3.3 with a maximum and a sum of each row by itself.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunShort<TSimd, TVec>(in ActivationRows rows)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var channels = rows.Channels;
        var together = TSimd.Count / channels * channels;
        var lanes = stackalloc float[TSimd.Count * TSimd.Count];
        for (var k = 0; k < channels; k++)
        {
            for (var lane = 0; lane < TSimd.Count; lane++)
                ((int*)lanes)[(k * TSimd.Count) + lane] = lane < together ? (lane / channels * channels) + k : lane;
        }

        // A vector writes behind its rows; what it writes there is written again, or not copied.
        var x = stackalloc float[2 * (SharedFloats + TSimd.Count)];
        var y = x + SharedFloats + TSimd.Count;
        new Span<float>(x, SharedFloats + TSimd.Count).Clear();
        var most = SharedFloats / channels;
        for (nint first = 0; first < rows.Pixels; first += most)
        {
            var count = (int)Math.Min(most, rows.Pixels - first);
            Copy(rows, first, count, x, isBack: false);
            for (var at = 0; at < count * channels; at += together)
            {
                var vector = TSimd.Load(x + at);
                var largest = TSimd.Permute(vector, TSimd.LoadLanes(lanes));
                for (var k = 1; k < channels; k++)
                    largest = TSimd.Max(largest, TSimd.Permute(vector, TSimd.LoadLanes(lanes + (k * TSimd.Count))));
                var e = Exponential.Exp<TSimd, TVec>(TSimd.Subtract(vector, largest));
                var sum = TSimd.Permute(e, TSimd.LoadLanes(lanes));
                for (var k = 1; k < channels; k++)
                    sum = TSimd.Add(sum, TSimd.Permute(e, TSimd.LoadLanes(lanes + (k * TSimd.Count))));
                TSimd.Store(TSimd.Divide(e, sum), y + at);
            }

            Copy(rows, first, count, y, isBack: true);
        }
    }

    /// <summary>
    /// As many rows as a vector has lanes at a time, turned into columns and back: a lane is a pixel, and nothing is summed across lanes.
    /// The last rows leave lanes unused, so that a row's bits do not depend on where its part begins.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunTurned<TSimd, TVec>(in ActivationRows rows, bool isLogarithm)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var columns = stackalloc float[TurnedChannels * TSimd.Count];
        new Span<float>(columns, TurnedChannels * TSimd.Count).Clear();
        var work = new ColumnWork
        {
            X = columns,
            Y = columns,
            Length = rows.Channels,
            Stride = TSimd.Count,
            Columns = TSimd.Count,
            IsLogarithm = isLogarithm,
        };
        for (nint pixel = 0; pixel < rows.Pixels; pixel += TSimd.Count)
        {
            var data = rows.Data + (pixel * rows.PixelStride);
            var count = (int)Math.Min(TSimd.Count, rows.Pixels - pixel);
            TransposeLoop.Run(data, rows.PixelStride, columns, TSimd.Count, rows.Channels, count);
            work.Run<TSimd, TVec>();
            TransposeLoop.Run(columns, TSimd.Count, data, rows.PixelStride, count, rows.Channels);
        }
    }

    private static void Copy(in ActivationRows rows, nint first, int count, float* buffer, bool isBack)
    {
        var bytes = (nint)rows.Channels * sizeof(float);
        var data = (byte*)(rows.Data + (first * rows.PixelStride));
        var stride = rows.PixelStride * sizeof(float);
        if (stride == bytes)
            (bytes, stride, count) = (count * bytes, 0, 1);
        if (isBack)
            RowCopy.Run((byte*)buffer, bytes, data, stride, bytes, count);
        else
            RowCopy.Run(data, stride, (byte*)buffer, bytes, bytes, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TSimd, TVec>(float* row, int channels)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var tail = stackalloc float[TSimd.Count];
        var whole = channels - (channels % TSimd.Count);
        var inTail = channels - whole;

        // The remainder sits in a vector of its own that is filled up with minus infinity: its exponential is 0.
        new Span<float>(tail, TSimd.Count).Fill(float.NegativeInfinity);
        new Span<float>(row + whole, inTail).CopyTo(new Span<float>(tail, TSimd.Count));
        var largest = TSimd.Broadcast(Largest<TSimd, TVec>(row, whole, tail));

        var sums = TSimd.Zero;
        for (var c = 0; c < whole; c += TSimd.Count)
        {
            var e = Exponential.Exp<TSimd, TVec>(TSimd.Subtract(TSimd.Load(row + c), largest));
            sums = TSimd.Add(sums, e);
            TSimd.Store(e, row + c);
        }

        var last = Exponential.Exp<TSimd, TVec>(TSimd.Subtract(TSimd.Load(tail), largest));
        var sum = TSimd.Broadcast(TSimd.SumLanes(TSimd.Add(sums, last)));
        for (var c = 0; c < whole; c += TSimd.Count)
            TSimd.Store(TSimd.Divide(TSimd.Load(row + c), sum), row + c);
        TSimd.Store(TSimd.Divide(last, sum), tail);
        new Span<float>(tail, inTail).CopyTo(new Span<float>(row + whole, inTail));
    }

    /// <summary>The logarithm of softmax, in place: y_c = x_c - m - log(sum over k of e^(x_k - m)), m the largest of the row.</summary>
    public static void ApplyLogarithm(ActivationRows rows, SimdWidth width)
    {
        var work = new LogarithmWork { Rows = rows };
        width.Dispatch(ref work);
    }

    /// <summary>Softmax, or its logarithm, of neighbouring columns, whose numbers lie <paramref name="stride"/> floats apart.</summary>
    /// <param name="x">The first number of the first column.</param>
    /// <param name="y">Where its result goes; may be <paramref name="x"/>.</param>
    /// <param name="length">Numbers of a column.</param>
    /// <param name="stride">Floats from one number of a column to the next.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="isLogarithm">Whether the logarithm is wanted.</param>
    /// <param name="width">The vector width to run with.</param>
    public static void ApplyColumns(float* x, float* y, nint length, nint stride, nint columns, bool isLogarithm, SimdWidth width)
    {
        var work = new ColumnWork { X = x, Y = y, Length = length, Stride = stride, Columns = columns, IsLogarithm = isLogarithm };
        width.Dispatch(ref work);
    }

    private struct LogarithmWork : ISimdWork
    {
        public ActivationRows Rows;

        public readonly void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            if (Rows.Channels <= TurnedChannels && TSimd.Count > 1)
            {
                RunTurned<TSimd, TVec>(Rows, isLogarithm: true);
                return;
            }

            for (nint pixel = 0; pixel < Rows.Pixels; pixel++)
                Row<TSimd, TVec>(Rows.Data + (pixel * Rows.PixelStride), Rows.Channels);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Row<TSimd, TVec>(float* row, int channels)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            var tail = stackalloc float[TSimd.Count];
            var whole = channels - (channels % TSimd.Count);
            new Span<float>(tail, TSimd.Count).Fill(float.NegativeInfinity);
            new Span<float>(row + whole, channels - whole).CopyTo(new Span<float>(tail, TSimd.Count));
            var largest = TSimd.Broadcast(Largest<TSimd, TVec>(row, whole, tail));
            var sums = Exponential.Exp<TSimd, TVec>(TSimd.Subtract(TSimd.Load(tail), largest));
            for (var c = 0; c < whole; c += TSimd.Count)
                sums = TSimd.Add(sums, Exponential.Exp<TSimd, TVec>(TSimd.Subtract(TSimd.Load(row + c), largest)));
            var logarithm = Logarithm.Log<TSimd, TVec>(TSimd.Broadcast(TSimd.SumLanes(sums)));
            for (var c = 0; c < whole; c += TSimd.Count)
                TSimd.Store(TSimd.Subtract(TSimd.Subtract(TSimd.Load(row + c), largest), logarithm), row + c);
            TSimd.Store(TSimd.Subtract(TSimd.Subtract(TSimd.Load(tail), largest), logarithm), tail);
            new Span<float>(tail, channels - whole).CopyTo(new Span<float>(row + whole, channels - whole));
        }
    }

    private struct ColumnWork : ISimdWork
    {
        public float* X;
        public float* Y;
        public nint Length;
        public nint Stride;
        public nint Columns;
        public bool IsLogarithm;

        public readonly void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            var whole = Columns - (Columns % TSimd.Count);
            for (nint column = 0; column < whole; column += TSimd.Count)
                Column<TSimd, TVec>(X + column, Y + column);
            for (var column = whole; column < Columns; column++)
                Column<SimdScalar, float>(X + column, Y + column);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Column<TSimd, TVec>(float* x, float* y)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            var largest = TSimd.Load(x);
            for (nint k = 1; k < Length; k++)
                largest = TSimd.Max(largest, TSimd.Load(x + (k * Stride)));
            var sum = TSimd.Zero;
            if (IsLogarithm)
            {
                for (nint k = 0; k < Length; k++)
                    sum = TSimd.Add(sum, Exponential.Exp<TSimd, TVec>(TSimd.Subtract(TSimd.Load(x + (k * Stride)), largest)));
                var logarithm = Logarithm.Log<TSimd, TVec>(sum);
                for (nint k = 0; k < Length; k++)
                    TSimd.Store(TSimd.Subtract(TSimd.Subtract(TSimd.Load(x + (k * Stride)), largest), logarithm), y + (k * Stride));
                return;
            }

            for (nint k = 0; k < Length; k++)
            {
                var e = Exponential.Exp<TSimd, TVec>(TSimd.Subtract(TSimd.Load(x + (k * Stride)), largest));
                sum = TSimd.Add(sum, e);
                TSimd.Store(e, y + (k * Stride));
            }

            for (nint k = 0; k < Length; k++)
                TSimd.Store(TSimd.Divide(TSimd.Load(y + (k * Stride)), sum), y + (k * Stride));
        }
    }

    // A NaN may be lost here; the sum of the exponentials brings it back.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Largest<TSimd, TVec>(float* row, int whole, float* tail)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var largest = TSimd.Load(tail);
        for (var c = 0; c < whole; c += TSimd.Count)
            largest = TSimd.Max(largest, TSimd.Load(row + c));
        return TSimd.MaxLanes(largest);
    }
}
