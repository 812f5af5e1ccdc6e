using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// <see cref="LinearBytes.Quantize{THalves}(float*, byte*, nint, LinearByte, int, int, SimdWidth?)"/> by a multiplication with 1 / scale:
/// what comes out within 2^-12 of a half is divided after all, and so is what is no finite number.
/// </summary>
/// <remarks>
/// Product and quotient are within 2^-22 of each other, and beyond 512 both end at a bound. Zen 5, 512 bits: 224x224x3 floats took 24 us
/// with divisions.
/// </remarks>
internal readonly unsafe struct QuickQuantize<THalves>(float* x, byte* y, nint count, LinearByte output, int min, int max) : ISimdWork
    where THalves : struct, LinearBytes.IHalves
{
    // What is looked at together, and divided together: numbers that fill whole vectors there too.
    private const int Block = 128;

    private const float NearHalf = 0.5f - (1f / 4096);

    /// <summary>Whether neither 1 / scale nor a product in the range of the bytes leaves the normal numbers.</summary>
    public bool IsQuick => output.Scale is > 1e-30f and < 1e30f;

    public void Run<TSimd, TVec>()
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        nint i = 0;
        while ((i = FindDoubtful<TSimd, TVec>(i)) <= count - Block)
        {
            LinearBytes.Divide<THalves>(x + i, y + i, Block, output, min, max);
            i += Block;
        }

        LinearBytes.Divide<THalves>(x + i, y + i, count - i, output, min, max);
    }

    // Quantizes blocks up to one that has to be divided, or that is none any more. It calls nothing, so that vectors stay in registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private nint FindDoubtful<TSimd, TVec>(nint i)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var inverse = TSimd.Broadcast(1 / output.Scale);
        var (zeroPoint, least, most) = (TSimd.Broadcast(output.ZeroPoint), TSimd.Broadcast(min), TSimd.Broadcast(max));
        var last = count - Block;
        for (; i <= last; i += Block)
        {
            // How far numbers are from whole ones, and 0 or NaN where one is not finite.
            var (far, finite) = (TSimd.Zero, TSimd.Zero);
            for (var k = i; k < i + Block; k += TSimd.Count)
            {
                var number = TSimd.Multiply(TSimd.Load(x + k), inverse);
                var whole = TSimd.Round(number);
                far = TSimd.Max(far, TSimd.Abs(TSimd.Subtract(number, whole)));
                finite = TSimd.MultiplyAdd(number, TSimd.Zero, finite);
                TSimd.StoreBytes(TSimd.Min(TSimd.Max(TSimd.Add(whole, zeroPoint), least), most), y + k);
            }

            var isDoubtful = TSimd.SelectLess(TSimd.Add(far, finite), TSimd.Broadcast(NearHalf), TSimd.Zero, TSimd.Broadcast(1));
            if (TSimd.SumLanes(isDoubtful) != 0)
                break;
        }

        return i;
    }
}
