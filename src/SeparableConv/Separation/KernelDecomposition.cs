using System.Numerics.Tensors;
using SeparableConv.Separation;

namespace SeparableConv;

/// <summary>What a kernel separates into: singular values, rank, exact factors, approximations and their errors.</summary>
/// <remarks>
/// Where every number of the kernel is an integer, so are the exact factors, and they multiply out to the kernel to the bit:
/// the row has no common divisor, the column carries it. Numbers that are small integers times one power of two (1/16, 2/16)
/// have such factors too, with the power shared so that the norms are within a factor of two. Otherwise column and row
/// get equal norms, sqrt(s) each: a 3x3 box has 1/3 everywhere in both. A factor that mirrors within rounding mirrors to the
/// bit. Signs: of column and row, the one whose sum is larger against the sum of its magnitudes is made positive; where both sums are 0,
/// the last nonzero number of the column is made positive.
/// </remarks>
public sealed class KernelDecomposition
{
    private readonly MatrixDecomposition _matrix;
    private readonly Lazy<SeparableKernel> _exact;

    internal KernelDecomposition(FilterKernel kernel, MatrixDecomposition matrix)
    {
        Kernel = kernel;
        _matrix = matrix;
        _exact = new Lazy<SeparableKernel>(() => Measure(ExactFactors.Find(kernel, matrix.Svd, Rank)));
    }

    /// <summary>The kernel that was decomposed.</summary>
    public FilterKernel Kernel { get; }

    /// <summary>All min(kH, kW) singular values, the largest first.</summary>
    public ReadOnlySpan<double> SingularValues => _matrix.SingularValues;

    /// <summary>The number of singular values above <see cref="Tolerance"/>; 0 for the zero kernel.</summary>
    public int Rank => _matrix.Rank;

    /// <summary>Whether the kernel is one column times one row.</summary>
    public bool IsSeparable => Rank == 1;

    /// <summary>max(kH, kW) * epsilon * s_1: singular values at or below it are rounding.</summary>
    public double Tolerance => _matrix.Tolerance;

    /// <summary>The kernel in <see cref="Rank"/> terms.</summary>
    public SeparableKernel Exact => _exact.Value;

    /// <summary>The best approximation in the least-squares sense with a number of terms (Eckart and Young).</summary>
    /// <param name="rank">Terms, from 0 to min(kH, kW); from <see cref="Rank"/> on it is <see cref="Exact"/>.</param>
    /// <returns>The first terms of the singular value decomposition, in balanced scaling.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rank is out of range.</exception>
    public SeparableKernel Approximate(int rank)
    {
        CheckRank(rank);
        if (rank >= Rank)
            return Exact;

        var terms = new SeparableTerm[rank];
        for (var t = 0; t < rank; t++)
            terms[t] = BalancedFactors.OfSingularTerm(_matrix.Svd, t, Kernel.Epsilon);
        return Measure(terms);
    }

    /// <summary>The approximation with the fewest terms whose worst output error is within a bound.</summary>
    /// <param name="maxError">Largest |output error| allowed where inputs lie between -1 and 1; 0 or more.</param>
    /// <returns>The first rank with <see cref="WorstError"/> at or below the bound; <see cref="Exact"/> where none is.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The bound is negative or not a number.</exception>
    public SeparableKernel ApproximateWithin(double maxError)
    {
        if (!(maxError >= 0))
            throw new ArgumentOutOfRangeException(nameof(maxError), $"The error bound is {maxError}; it must be 0 or more.");

        var residual = Kernel.Values.ToArray();
        for (var rank = 0; rank < Rank; rank++)
        {
            if (AbsoluteSum(residual) <= maxError)
                return Approximate(rank);
            var term = BalancedFactors.OfSingularTerm(_matrix.Svd, rank, Kernel.Epsilon);
            SeparableKernel.AddTerm(residual, term.Column, term.Row, -1);
        }

        return Exact;
    }

    /// <summary>An upper bound of |output error| for inputs between -1 and 1 when only some terms are kept.</summary>
    /// <remarks>
    /// sum over dropped t of s_t * |u_t|_1 * |v_t|_1, and never below <see cref="WorstError"/>. For inputs between -r and r
    /// multiply by r.
    /// </remarks>
    /// <param name="rank">Terms kept, from 0 to min(kH, kW).</param>
    /// <returns>The bound.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rank is out of range.</exception>
    public double ErrorBound(int rank)
    {
        CheckRank(rank);
        var dropped = 0.0;
        for (var t = rank; t < Rank; t++)
            dropped += SingularValues[t] * AbsoluteSum(_matrix.Svd.Left[t]) * AbsoluteSum(_matrix.Svd.Right[t]);
        return Math.Max(dropped, WorstError(rank));
    }

    /// <summary>The largest |output error| that inputs between -1 and 1 can cause: sum over i,j of |K - K_r|.</summary>
    /// <param name="rank">Terms kept, from 0 to min(kH, kW).</param>
    /// <returns>The error of the worst input.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rank is out of range.</exception>
    public double WorstError(int rank) => AbsoluteSum(Residual(Approximate(rank).Terms));

    /// <summary>The largest error of a single number of the kernel: max over i,j of |K - K_r|.</summary>
    /// <param name="rank">Terms kept, from 0 to min(kH, kW).</param>
    /// <returns>The error.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rank is out of range.</exception>
    public double MaxError(int rank) => Approximate(rank).MaxError;

    /// <summary>sqrt(sum over i,j of (K - K_r)^2): the root of the sum of the dropped s_t^2.</summary>
    /// <param name="rank">Terms kept, from 0 to min(kH, kW).</param>
    /// <returns>The error.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rank is out of range.</exception>
    public double FrobeniusError(int rank) => Norm(Residual(Approximate(rank).Terms));

    // Overwrites the residual.
    internal static double Norm(double[] residual)
    {
        var largest = residual.Max(Math.Abs);
        if (largest == 0)
            return 0;

        // Brought near 1, so that no square leaves the range of a double.
        TensorPrimitives.Divide(residual, largest, residual);
        return largest * TensorPrimitives.Norm<double>(residual);
    }

    private static double AbsoluteSum(double[] values) => values.Sum(Math.Abs);

    private SeparableKernel Measure(SeparableTerm[] terms) =>
        new(terms, Kernel.Height, Kernel.Width, Kernel.Name, Kernel.Epsilon, Residual(terms).Max(Math.Abs));

    private double[] Residual(IReadOnlyList<SeparableTerm> terms)
    {
        var residual = Kernel.Values.ToArray();
        foreach (var term in terms)
            SeparableKernel.AddTerm(residual, term.Column, term.Row, -1);
        return residual;
    }

    private void CheckRank(int rank)
    {
        var most = Math.Min(Kernel.Height, Kernel.Width);
        if (rank < 0 || rank > most)
        {
            throw new ArgumentOutOfRangeException(
                nameof(rank), $"Rank {rank} was asked for; a {Kernel.Height}x{Kernel.Width} kernel has ranks 0 to {most}.");
        }
    }
}
