namespace SeparableConv.Loops;

/// <summary>One call of <see cref="SmallFilterPass"/>: a part of four output rows, none of whose taps lies in the left or right border.</summary>
internal unsafe struct SmallFilterTaps
{
    /// <summary>Six input rows at the first element of the part; rows go on for a vector on both sides.</summary>
    public float** Rows;

    /// <summary>The first element of the first output row, at the beginning of a vector in memory.</summary>
    public float* Target;

    /// <summary>Floats from an output row to the next; a multiple of a vector.</summary>
    public nint TargetStride;

    /// <summary>Elements a row.</summary>
    public nint Count;

    /// <summary>Three weights.</summary>
    public float* Column;

    /// <summary>Three weights, or the outer two where the middle one is zero.</summary>
    public float* Row;

    /// <summary>Added to every sum.</summary>
    public float Offset;
}
