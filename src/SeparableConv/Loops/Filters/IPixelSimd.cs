namespace SeparableConv.Loops;

/// <summary>What image filters need beyond <see cref="ISimd{TVec}"/>: pixels in, pixels out, with floats between.</summary>
/// <typeparam name="TVec">The vector of floats.</typeparam>
internal interface IPixelSimd<TVec> : ISimd<TVec>
    where TVec : struct
{
    /// <summary>Reads Count pixels (byte, ushort or float) and widens them to floats, exactly.</summary>
    static abstract unsafe TVec LoadPixels<T>(T* source)
        where T : unmanaged;

    /// <summary>
    /// Writes 2*Count pixels (byte, ushort, float, or <see cref="StreamedFloat"/>, which goes past the caches where the target
    /// is aligned to a vector). Integers are rounded half to even and saturated; NaN becomes 0.
    /// </summary>
    static abstract unsafe void StorePixels<T>(TVec low, TVec high, T* target)
        where T : unmanaged;
}
