namespace SeparableConv;

/// <summary>A kernel as a sum of column-times-row terms: K[i,j] = sum over t of column_t[i] * row_t[j].</summary>
/// <remarks>Filtering with it costs Rank*(kH + kW) multiplications a pixel in place of kH*kW.</remarks>
public sealed class SeparableKernel
{
    private readonly SeparableTerm[] _terms;

    /// <summary>Makes a kernel from its terms.</summary>
    /// <param name="terms">Terms of one size; none means the zero kernel.</param>
    /// <param name="height">Rows, 1 or more.</param>
    /// <param name="width">Columns, 1 or more.</param>
    /// <param name="name">A name for messages and reports; "kernel" where none is given.</param>
    /// <exception cref="ArgumentException">A size is not positive, or a term has another size.</exception>
    public SeparableKernel(IEnumerable<SeparableTerm> terms, int height, int width, string? name = null)
        : this([.. terms], height, width, name, FilterKernel.DoubleEpsilon, 0)
    {
    }

    internal SeparableKernel(SeparableTerm[] terms, int height, int width, string? name, double epsilon, double maxError)
    {
        if (height <= 0 || width <= 0)
            throw new ArgumentException($"The kernel has size {height}x{width}; both sides must be at least 1.");
        foreach (var term in terms)
        {
            if (term.Column.Length != height || term.Row.Length != width)
            {
                throw new ArgumentException(
                    $"A term has a column of {term.Column.Length} and a row of {term.Row.Length} numbers "
                    + $"but the kernel is {height}x{width}.");
            }
        }

        _terms = terms;
        Height = height;
        Width = width;
        Name = string.IsNullOrEmpty(name) ? "kernel" : name;
        Epsilon = epsilon;
        MaxError = maxError;
    }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Height and width.</summary>
    public Size2D Size => new(Height, Width);

    /// <summary>Number of terms.</summary>
    public int Rank => _terms.Length;

    /// <summary>The terms, the largest first.</summary>
    public IReadOnlyList<SeparableTerm> Terms => _terms;

    /// <summary>The name of the kernel it stands for.</summary>
    public string Name { get; }

    /// <summary>Relative precision of the kernel it was made from.</summary>
    public double Epsilon { get; }

    /// <summary>The largest |K[i,j] - sum of terms| against the kernel it was made from; 0 where it was made from terms.</summary>
    public double MaxError { get; }

    /// <summary>Multiplies the terms out.</summary>
    /// <returns>The dense kernel.</returns>
    public FilterKernel ToKernel()
    {
        var values = new double[Height * Width];
        foreach (var term in _terms)
            AddTerm(values, term.Column, term.Row, 1);
        return new FilterKernel(values, Height, Width, Epsilon, Name);
    }

    /// <summary>Every term flipped: the kernel for true convolution.</summary>
    /// <returns>The terms with both factors reversed.</returns>
    public SeparableKernel Flip() =>
        new(Array.ConvertAll(_terms, term => term.Flip()), Height, Width, Name, Epsilon, MaxError);

    // values[i,j] += sign * column[i] * row[j]
    internal static void AddTerm(Span<double> values, ReadOnlySpan<double> column, ReadOnlySpan<double> row, double sign)
    {
        for (var i = 0; i < column.Length; i++)
        {
            var factor = sign * column[i];
            var line = values.Slice(i * row.Length, row.Length);
            for (var j = 0; j < row.Length; j++)
                line[j] += factor * row[j];
        }
    }
}
