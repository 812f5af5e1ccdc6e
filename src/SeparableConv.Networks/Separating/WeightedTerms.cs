using SeparableConv.Separation;

namespace SeparableConv.Networks.Separating;

/// <summary>
/// Terms value*left*right' that add up to a matrix W, (inputs, outputs), the first of which give back the most of W'x: of x as it is, where
/// its covariance is known, else of W itself, by the singular value decomposition.
/// </summary>
/// <remarks>
/// With a covariance L*L' it is the decomposition of L'*W, each left vector multiplied by the inverse of L'. Left vectors are of norm 1.
/// </remarks>
internal static class WeightedTerms
{
    private const double Ridge = 1e-6;

    /// <summary>Decomposes.</summary>
    /// <param name="matrix">(rows, columns): W.</param>
    /// <param name="rows">Inputs.</param>
    /// <param name="columns">Outputs.</param>
    /// <param name="covariance">(rows, rows), overwritten; null for white noise.</param>
    /// <param name="most">The highest number of terms that is asked for.</param>
    /// <param name="threads">Threads to use.</param>
    /// <returns>The terms, the most important first; all where they are not many more than were asked for.</returns>
    public static GramDecomposition.Term[] Of(float[] matrix, int rows, int columns, double[]? covariance, int most, int threads)
    {
        if (covariance is null)
            return Plain(matrix, rows, columns, most, threads);
        var factor = TriangularFactor.Of(covariance, rows, Ridge);
        var terms = Plain(factor.MultiplyTransposed(matrix, columns, threads), rows, columns, most, threads);
        var lefts = new double[rows * terms.Length];
        for (var t = 0; t < terms.Length; t++)
        {
            for (var d = 0; d < rows; d++)
                lefts[(d * terms.Length) + t] = terms[t].Left[d];
        }

        factor.Backward(lefts, terms.Length, threads);
        return
        [
            .. terms.Select((term, t) =>
            {
                var left = new double[rows];
                for (var d = 0; d < rows; d++)
                    left[d] = lefts[(d * terms.Length) + t];
                var norm = Math.Sqrt(left.Sum(v => v * v));
                return new GramDecomposition.Term(
                    term.Value, Array.ConvertAll(left, v => v / norm), Array.ConvertAll(term.Right, v => v * norm));
            }),
        ];
    }

    private static GramDecomposition.Term[] Plain(float[] matrix, int rows, int columns, int most, int threads)
    {
        if (LeadingTerms.ArePaid(rows, columns, most))
            return [.. LeadingTerms.Of(matrix, rows, columns, most, threads)];
        var whole = KernelSeparation.DecomposeMatrix(matrix, rows, columns);
        return
        [
            .. Enumerable.Range(0, whole.Rank).Select(t =>
                new GramDecomposition.Term(whole.SingularValues[t], whole.Left(t).ToArray(), whole.Right(t).ToArray())),
        ];
    }
}
