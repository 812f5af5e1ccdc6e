using System.Runtime.Intrinsics;

namespace SeparableConv.Imaging.Png;

/// <summary>What a row filter takes from a byte: a function of the bytes on the left, above, and above the left one.</summary>
internal interface IPngPredictor
{
    static abstract byte Predict(int left, int above, int aboveLeft);

    static abstract Vector128<byte> Predict(Vector128<byte> left, Vector128<byte> above, Vector128<byte> aboveLeft);
}
