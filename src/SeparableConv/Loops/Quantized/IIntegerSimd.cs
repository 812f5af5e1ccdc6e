namespace SeparableConv.Loops;

/// <summary>
/// The vector operations of the quantized loops, on lanes of 32-bit integers; as <see cref="ISimd{TVec}"/>, one body serves every
/// width. Sums wrap around.
/// </summary>
/// <typeparam name="TVec">The vector: <see cref="int"/>, or one of the framework's 128, 256 and 512 bit vectors.</typeparam>
internal unsafe interface IIntegerSimd<TVec>
    where TVec : struct
{
    /// <summary>Lanes in a vector; a power of two.</summary>
    static abstract int Count { get; }

    /// <summary>Rows of a matrix tile that is two vectors wide whose accumulators fit in the registers.</summary>
    static abstract int TileRows { get; }

    static abstract TVec Broadcast(int value);

    static abstract TVec Load(int* source);

    static abstract void Store(TVec value, int* target);

    static abstract TVec Add(TVec a, TVec b);

    /// <summary>
    /// low(a)*low(b) + high(a)*high(b) + c, where low and high are the signed 16-bit halves of a lane; no product saturates.
    /// </summary>
    static abstract TVec MultiplyAddPairs(TVec a, TVec b, TVec c);

    /// <summary>The same for two products of one operand: c += a*b, d += a*e.</summary>
    /// <remarks>
    /// Without AVX-VNNI both multiplications, then both additions: Zen 4 then does 1.80 times the float multiply-adds; with each addition
    /// behind its multiplication, 1.46 times, for additions then take turns at the multipliers' ports.
    /// </remarks>
    static abstract void MultiplyAddPairs(TVec a, TVec b, TVec e, ref TVec c, ref TVec d);

    /// <summary>
    /// c plus the four products of the bytes of a lane, unsigned in a and signed in b; none saturates. One instruction with AVX-VNNI. The
    /// code for machines without it serves tests alone, for layers use pairs there; on 512 bits layers use <see cref="ByteQuadCode"/>.
    /// </summary>
    static abstract TVec MultiplyAddQuads(TVec a, TVec b, TVec c);

    /// <summary>Loads 2*Count bytes, signed or not, as 16-bit numbers.</summary>
    static abstract TVec LoadShorts(byte* source, bool signed);

    static abstract TVec BroadcastShort(int value);

    /// <summary>Sums of 16-bit numbers, saturating.</summary>
    static abstract TVec AddShorts(TVec a, TVec b);

    static abstract TVec SubtractShorts(TVec a, TVec b);

    static abstract TVec ClampShorts(TVec value, TVec lower, TVec upper);

    /// <summary>
    /// Makes pairs for <see cref="MultiplyAddPairs(TVec, TVec, TVec)"/> of two vectors of 16-bit numbers, from the first half of every 128
    /// bits. Pair i holds number 8*(i/4) + i%4 of both vectors.
    /// </summary>
    static abstract TVec JoinLow(TVec a, TVec b);

    /// <summary>The same from the second halves: pair i holds number 8*(i/4) + i%4 + 4 of both vectors.</summary>
    static abstract TVec JoinHigh(TVec a, TVec b);

    /// <summary>
    /// Two vectors of integers as one of 16-bit numbers, saturating, in the order that <see cref="JoinLow"/> and <see cref="JoinHigh"/>
    /// took apart.
    /// </summary>
    static abstract TVec Pack(TVec low, TVec high);

    /// <summary>Puts the numbers that <see cref="Pack"/> made of two neighbouring vectors in the order of those vectors.</summary>
    static abstract TVec Order(TVec packed);

    /// <summary>Two vectors of 16-bit numbers as one of unsigned bytes, saturating, 128 bits of each by turns.</summary>
    static abstract TVec PackBytes(TVec low, TVec high);

    /// <summary>
    /// Puts the bytes that <see cref="PackBytes"/> made of two results of <see cref="Pack"/>, of four neighbouring vectors, in the order of
    /// those.
    /// </summary>
    static abstract TVec OrderBytes(TVec packed);

    /// <summary>Unsigned bytes between bounds.</summary>
    static abstract TVec ClampBytes(TVec value, TVec lower, TVec upper);

    static abstract TVec Xor(TVec a, TVec b);

    /// <summary>The low bytes of 2*Count 16-bit numbers.</summary>
    static abstract void StoreBytes(TVec shorts, byte* target);

    /// <summary>The low bytes of the first Count 16-bit numbers.</summary>
    static abstract void StoreHalfBytes(TVec shorts, byte* target);

    /// <summary>floor((a*b + 2^31) / 2^32), from the whole product.</summary>
    static abstract TVec HighMultiply(TVec a, TVec b);

    /// <summary>floor(value / 2^count), lane by lane; counts are 0 to 31.</summary>
    static abstract TVec ShiftRight(TVec value, TVec counts);

    /// <summary>value - 1 where value is below limit, value elsewhere.</summary>
    static abstract TVec DecrementBelow(TVec value, TVec limit);

    /// <summary>value*scale to the nearest integer, half to even, where that fits 32 bits; scale is a float by its bits.</summary>
    static abstract TVec Scale(TVec value, TVec scale);

    /// <summary>
    /// clamp(value*scale) to the nearest integer, half to even. Scale and bounds are floats by their bits; the bounds fit 32 bits.
    /// </summary>
    static abstract TVec Scale(TVec value, TVec scale, TVec lower, TVec upper);
}
