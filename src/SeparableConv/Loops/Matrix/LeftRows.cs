namespace SeparableConv.Loops;

/// <summary>The left operand of a <see cref="MatrixProduct"/>: rows of segments in memory, which may overlap, so that a convolution reads its input where it lies.</summary>
internal unsafe struct LeftRows
{
    /// <summary>The first float of row 0.</summary>
    public float* Start;

    /// <summary>Floats from one row to the next.</summary>
    public nint RowStride;

    public nint Rows;

    /// <summary>Where each segment begins, in floats from the begin of its row.</summary>
    public nint* SegmentOffsets;

    public int Segments;

    /// <summary>Floats in a segment.</summary>
    public int SegmentLength;

    /// <summary>
    /// What the tile of row 0 fetches into the second-level cache while it computes; any address is harmless. Null: the rows two
    /// tiles ahead, or the next weights where they are the larger operand.
    /// </summary>
    public float* Prefetch;

    /// <summary>Floats from one fetch, one step of k, to the next.</summary>
    public nint PrefetchStep;

    /// <summary>Floats by which a tile fetches further on for each row before its own.</summary>
    public nint PrefetchRowStride;
}
