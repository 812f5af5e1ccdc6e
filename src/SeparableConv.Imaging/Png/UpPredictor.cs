using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Imaging.Png;

/// <summary>Up: the byte above.</summary>
internal readonly struct UpPredictor : IPngPredictor
{
    public static byte Predict(int left, int above, int aboveLeft) => (byte)above;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Predict(Vector128<byte> left, Vector128<byte> above, Vector128<byte> aboveLeft) => above;
}
