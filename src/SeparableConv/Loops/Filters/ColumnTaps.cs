namespace SeparableConv.Loops;

/// <summary>One call of a column pass: which rows of pixels become which lines of sums.</summary>
internal unsafe struct ColumnTaps
{
    /// <summary>
    /// Pointers to the first element of each row that is read. For four rows at a time: taps + 3 of them, of which sum r
    /// reads r .. r + taps - 1. For one row: one for each tap.
    /// </summary>
    public void** Rows;

    /// <summary>A weight for each tap.</summary>
    public float* Weights;

    /// <summary>The number of taps.</summary>
    public int Taps;

    /// <summary>The first line of sums.</summary>
    public float* Lines;

    /// <summary>Floats from one line to the next.</summary>
    public nint LineStride;

    /// <summary>The first element read in each row; its sum goes to the start of the line.</summary>
    public nint Start;

    /// <summary>Elements a line.</summary>
    public nint Count;

    /// <summary>How far from its beginning the next call will begin with a row that is new to this one: that is fetched meanwhile.</summary>
    public nint AheadBytes;
}
