using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

/// <summary>y_c = x_c where x_c is 0 or more, slopes_c*x_c below.</summary>
internal static unsafe class PReLURows
{
    /// <remarks>The first of <paramref name="slopes"/> belongs to the first float of a row.</remarks>
    public static void Apply(ActivationRows rows, float* slopes, SimdWidth width)
    {
        var work = new Work(rows, slopes);
        width.Dispatch(ref work);
    }

    private readonly struct Work(ActivationRows rows, float* slopes) : ISimdWork
    {
        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => PReLURows.Run<TSimd, TVec>(rows, slopes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TSimd, TVec>(ActivationRows rows, float* slopes)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        for (nint pixel = 0; pixel < rows.Pixels; pixel++)
        {
            var data = rows.Data + (pixel * rows.PixelStride);
            nint c = 0;
            for (; c <= rows.Channels - TSimd.Count; c += TSimd.Count)
            {
                var x = TSimd.Load(data + c);
                TSimd.Store(TSimd.SelectLess(x, TSimd.Zero, TSimd.Multiply(TSimd.Load(slopes + c), x), x), data + c);
            }

            for (; c < rows.Channels; c++)
                data[c] = data[c] < 0 ? slopes[c] * data[c] : data[c];
        }
    }
}
