using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

/// <summary>Rows of floats in memory, one a pixel: an activation is applied to them in place.</summary>
/// <param name="data">The first pixel's first channel.</param>
/// <param name="pixels">Rows.</param>
/// <param name="channels">Floats of a row that are changed.</param>
/// <param name="pixelStride">Floats from one row to the next.</param>
internal readonly unsafe struct ActivationRows(float* data, nint pixels, int channels, nint pixelStride)
{
    public float* Data { get; } = data;

    public nint Pixels { get; } = pixels;

    public int Channels { get; } = channels;

    public nint PixelStride { get; } = pixelStride;

    /// <summary>Applies a function to every value.</summary>
    public void ForEach<TFunction>(TFunction function, SimdWidth width)
        where TFunction : struct, IElementFunction
    {
        var work = new Work<TFunction>(this, function);
        width.Dispatch(ref work);
    }

    private readonly struct Work<TFunction>(ActivationRows rows, TFunction function) : ISimdWork
        where TFunction : struct, IElementFunction
    {
        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            // Rows without gaps are one long row, with one remainder.
            var isDense = rows.PixelStride == rows.Channels;
            var count = isDense ? Math.Min(rows.Pixels, 1) : rows.Pixels;
            var length = isDense ? rows.Pixels * rows.Channels : rows.Channels;
            for (nint row = 0; row < count; row++)
                ActivationRows.Run<TFunction, TSimd, TVec>(function, rows.Data + (row * rows.PixelStride), length);
        }
    }

    // Two vectors at a time share the function's constants, which the JIT reads anew for each of one alone.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TFunction, TSimd, TVec>(TFunction function, float* data, nint length)
        where TFunction : struct, IElementFunction
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        nint i = 0;
        for (; i <= length - (2 * TSimd.Count); i += 2 * TSimd.Count)
        {
            var first = function.Apply<TSimd, TVec>(TSimd.Load(data + i));
            var second = function.Apply<TSimd, TVec>(TSimd.Load(data + i + TSimd.Count));
            TSimd.Store(first, data + i);
            TSimd.Store(second, data + i + TSimd.Count);
        }

        if (i < length)
            RunLast<TFunction, TSimd, TVec>(function, data + i, (int)(length - i));
    }

    // A method of its own: beside its calls the loop above would keep the function's parameters in memory.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void RunLast<TFunction, TSimd, TVec>(TFunction function, float* data, int length)
        where TFunction : struct, IElementFunction
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        if (length >= TSimd.Count)
        {
            TSimd.Store(function.Apply<TSimd, TVec>(TSimd.Load(data)), data);
            data += TSimd.Count;
            length -= TSimd.Count;
        }

        if (length == 0)
            return;

        // The remainder goes through a vector of its own: in place, an overlapping vector would be changed twice.
        var tail = stackalloc float[TSimd.Count];
        new Span<float>(data, length).CopyTo(new Span<float>(tail, TSimd.Count));
        TSimd.Store(function.Apply<TSimd, TVec>(TSimd.Load(tail)), tail);
        new Span<float>(tail, length).CopyTo(new Span<float>(data, length));
    }
}
