using System.Diagnostics;
using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Bench;

/// <summary>What one core of this machine can do at most, measured beside the work that is compared with it.</summary>
internal static unsafe class MachineLimits
{
    private const int Chains = 12;

    /// <summary>Multiply-adds in registers alone, as GFLOP/s (a multiply-add is two), of a vector width.</summary>
    public static double PeakGflops(SimdWidth width, int rounds = 5)
    {
        var work = default(MultiplyAdds);
        var best = double.MaxValue;
        for (var i = 0; i < rounds; i++)
        {
            var begin = Stopwatch.GetTimestamp();
            width.Dispatch(ref work);
            best = Math.Min(best, Stopwatch.GetElapsedTime(begin).TotalSeconds);
        }

        return 2.0 * Chains * (int)width * MultiplyAdds.Iterations / best / 1e9;
    }

    private struct MultiplyAdds : ISimdWork
    {
        public const int Iterations = 200_000;

        // Kept, so that the work is not left out.
        public float Result;

        // Twelve chains cover latency times throughput (4 x 2) on every core in use.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            var x = TSimd.Broadcast(0.9999f);
            var y = TSimd.Broadcast(1e-4f);
            TVec a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
            for (var n = 0; n < Iterations; n++)
            {
                a = TSimd.MultiplyAdd(a, x, y);
                b = TSimd.MultiplyAdd(b, x, y);
                c = TSimd.MultiplyAdd(c, x, y);
                d = TSimd.MultiplyAdd(d, x, y);
                e = TSimd.MultiplyAdd(e, x, y);
                f = TSimd.MultiplyAdd(f, x, y);
                g = TSimd.MultiplyAdd(g, x, y);
                h = TSimd.MultiplyAdd(h, x, y);
                i = TSimd.MultiplyAdd(i, x, y);
                j = TSimd.MultiplyAdd(j, x, y);
                k = TSimd.MultiplyAdd(k, x, y);
                l = TSimd.MultiplyAdd(l, x, y);
            }

            var sum = TSimd.Add(TSimd.Add(TSimd.Add(a, b), TSimd.Add(c, d)), TSimd.Add(TSimd.Add(e, f), TSimd.Add(g, h)));
            sum = TSimd.Add(sum, TSimd.Add(TSimd.Add(i, j), TSimd.Add(k, l)));
            var lanes = stackalloc float[64];
            TSimd.Store(sum, lanes);
            Result = lanes[0];
        }
    }
}
