using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Imaging.Png;

/// <summary>Paeth: whichever of left, above, above-left is nearest to left + above - above-left.</summary>
internal readonly struct PaethPredictor : IPngPredictor
{
    public static byte Predict(int left, int above, int aboveLeft)
    {
        var toLeft = Math.Abs(above - aboveLeft);
        var toAbove = Math.Abs(left - aboveLeft);
        var toAboveLeft = Math.Abs(left + above - 2 * aboveLeft);
        return (byte)(toLeft <= toAbove && toLeft <= toAboveLeft ? left : toAbove <= toAboveLeft ? above : aboveLeft);
    }

    /// <remarks>
    /// In bytes, with no widening: with p = above - aboveLeft and q = left - aboveLeft, the third distance |p + q| is
    /// |p| + |q| where the signs agree, and then never the smallest, and ||p| - |q|| where they differ.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Predict(Vector128<byte> left, Vector128<byte> above, Vector128<byte> aboveLeft)
    {
        var maxP = Vector128.Max(above, aboveLeft);
        var maxQ = Vector128.Max(left, aboveLeft);
        var toLeft = maxP - Vector128.Min(above, aboveLeft);
        var toAbove = maxQ - Vector128.Min(left, aboveLeft);
        var nearer = Vector128.Min(toLeft, toAbove);
        var third = Vector128.Max(toLeft, toAbove) - nearer;

        // p >= 0 exactly where max(above, aboveLeft) is above; a zero may count to either sign, since then the third
        // distance is that of the other one and the tie goes to left or above all the same.
        var signsAgree = Vector128.Equals(Vector128.Equals(maxP, above), Vector128.Equals(maxQ, left));
        third |= signsAgree;
        var leftOrAbove = Vector128.ConditionalSelect(Vector128.Equals(toLeft, nearer), left, above);
        return Vector128.ConditionalSelect(Vector128.Equals(Vector128.Min(nearer, third), nearer), leftOrAbove, aboveLeft);
    }
}
