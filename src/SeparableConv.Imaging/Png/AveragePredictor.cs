using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Imaging.Png;

/// <summary>Average: floor((left + above) / 2).</summary>
internal readonly struct AveragePredictor : IPngPredictor
{
    public static byte Predict(int left, int above, int aboveLeft) => (byte)((left + above) >> 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Predict(Vector128<byte> left, Vector128<byte> above, Vector128<byte> aboveLeft)
    {
        // (a & b) + (a ^ b) / 2 has no carry out of a byte; the mask drops the bit that the wider shift lets in.
        var half = ((left ^ above).AsUInt16() >>> 1).AsByte() & Vector128.Create((byte)0x7F);
        return (left & above) + half;
    }
}
