namespace SeparableConv.Loops;

/// <summary>One column of a separable filter, prepared: which rows it reads and the loop that sums them.</summary>
internal unsafe struct SeparableTermPlan
{
    /// <summary>Sums four lines at once; null where the column has zeros between its taps that no body is compiled for.</summary>
    public delegate*<ColumnTaps*, void> FourLines;

    /// <summary>Sums one line.</summary>
    public delegate*<ColumnTaps*, void> OneLine;

    /// <summary>The first row read, relative to the row written.</summary>
    public int FirstRow;

    /// <summary>Rows from the first to the last one read: taps, counting zeros between them.</summary>
    public int Span;

    /// <summary>A weight for each row of the span.</summary>
    public float* Weights;

    /// <summary>For <see cref="OneLine"/>: the rows, relative to the first, that have a weight other than zero.</summary>
    public int* Rows;

    /// <summary>The weights of those rows.</summary>
    public float* RowWeights;

    /// <summary>How many they are.</summary>
    public int Taps;

    /// <summary>What the column makes of a constant border: the constant times the sum of the weights.</summary>
    public float BorderSum;
}
