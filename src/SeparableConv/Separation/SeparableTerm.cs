namespace SeparableConv;

/// <summary>How a one-dimensional factor mirrors about its middle; a filter then needs half of the multiplications.</summary>
public enum FactorSymmetry
{
    /// <summary>Neither.</summary>
    None,

    /// <summary>f[i] = f[n-1-i], to the bit.</summary>
    Symmetric,

    /// <summary>f[i] = -f[n-1-i], to the bit; an odd length has 0 in the middle.</summary>
    Antisymmetric,
}

/// <summary>One term of a separable kernel: a column of kH numbers times a row of kW numbers.</summary>
public sealed class SeparableTerm
{
    private readonly double[] _column;
    private readonly double[] _row;

    /// <summary>Makes a term; the numbers are copied.</summary>
    /// <param name="column">kH finite numbers, 1 or more.</param>
    /// <param name="row">kW finite numbers, 1 or more.</param>
    /// <exception cref="ArgumentException">A factor is empty or holds a number that is not finite.</exception>
    public SeparableTerm(ReadOnlySpan<double> column, ReadOnlySpan<double> row)
        : this(column.ToArray(), row.ToArray())
    {
    }

    internal SeparableTerm(double[] column, double[] row)
    {
        Check(column, "column");
        Check(row, "row");
        _column = column;
        _row = row;
        ColumnSymmetry = SymmetryOf(column);
        RowSymmetry = SymmetryOf(row);
    }

    /// <summary>The vertical factor, from top to bottom: kH numbers.</summary>
    public ReadOnlySpan<double> Column => _column;

    /// <summary>The horizontal factor, from left to right: kW numbers.</summary>
    public ReadOnlySpan<double> Row => _row;

    /// <summary>How the column mirrors.</summary>
    public FactorSymmetry ColumnSymmetry { get; }

    /// <summary>How the row mirrors.</summary>
    public FactorSymmetry RowSymmetry { get; }

    /// <summary>Both factors reversed: the term of the flipped kernel.</summary>
    /// <returns>The term for true convolution.</returns>
    public SeparableTerm Flip()
    {
        var column = (double[])_column.Clone();
        var row = (double[])_row.Clone();
        Array.Reverse(column);
        Array.Reverse(row);
        return new SeparableTerm(column, row);
    }

    private static void Check(double[] factor, string what)
    {
        if (factor.Length == 0)
            throw new ArgumentException($"The {what} of a separable term is empty; it needs at least 1 number.");
        for (var i = 0; i < factor.Length; i++)
        {
            if (!double.IsFinite(factor[i]))
                throw new ArgumentException(
                    $"The {what} of a separable term has {factor[i]} at position {i}; every number must be finite.");
        }
    }

    private static FactorSymmetry SymmetryOf(double[] factor)
    {
        var symmetric = true;
        var antisymmetric = true;
        for (int i = 0, j = factor.Length - 1; i <= j; i++, j--)
        {
            symmetric &= factor[i] == factor[j];
            antisymmetric &= factor[i] == -factor[j];
        }

        return symmetric ? FactorSymmetry.Symmetric : antisymmetric ? FactorSymmetry.Antisymmetric : FactorSymmetry.None;
    }
}
