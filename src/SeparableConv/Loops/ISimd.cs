namespace SeparableConv.Loops;

/// <summary>The vector operations of <see cref="MatrixTile"/>, which does not ask what a lane of 32 bits holds.</summary>
/// <typeparam name="TVec">The vector.</typeparam>
internal interface ITileSimd<TVec>
    where TVec : struct
{
    /// <summary>Lanes of 32 bits in a vector; a power of two.</summary>
    static abstract int Count { get; }

    /// <summary>Rows of a matrix tile that is two vectors wide whose accumulators fit in the registers.</summary>
    static abstract int TileRows { get; }

    static abstract TVec Zero { get; }

    static abstract TVec Broadcast(float value);

    static abstract unsafe TVec Load(float* source);

    static abstract unsafe void Store(TVec value, float* target);

    static abstract TVec Add(TVec a, TVec b);

    /// <summary>a*b + c, rounded once where the machine can, twice where it cannot.</summary>
    static abstract TVec MultiplyAdd(TVec a, TVec b, TVec c);

    /// <summary>c += a*b and d += a*e, in the order of instructions that keeps the machine's ports busy.</summary>
    static abstract void MultiplyAddBoth(TVec a, TVec b, TVec e, ref TVec c, ref TVec d);

    /// <summary>The machine's own minimum, one instruction: if either is NaN, x86 gives <paramref name="b"/>.</summary>
    static abstract TVec Min(TVec a, TVec b);

    /// <summary>The machine's own maximum, one instruction: if either is NaN, x86 gives <paramref name="b"/>.</summary>
    static abstract TVec Max(TVec a, TVec b);

    /// <summary><see cref="Activation.HardSwish"/>, the one function beside bounds that loops do on sums in registers.</summary>
    static abstract TVec HardSwish(TVec a);
}

/// <summary>
/// The few vector operations that the loops are written with. A loop body is generic over an implementation and is
/// compiled once a width: the calls are static and abstract, so the JIT sees only instructions.
/// </summary>
/// <typeparam name="TVec">The vector: <see cref="float"/>, or one of the framework's 128, 256 and 512 bit vectors.</typeparam>
internal interface ISimd<TVec> : ITileSimd<TVec>
    where TVec : struct
{
    /// <summary>Whether there are 32 vector registers and not 16: loops then keep weights in them.</summary>
    static abstract bool ManyRegisters { get; }

    static abstract TVec Subtract(TVec a, TVec b);

    static abstract TVec Multiply(TVec a, TVec b);

    static abstract TVec Divide(TVec a, TVec b);

    static abstract TVec Abs(TVec a);

    /// <summary>The size of <paramref name="magnitude"/> with the sign of <paramref name="sign"/>, in every lane.</summary>
    static abstract TVec CopySign(TVec magnitude, TVec sign);

    /// <summary>The sum of the lanes.</summary>
    static abstract float SumLanes(TVec a);

    /// <summary>The largest of the lanes; a NaN may be lost.</summary>
    static abstract float MaxLanes(TVec a);

    /// <summary>To the nearest integer, half to even.</summary>
    static abstract TVec Round(TVec a);

    /// <summary>Where a is less than b the one, elsewhere (NaN included) the other.</summary>
    static abstract TVec SelectLess(TVec a, TVec b, TVec ifLess, TVec otherwise);

    /// <summary>2^n, exact, for whole n from -126 to 127; any other n gives a number without meaning.</summary>
    static abstract TVec PowerOfTwo(TVec n);

    /// <summary>a * 2^n, rounded once though it be denormal, for whole n from -252 to 254.</summary>
    static abstract TVec Scale(TVec a, TVec n);

    /// <summary>
    /// For normal numbers above 0 the m from 2/3 up to 4/3 and the whole e with a = m * 2^e; any other number gives numbers without
    /// meaning.
    /// </summary>
    static abstract TVec Mantissa(TVec a, out TVec exponent);

    /// <summary>Reads whole numbers: the lanes that <see cref="Permute(TVec, TVec)"/> takes, in the form that it wants.</summary>
    static abstract unsafe TVec LoadLanes(float* source);

    /// <summary>For each lane the lane of <paramref name="a"/> that has the number there.</summary>
    static abstract TVec Permute(TVec a, TVec lanes);

    /// <summary>For each lane the lane of two vectors that has the number there; those of <paramref name="b"/> begin with Count.</summary>
    static abstract TVec Permute(TVec a, TVec b, TVec lanes);

    /// <summary>For each lane the float that lies so many floats behind a place. Offsets are whole numbers, loaded as they are.</summary>
    static abstract unsafe TVec Gather(float* source, TVec offsets);

    /// <summary>Reads Count pixels (byte, ushort or float) and widens them to floats, exactly.</summary>
    static abstract unsafe TVec LoadPixels<T>(T* source)
        where T : unmanaged;

    /// <summary>
    /// Writes 2*Count pixels (byte, ushort or float; <see cref="Streamed{T}"/> of them goes past the caches where the target is aligned
    /// to what is written at once). Integers are rounded half to even and saturated; NaN becomes 0.
    /// </summary>
    static abstract unsafe void StorePixels<T>(TVec low, TVec high, T* target)
        where T : unmanaged;

    /// <summary>Reads Count bytes, signed or not, as floats.</summary>
    static abstract unsafe TVec LoadBytes(byte* source, bool signed);

    /// <summary>Writes Count whole numbers as bytes; what does not fit a byte, signed or not, is without meaning.</summary>
    static abstract unsafe void StoreBytes(TVec value, byte* target);
}
