using SeparableConv.Separation;

namespace SeparableConv;

/// <summary>What a matrix of weights separates into: A = sum over t of s_t * u_t * v_t', the singular value decomposition.</summary>
/// <remarks>
/// Any size: <see cref="KernelSeparation.DecomposeMatrix(ReadOnlySpan{float}, int, int)"/> says how long it takes. Values are good to some
/// epsilon*s_1 of double precision; vectors are of norm 1, and orthogonal to about 1e-10.
/// </remarks>
public sealed class MatrixDecomposition
{
    private readonly SingularValueDecomposition _svd;
    private readonly double[] _singularValues;

    internal MatrixDecomposition(ReadOnlySpan<double> matrix, int rows, int columns, double epsilon)
    {
        (Rows, Columns) = (rows, columns);
        _svd = SingularValueDecomposition.Compute(matrix, rows, columns, epsilon);
        _singularValues = Array.ConvertAll(_svd.Values, s => Math.ScaleB(s, _svd.ScaleExponent));

        // Counted on the scaled values, so that tiny matrices lose nothing to underflow.
        var relative = Math.Max(rows, columns) * Math.Max(epsilon, FilterKernel.DoubleEpsilon);
        var threshold = relative * _svd.Values[0];
        Tolerance = relative * _singularValues[0];
        Rank = _svd.Values.Count(s => s > threshold);
    }

    /// <summary>Rows of the matrix.</summary>
    public int Rows { get; }

    /// <summary>Columns of the matrix.</summary>
    public int Columns { get; }

    /// <summary>All min(rows, columns) singular values, the largest first.</summary>
    public ReadOnlySpan<double> SingularValues => _singularValues;

    /// <summary>The number of singular values above <see cref="Tolerance"/>; 0 for a matrix of zeros.</summary>
    public int Rank { get; }

    /// <summary>max(rows, columns) * epsilon * s_1: singular values at or below it are rounding.</summary>
    public double Tolerance { get; }

    internal SingularValueDecomposition Svd => _svd;

    /// <summary>u_t: the factor of a term along the rows, without the singular value.</summary>
    /// <param name="term">From 0 to <see cref="Rank"/> - 1.</param>
    /// <returns>Rows numbers, of norm 1.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such term.</exception>
    public ReadOnlySpan<double> Left(int term) => _svd.Left[Checked(term)];

    /// <summary>v_t: the factor of a term along the columns, without the singular value.</summary>
    /// <param name="term">From 0 to <see cref="Rank"/> - 1.</param>
    /// <returns>Columns numbers, of norm 1.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such term.</exception>
    public ReadOnlySpan<double> Right(int term) => _svd.Right[Checked(term)];

    /// <summary>A term as a column and a row of equal norms, sqrt(s_t) each.</summary>
    /// <param name="term">From 0 to <see cref="Rank"/> - 1.</param>
    /// <returns>The column, of Rows numbers, and the row, of Columns numbers.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such term.</exception>
    public SeparableTerm Term(int term)
    {
        var root = Math.ScaleB(Math.Sqrt(_svd.Values[Checked(term)]), _svd.ScaleExponent / 2);
        return new SeparableTerm(Array.ConvertAll(_svd.Left[term], v => v * root), Array.ConvertAll(_svd.Right[term], v => v * root));
    }

    /// <summary>
    /// sqrt(sum over i,j of (A - A_r)^2), where A_r is the sum of the first r terms: the root of the sum of the dropped s_t^2.
    /// </summary>
    /// <param name="rank">Terms kept, from 0 to min(rows, columns).</param>
    /// <returns>The error.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rank is out of range.</exception>
    public double FrobeniusError(int rank)
    {
        if (rank < 0 || rank > _singularValues.Length)
        {
            throw new ArgumentOutOfRangeException(
                nameof(rank), $"Rank {rank} was asked for; a {Rows}x{Columns} matrix has ranks 0 to {_singularValues.Length}.");
        }

        var sum = 0.0;
        for (var t = rank; t < _svd.Values.Length; t++)
            sum += _svd.Values[t] * _svd.Values[t];
        return Math.ScaleB(Math.Sqrt(sum), _svd.ScaleExponent);
    }

    private int Checked(int term) => (uint)term < (uint)Rank
        ? term
        : throw new ArgumentOutOfRangeException(
            nameof(term), $"Term {term} was asked for; the {Rows}x{Columns} matrix has rank {Rank}, and terms from 0 on.");
}
