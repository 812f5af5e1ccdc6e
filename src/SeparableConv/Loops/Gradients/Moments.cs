using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// The mean and variance of each channel over many pixels, in one reading. A part of the pixels sums distances from its first pixel, and
/// their squares, so that a mean far from 0 does not swallow the variance; parts are put together in double precision.
/// </summary>
/// <remarks>A part's memory is three rows of channels, padded to whole vectors: first pixel, sums, sums of squares.</remarks>
internal static unsafe class Moments
{
    // A few rows of so many floats stay in the first-level cache while every vector of channels goes down them.
    private const int CachedFloats = 4096;

    /// <summary>Floats that a part takes.</summary>
    public static nint PartFloats(int channels) => 3 * (nint)Padded(channels);

    /// <summary>Begins a part: nothing summed yet, distances are taken from this pixel.</summary>
    public static void Begin(float* part, float* pixel, int channels)
    {
        new Span<float>(part, checked((int)PartFloats(channels))).Clear();
        new ReadOnlySpan<float>(pixel, channels).CopyTo(new Span<float>(part, channels));
    }

    /// <summary>Adds pixels to a part.</summary>
    public static void Add(float* part, float* pixels, nint count, int channels, SimdWidth width)
    {
        var work = new Work { Part = part, Pixels = pixels, Count = count, Channels = channels };
        SimdWidths.ForChannels(width, channels).Dispatch(ref work);
    }

    /// <summary>Puts parts together, in their order: the mean, and the mean of the squared distances from it.</summary>
    /// <param name="first">The first part's memory.</param>
    /// <param name="stride">Floats from one part to the next.</param>
    /// <param name="counts">The pixels of each part, 1 or more.</param>
    /// <param name="mean">(C).</param>
    /// <param name="variance">(C).</param>
    /// <param name="channels">C.</param>
    public static void Combine(float* first, nint stride, ReadOnlySpan<nint> counts, float* mean, float* variance, int channels)
    {
        var padded = Padded(channels);
        for (var c = 0; c < channels; c++)
        {
            double count = 0, center = 0, squares = 0;
            for (var i = 0; i < counts.Length; i++)
            {
                // T. Chan, G. Golub, R. LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979.
                var part = first + (i * stride) + c;
                double sum = part[padded], n = counts[i];
                var distance = part[0] + (sum / n) - center;
                var total = count + n;
                squares += part[2 * padded] - (sum * sum / n) + (distance * distance * count * n / total);
                center += distance * n / total;
                count = total;
            }

            mean[c] = (float)center;
            variance[c] = (float)Math.Max(0, squares / count);
        }
    }

    private static int Padded(int channels) => (channels + 15) / 16 * 16;

    private struct Work : ISimdWork
    {
        public float* Part;
        public float* Pixels;
        public nint Count;
        public int Channels;

        public readonly void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            var rows = Math.Max(1, CachedFloats / Channels);
            for (nint p = 0; p < Count; p += rows)
                Sum<TSimd, TVec>(Pixels + (p * Channels), Math.Min(rows, Count - p));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Sum<TSimd, TVec>(float* pixels, nint count)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            var padded = Padded(Channels);
            var whole = Channels / TSimd.Count * TSimd.Count;
            for (nint c = 0; c < whole; c += TSimd.Count)
            {
                var pivot = TSimd.Load(Part + c);
                var (sum, squares) = (TSimd.Load(Part + padded + c), TSimd.Load(Part + (2 * padded) + c));
                for (nint p = 0, at = c; p < count; p++, at += Channels)
                {
                    var distance = TSimd.Subtract(TSimd.Load(pixels + at), pivot);
                    sum = TSimd.Add(sum, distance);
                    squares = TSimd.MultiplyAdd(distance, distance, squares);
                }

                TSimd.Store(sum, Part + padded + c);
                TSimd.Store(squares, Part + (2 * padded) + c);
            }

            for (var c = whole; c < Channels; c++)
            {
                var (sum, squares) = (Part[padded + c], Part[(2 * padded) + c]);
                for (nint p = 0, at = c; p < count; p++, at += Channels)
                {
                    var distance = pixels[at] - Part[c];
                    sum += distance;
                    squares = MathF.FusedMultiplyAdd(distance, distance, squares);
                }

                (Part[padded + c], Part[(2 * padded) + c]) = (sum, squares);
            }
        }
    }
}
