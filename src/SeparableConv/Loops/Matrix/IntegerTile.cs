using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// The operations of <see cref="MatrixTile"/> on integers. TChannels is 2 for <see cref="LaneKind.ShortPair"/>, where a*b + c is
/// low(a)*low(b) + high(a)*high(b) + c, and 4 for <see cref="LaneKind.ByteQuad"/>, where it is four products of bytes, unsigned in the left
/// operand and signed in the weights, plus c. Products are exact, sums wrap around. Pointers to floats stand for 32 bits of any kind. Sums
/// are not clamped here: the <see cref="Requantizer"/> does that.
/// </summary>
/// <remarks>Broadcasts are those of integers: with those of floats before integer multiplications Zen 4 does a fifth less.</remarks>
internal readonly unsafe struct IntegerTile<TSimd, TVec, TChannels> : ITileSimd<TVec>
    where TSimd : struct, IIntegerSimd<TVec>
    where TVec : struct
    where TChannels : unmanaged, IConstant
{
    public static int Count => TSimd.Count;

    public static int TileRows => TSimd.TileRows;

    public static TVec Zero => TSimd.Broadcast(0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Broadcast(float value) => TSimd.Broadcast(BitConverter.SingleToInt32Bits(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Load(float* source) => TSimd.Load((int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(TVec value, float* target) => TSimd.Store(value, (int*)target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Add(TVec a, TVec b) => TSimd.Add(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec MultiplyAdd(TVec a, TVec b, TVec c) =>
        sizeof(TChannels) == 4 ? TSimd.MultiplyAddQuads(a, b, c) : TSimd.MultiplyAddPairs(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyAddBoth(TVec a, TVec b, TVec e, ref TVec c, ref TVec d)
    {
        if (sizeof(TChannels) == 4)
            (c, d) = (TSimd.MultiplyAddQuads(a, b, c), TSimd.MultiplyAddQuads(a, e, d));
        else
            TSimd.MultiplyAddPairs(a, b, e, ref c, ref d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Min(TVec a, TVec b) => b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Max(TVec a, TVec b) => b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec HardSwish(TVec a) => a;
}
