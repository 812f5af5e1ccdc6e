namespace SeparableConv.Loops;

/// <summary>
/// One call of a dense pass: two rows of sums over a window of float lines. The taps come in three groups, in this order:
/// read by the upper row alone, by both, by the lower row alone. Taps of weight zero are in none.
/// </summary>
internal unsafe struct DenseTaps
{
    /// <summary>The window that the offsets count from.</summary>
    public float* Window;

    /// <summary>For each tap of the three groups, its distance in floats from the window's start.</summary>
    public nint* Offsets;

    /// <summary>The upper row's weights: of the first two groups.</summary>
    public float* UpperWeights;

    /// <summary>The lower row's weights: of the last two groups.</summary>
    public float* LowerWeights;

    /// <summary>Taps of the first group.</summary>
    public int Upper;

    /// <summary>Taps of the second group.</summary>
    public int Both;

    /// <summary>Taps of the third group.</summary>
    public int Lower;

    /// <summary>Added to every sum before it is rounded.</summary>
    public float Offset;

    /// <summary>The first pixel element of the upper row.</summary>
    public void* UpperTarget;

    /// <summary>The first pixel element of the lower row.</summary>
    public void* LowerTarget;

    /// <summary>Elements a row; at least <see cref="DensePass.Vectors"/> vectors.</summary>
    public nint Count;
}
