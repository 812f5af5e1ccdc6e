using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Imaging.Png;

/// <summary>PNG's five row filters, numbered as in the file. x is a byte, a the one a pixel to the left, b above, c above a.</summary>
internal enum PngFilter : byte
{
    /// <summary>x.</summary>
    None = 0,

    /// <summary>x - a.</summary>
    Sub = 1,

    /// <summary>x - b.</summary>
    Up = 2,

    /// <summary>x - floor((a + b) / 2).</summary>
    Average = 3,

    /// <summary>x minus the one of a, b, c that is nearest to a + b - c; ties go to a, then b.</summary>
    Paeth = 4,
}

/// <summary>What a row filter takes from a byte: a function of the bytes on the left, above, and above the left one.</summary>
internal interface IPngPredictor
{
    static abstract byte Predict(int left, int above, int aboveLeft);

    static abstract Vector128<byte> Predict(Vector128<byte> left, Vector128<byte> above, Vector128<byte> aboveLeft);
}

/// <summary>Sub: the byte on the left.</summary>
internal readonly struct SubPredictor : IPngPredictor
{
    public static byte Predict(int left, int above, int aboveLeft) => (byte)left;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Predict(Vector128<byte> left, Vector128<byte> above, Vector128<byte> aboveLeft) => left;
}

/// <summary>Up: the byte above.</summary>
internal readonly struct UpPredictor : IPngPredictor
{
    public static byte Predict(int left, int above, int aboveLeft) => (byte)above;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Predict(Vector128<byte> left, Vector128<byte> above, Vector128<byte> aboveLeft) => above;
}

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
