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

/// <summary>Where the width is chosen: once, for the whole process.</summary>
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
}
