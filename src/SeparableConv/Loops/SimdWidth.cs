using System.Runtime.Intrinsics;

namespace SeparableConv.Loops;

/// <summary>The vector widths that every loop is compiled for.</summary>
internal enum SimdWidth
{
    /// <summary>No vectors.</summary>
    Scalar = 1,

    /// <summary>128 bits, 4 floats.</summary>
    V128 = 4,

    /// <summary>256 bits, 8 floats.</summary>
    V256 = 8,

    /// <summary>512 bits, 16 floats.</summary>
    V512 = 16,
}

/// <summary>
/// Work on floats that is compiled once a vector width. An implementation is a struct whose fields are the work's arguments and results;
/// <see cref="SimdWidths.Dispatch{TWork}"/> calls it with the vectors of a width.
/// </summary>
internal interface ISimdWork
{
    void Run<TSimd, TVec>()
        where TSimd : struct, ISimd<TVec>
        where TVec : struct;
}

/// <summary>The same for work on integers; see <see cref="SimdWidths.DispatchIntegers{TWork}"/>.</summary>
internal interface IIntegerSimdWork
{
    void Run<TSimd, TVec>()
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct;
}

/// <summary>Where the width is chosen, once for the whole process, and where it becomes vector types, once a piece of work.</summary>
internal static class SimdWidths
{
    /// <summary>The widest the machine does in hardware.</summary>
    public static SimdWidth Best { get; } =
        Vector512.IsHardwareAccelerated ? SimdWidth.V512
        : Vector256.IsHardwareAccelerated ? SimdWidth.V256
        : Vector128.IsHardwareAccelerated ? SimdWidth.V128
        : SimdWidth.Scalar;

    /// <summary>The widest that is no wider than <paramref name="width"/> and has no more lanes than there are channels.</summary>
    public static SimdWidth ForChannels(SimdWidth width, int channels)
    {
        var lanes = Math.Min((int)width, channels);
        return lanes >= 16 ? SimdWidth.V512 : lanes >= 8 ? SimdWidth.V256 : lanes >= 4 ? SimdWidth.V128 : SimdWidth.Scalar;
    }

    /// <summary>All four; tests run each of them on any machine.</summary>
    public static IReadOnlyList<SimdWidth> All { get; } = [SimdWidth.Scalar, SimdWidth.V128, SimdWidth.V256, SimdWidth.V512];

    /// <summary>
    /// Runs work with the vectors of a width. Work is a struct: each is compiled by itself, and the call is no virtual one.
    /// </summary>
    public static void Dispatch<TWork>(this SimdWidth width, ref TWork work)
        where TWork : struct, ISimdWork, allows ref struct
    {
        switch (width)
        {
            case SimdWidth.V512:
                work.Run<Simd512, Vector512<float>>();
                break;
            case SimdWidth.V256:
                work.Run<Simd256, Vector256<float>>();
                break;
            case SimdWidth.V128:
                work.Run<Simd128, Vector128<float>>();
                break;
            default:
                work.Run<SimdScalar, float>();
                break;
        }
    }

    /// <summary>The same with vectors of integers.</summary>
    public static void DispatchIntegers<TWork>(this SimdWidth width, ref TWork work)
        where TWork : struct, IIntegerSimdWork, allows ref struct
    {
        switch (width)
        {
            case SimdWidth.V512:
                work.Run<Integers512, Vector512<int>>();
                break;
            case SimdWidth.V256:
                work.Run<Integers256, Vector256<int>>();
                break;
            case SimdWidth.V128:
                work.Run<Integers128, Vector128<int>>();
                break;
            default:
                work.Run<IntegersScalar, int>();
                break;
        }
    }
}
