using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Imaging.Png;

/// <summary>Sub: the byte on the left.</summary>
internal readonly struct SubPredictor : IPngPredictor
{
    public static byte Predict(int left, int above, int aboveLeft) => (byte)left;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Predict(Vector128<byte> left, Vector128<byte> above, Vector128<byte> aboveLeft) => left;
}
