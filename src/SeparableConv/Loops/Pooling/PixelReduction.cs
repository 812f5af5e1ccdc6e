using System.Runtime.CompilerServices;
using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// Reduces every image to one pixel: y[n, c] = scale * reduction over p of x[n, p, c]. Global pooling, and means and sums over any
/// run of axes that is not the last. Each lane is one channel.
/// </summary>
internal static unsafe class PixelReduction
{
    // Pixels that are combined as a tree before they meet the running result: fewer roundings, and one store for eight loads.
    private const int Tree = 8;

    private const long LeastLoadsInPart = 8 * 1024;

    private const int LeastChannelsInPart = 64;

    /// <summary>Computes (N, C) from (N, P, C).</summary>
    /// <param name="input">The input.</param>
    /// <param name="output">The output.</param>
    /// <param name="images">N.</param>
    /// <param name="pixels">P.</param>
    /// <param name="channels">C.</param>
    /// <param name="divisor">What the result is divided by: P for a mean, else 1.</param>
    /// <param name="width">The widest vectors to run with.</param>
    /// <param name="threads">Threads to use at most; the result does not depend on it.</param>
    /// <typeparam name="TReduction">Sum, product, maximum or minimum.</typeparam>
    public static void Run<TReduction>(
        float* input, float* output, nint images, nint pixels, int channels, float divisor, SimdWidth width, int threads)
        where TReduction : struct, IReduction
    {
        if (images == 0 || channels == 0)
            return;
        var channelsInPart = (int)Math.Min(channels, Math.Max(LeastChannelsInPart, LeastLoadsInPart / Math.Max(1, (long)pixels)));
        channelsInPart -= channelsInPart == channels ? 0 : channelsInPart % LeastChannelsInPart;
        var work = new Work<TReduction>
        {
            Input = input,
            Output = output,
            Pixels = pixels,
            Channels = channels,
            Divisor = divisor,
            ChannelsInPart = channelsInPart,
            PartsInImage = (channels + channelsInPart - 1) / channelsInPart,
            Width = width,
        };
        WorkerPool.Shared.Run(ref work, checked((int)images * work.PartsInImage), threads);
    }

    /// <summary>Reduces each of some rows of pixels to one pixel, some channels of it, on the calling thread.</summary>
    /// <param name="input">The first channel of the first row.</param>
    /// <param name="pixelStride">Floats from one pixel to the next; rows follow each other without a gap.</param>
    /// <param name="output">The first channel of the first row's result.</param>
    /// <param name="outputStride">Floats from one row's result to the next.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Pixels in a row.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="width">The widest vectors to run with.</param>
    /// <param name="divisor">What each result is divided by.</param>
    /// <typeparam name="TReduction">Sum, product, maximum or minimum.</typeparam>
    public static void RunRows<TReduction>(
        float* input, nint pixelStride, float* output, nint outputStride, nint rows, nint columns, int channels, SimdWidth width,
        float divisor = 1)
        where TReduction : struct, IReduction
    {
        for (nint row = 0; row < rows; row++)
        {
            var reduction = new Piece<TReduction>(
                input + (row * columns * pixelStride), output + (row * outputStride), columns, pixelStride, channels, divisor);
            SimdWidths.ForChannels(width, channels).Dispatch(ref reduction);
        }
    }

    private struct Work<TReduction> : IParallelWork
        where TReduction : struct, IReduction
    {
        public float* Input;
        public float* Output;
        public nint Pixels;
        public int Channels;
        public float Divisor;
        public int ChannelsInPart;
        public int PartsInImage;
        public SimdWidth Width;

        public readonly void Execute(int part)
        {
            var (image, piece) = Math.DivRem(part, PartsInImage);
            var first = piece * ChannelsInPart;
            var count = Math.Min(Channels - first, ChannelsInPart);
            var x = Input + (image * Pixels * Channels) + first;
            var y = Output + ((nint)image * Channels) + first;
            var reduction = new Piece<TReduction>(x, y, Pixels, Channels, count, Divisor);
            SimdWidths.ForChannels(Width, count).Dispatch(ref reduction);
        }
    }

    private readonly struct Piece<TReduction>(float* x, float* y, nint pixels, nint pixelStride, int channels, float divisor) : ISimdWork
        where TReduction : struct, IReduction
    {
        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => Reduce<TSimd, TVec, TReduction>(x, y, pixels, pixelStride, channels, divisor);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Reduce<TSimd, TVec, TReduction>(float* x, float* y, nint pixels, nint pixelStride, int channels, float divisor)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TReduction : struct, IReduction
    {
        // The vectors up to the last whole one; the remainder, narrower than a vector, goes lane by lane.
        var whole = channels - (channels % TSimd.Count);
        new Span<float>(y, channels).Fill(TReduction.Identity);
        nint pixel = 0;
        for (; pixel <= pixels - Tree; pixel += Tree)
        {
            var rows = x + (pixel * pixelStride);
            for (var c = 0; c < whole; c += TSimd.Count)
                TSimd.Store(
                    TReduction.Combine<TSimd, TVec>(TSimd.Load(y + c), CombineTree<TSimd, TVec, TReduction>(rows + c, pixelStride)), y + c);
            for (var c = whole; c < channels; c++)
                y[c] = TReduction.Combine<SimdScalar, float>(y[c], CombineTree<SimdScalar, float, TReduction>(rows + c, pixelStride));
        }

        for (; pixel < pixels; pixel++)
        {
            var row = x + (pixel * pixelStride);
            for (var c = 0; c < whole; c += TSimd.Count)
                TSimd.Store(TReduction.Combine<TSimd, TVec>(TSimd.Load(y + c), TSimd.Load(row + c)), y + c);
            for (var c = whole; c < channels; c++)
                y[c] = TReduction.Combine<SimdScalar, float>(y[c], row[c]);
        }

        if (divisor == 1)
            return;
        for (var c = 0; c < whole; c += TSimd.Count)
            TSimd.Store(TSimd.Divide(TSimd.Load(y + c), TSimd.Broadcast(divisor)), y + c);
        for (var c = whole; c < channels; c++)
            y[c] /= divisor;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec CombineTree<TSimd, TVec, TReduction>(float* rows, nint stride)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TReduction : struct, IReduction
    {
        var a = TReduction.Combine<TSimd, TVec>(TSimd.Load(rows), TSimd.Load(rows + stride));
        var b = TReduction.Combine<TSimd, TVec>(TSimd.Load(rows + (2 * stride)), TSimd.Load(rows + (3 * stride)));
        rows += 4 * stride;
        var c = TReduction.Combine<TSimd, TVec>(TSimd.Load(rows), TSimd.Load(rows + stride));
        var d = TReduction.Combine<TSimd, TVec>(TSimd.Load(rows + (2 * stride)), TSimd.Load(rows + (3 * stride)));
        return TReduction.Combine<TSimd, TVec>(TReduction.Combine<TSimd, TVec>(a, b), TReduction.Combine<TSimd, TVec>(c, d));
    }
}
