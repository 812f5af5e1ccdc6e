namespace SeparableConv.Kernels;

/// <summary>
/// The vector operations of the quantized kernels, on lanes of 32-bit integers; as <see cref="ISimd{TVec}"/>, one body serves every
/// width. Sums wrap around.
/// </summary>
/// <typeparam name="TVec">The vector: <see cref="int"/>, or one of the framework's 128, 256 and 512 bit vectors.</typeparam>
internal unsafe interface IIntegerSimd<TVec>
    where TVec : struct
{
    /// <summary>Lanes in a vector; a power of two.</summary>
    static abstract int Count { get; }

    static abstract TVec Broadcast(int value);

    static abstract TVec Load(int* source);

    static abstract void Store(TVec value, int* target);

    static abstract TVec Add(TVec a, TVec b);

    static abstract TVec Subtract(TVec a, TVec b);

    static abstract TVec Min(TVec a, TVec b);

    static abstract TVec Max(TVec a, TVec b);

    /// <summary>low(a)*low(b) + high(a)*high(b) + c, where low and high are the signed 16-bit halves of a lane; no product saturates.</summary>
    static abstract TVec MultiplyAddPairs(TVec a, TVec b, TVec c);

    /// <summary>Pairs for <see cref="MultiplyAddPairs"/> from two lanes of 16-bit numbers.</summary>
    static abstract TVec JoinPairs(TVec low, TVec high);

    /// <summary>Count bytes, zero-extended.</summary>
    static abstract TVec LoadBytes(byte* source);

    /// <summary>Count bytes, sign-extended.</summary>
    static abstract TVec LoadSignedBytes(byte* source);

    /// <summary>The low 8 bits of each lane.</summary>
    static abstract void StoreBytes(TVec value, byte* target);

    /// <summary>The low 16 bits of each lane.</summary>
    static abstract void StoreShorts(TVec value, short* target);

    /// <summary>floor((a*b + 2^31) / 2^32), from the whole product.</summary>
    static abstract TVec HighMultiply(TVec a, TVec b);

    /// <summary>floor(value / 2^count), lane by lane; counts are 0 to 31.</summary>
    static abstract TVec ShiftRight(TVec value, TVec counts);

    /// <summary>value - 1 where value is below limit, value elsewhere.</summary>
    static abstract TVec DecrementBelow(TVec value, TVec limit);

    /// <summary>
    /// clamp(value*scale) to the nearest integer, half to even. Scale and bounds are floats by their bits; the bounds fit 32 bits.
    /// </summary>
    static abstract TVec Scale(TVec value, TVec scale, TVec lower, TVec upper);
}
