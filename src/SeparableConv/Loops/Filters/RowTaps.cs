namespace SeparableConv.Loops;

/// <summary>One call of a row pass: weighted sums over a line of floats, rounded to pixels.</summary>
internal unsafe struct RowTaps
{
    /// <summary>The line that the offsets count from.</summary>
    public float* Line;

    /// <summary>For each tap, how many floats right of the output element it reads.</summary>
    public nint* Offsets;

    /// <summary>A weight for each tap.</summary>
    public float* Weights;

    /// <summary>The number of taps; none of them is zero.</summary>
    public int Taps;

    /// <summary>Floats from one tap to the next, where all lie equally far apart; else 0.</summary>
    public int Step;

    /// <summary>Added to every sum before it is rounded.</summary>
    public float Offset;

    /// <summary>The first pixel element written.</summary>
    public void* Target;

    /// <summary>Elements written.</summary>
    public nint Count;
}
