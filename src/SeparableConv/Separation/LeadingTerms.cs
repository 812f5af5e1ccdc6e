using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Separation;

/// <summary>
/// The largest singular values of a large matrix A and their vectors, without those of the others: a subspace that A*A' is applied to some
/// times turns towards the largest (Halko, Martinsson and Tropp, 2011, arXiv:0909.4061), and within it the decomposition is exact.
/// </summary>
/// <remarks>
/// Nearly all of it are products of floats: fit for weights, whose own precision that is. The values are those of the vectors found, so
/// what a sum of such terms leaves of A is known exactly, sum of A^2 less the sum of the values' squares; where values fall slowly it can
/// be some thousandths more than the least possible.
/// </remarks>
internal static class LeadingTerms
{
    private const int More = 24;
    private const int Turns = 4;

    // Below it all terms take a moment.
    private const int LeastSide = 256;

    // A vector of which those before it leave less is rounding.
    private const double Nothing = 1e-5;

    /// <summary>Whether so many terms of a matrix are had faster so than with all the others.</summary>
    public static bool ArePaid(int rows, int columns, int count) =>
        Math.Min(rows, columns) is >= LeastSide and var all && count <= (all / 2) - More;

    /// <summary>Decomposes.</summary>
    /// <param name="matrix">rows*columns finite numbers, row after row.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="count">How many terms.</param>
    /// <param name="threads">Threads to use; the bits do not depend on them.</param>
    /// <returns>The terms, the largest value first; fewer where what is left is rounding.</returns>
    public static List<GramDecomposition.Term> Of(float[] matrix, int rows, int columns, int count, int threads)
    {
        var width = Math.Min(count + More, Math.Min(rows, columns));
        var transposed = GramDecomposition.Transpose<float>(matrix, rows, columns);
        var random = new Random(1);
        var right = new float[columns * width];
        for (var i = 0; i < right.Length; i++)
            right[i] = random.NextSingle() - 0.5f;
        var basis = new double[0];
        for (var turn = 0; turn < Turns; turn++)
        {
            var left = DenseProduct.Of(matrix, rows, columns, right, width, threads);
            basis = Orthonormal(left, rows, width);
            right = DenseProduct.Of(transposed, columns, rows, Floats(basis, width, rows), width, threads);
        }

        // A is nearly basis*(basis'A), and the second factor, (width, columns), is small.
        var within = new double[width * columns];
        TensorPrimitives.ConvertTruncating<float, double>(GramDecomposition.Transpose<float>(right, columns, width), within);
        var terms = GramDecomposition.Decompose(within, width, columns, Nothing);
        return
        [
            .. terms.TakeWhile(term => term.Value > Nothing * terms[0].Value).Take(count).Select(term =>
            {
                var vector = new double[rows];
                for (var i = 0; i < width; i++)
                    TensorPrimitives.MultiplyAdd(basis.AsSpan(i * rows, rows), term.Left[i], vector, vector);
                return term with { Left = vector };
            }),
        ];
    }

    // The columns of (rows, width) made orthogonal and of norm 1, one a row; zeros where a column is a sum of those before it.
    private static double[] Orthonormal(float[] columns, int rows, int width)
    {
        var basis = new double[width * rows];
        TensorPrimitives.ConvertTruncating<float, double>(GramDecomposition.Transpose<float>(columns, rows, width), basis);
        for (var i = 0; i < width; i++)
        {
            var vector = basis.AsSpan(i * rows, rows);
            var whole = TensorPrimitives.Norm<double>(vector);

            // What rounding leaves of the others after the first time is gone after the second.
            for (var time = 0; time < 2; time++)
            {
                for (var j = 0; j < i; j++)
                {
                    var other = basis.AsSpan(j * rows, rows);
                    TensorPrimitives.MultiplyAdd(other, -TensorPrimitives.Dot<double>(vector, other), vector, vector);
                }
            }

            var norm = TensorPrimitives.Norm<double>(vector);
            if (norm > Nothing * whole)
                TensorPrimitives.Divide(vector, norm, vector);
            else
                vector.Clear();
        }

        return basis;
    }

    private static float[] Floats(double[] basis, int width, int rows)
    {
        var floats = new float[basis.Length];
        TensorPrimitives.ConvertTruncating<double, float>(GramDecomposition.Transpose<double>(basis, width, rows), floats);
        return floats;
    }
}
