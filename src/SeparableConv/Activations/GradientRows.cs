using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

/// <summary>Rows of floats without gaps, one a pixel, that an activation's gradient is computed from and written to.</summary>
/// <param name="dy">The gradient of the activation's output.</param>
/// <param name="value">The activation's input or its output.</param>
/// <param name="dx">Receives the gradient of the input; may be <paramref name="dy"/>.</param>
/// <param name="pixels">Rows.</param>
/// <param name="channels">Floats of a row.</param>
internal readonly unsafe struct GradientRows(float* dy, float* value, float* dx, nint pixels, int channels)
{
    /// <summary>Computes every element from its neighbours in the other two.</summary>
    public void ForEach<TGradient>(TGradient gradient, SimdWidth width)
        where TGradient : struct, IElementGradient
    {
        var work = new ElementWork<TGradient>(this, gradient);
        width.Dispatch(ref work);
    }

    /// <summary>PReLU's: dx_c = dy_c where x_c is above 0, else slopes_c * dy_c.</summary>
    public void ForSlopes(float* slopes, SimdWidth width)
    {
        var work = new SlopeWork(this, slopes);
        width.Dispatch(ref work);
    }

    private readonly struct ElementWork<TGradient>(GradientRows rows, TGradient gradient) : ISimdWork
        where TGradient : struct, IElementGradient
    {
        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => rows.RunElements<TGradient, TSimd, TVec>(gradient);
    }

    private readonly struct SlopeWork(GradientRows rows, float* slopes) : ISimdWork
    {
        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => rows.RunSlopes<TSimd, TVec>(slopes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunElements<TGradient, TSimd, TVec>(TGradient gradient)
        where TGradient : struct, IElementGradient
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var length = pixels * channels;
        nint i = 0;
        for (; i <= length - TSimd.Count; i += TSimd.Count)
            TSimd.Store(gradient.Apply<TSimd, TVec>(TSimd.Load(dy + i), TSimd.Load(value + i)), dx + i);
        if (i == length)
            return;

        // The remainder goes through vectors of its own: in place, an overlapping vector would be changed twice.
        var left = (int)(length - i);
        var tail = stackalloc float[2 * TSimd.Count];
        var tailValue = tail + TSimd.Count;
        new Span<float>(dy + i, left).CopyTo(new Span<float>(tail, TSimd.Count));
        new Span<float>(value + i, left).CopyTo(new Span<float>(tailValue, TSimd.Count));
        TSimd.Store(gradient.Apply<TSimd, TVec>(TSimd.Load(tail), TSimd.Load(tailValue)), tail);
        new Span<float>(tail, left).CopyTo(new Span<float>(dx + i, left));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunSlopes<TSimd, TVec>(float* slopes)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        for (nint pixel = 0; pixel < pixels; pixel++)
        {
            var offset = pixel * channels;
            nint c = 0;
            for (; c <= channels - TSimd.Count; c += TSimd.Count)
            {
                var gradient = TSimd.Load(dy + offset + c);
                var scaled = TSimd.Multiply(TSimd.Load(slopes + c), gradient);
                TSimd.Store(TSimd.SelectLess(TSimd.Zero, TSimd.Load(value + offset + c), gradient, scaled), dx + offset + c);
            }

            for (; c < channels; c++)
                dx[offset + c] = value[offset + c] > 0 ? dy[offset + c] : slopes[c] * dy[offset + c];
        }
    }
}
