using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Separating;

/// <summary>Cholesky's factor L of a symmetric positive definite matrix, A = L*L', row after row.</summary>
/// <remarks>
/// The factor of the first k rows and columns is the first k rows and columns of the factor: what k unknowns explain is told for every k
/// at once (<see cref="Explained"/>).
/// </remarks>
internal sealed class TriangularFactor
{
    private readonly double[] _factor;
    private readonly int _n;

    private TriangularFactor(double[] factor, int n) => (_factor, _n) = (factor, n);

    /// <summary>Decomposes a matrix; its numbers are overwritten.</summary>
    /// <param name="matrix">n*n numbers, of which those on and below the diagonal are read.</param>
    /// <param name="n">The side.</param>
    /// <param name="ridge">What is added to the diagonal: a share of its mean. More than rounding takes away.</param>
    public static TriangularFactor Of(double[] matrix, int n, double ridge)
    {
        var mean = 0.0;
        for (var i = 0; i < n; i++)
            mean += matrix[(i * n) + i] / n;
        var added = mean > 0 ? ridge * mean : 1;
        for (var i = 0; i < n; i++)
        {
            var row = matrix.AsSpan(i * n, i + 1);
            for (var j = 0; j < i; j++)
                row[j] = (row[j] - TensorPrimitives.Dot<double>(row[..j], matrix.AsSpan(j * n, j))) / matrix[(j * n) + j];

            // A feature that others make up leaves nothing but what was added.
            row[i] = Math.Sqrt(Math.Max(row[i] + added - TensorPrimitives.SumOfSquares<double>(row[..i]), added));
        }

        return new(matrix, n);
    }

    /// <summary>Solves A*X = B for (n, columns) numbers, in their place.</summary>
    public void Solve(double[] b, int columns)
    {
        Forward(b, columns);
        Backward(b, columns);
    }

    /// <summary>Solves L'*X = B for (n, columns) numbers, in their place.</summary>
    public void Backward(double[] b, int columns)
    {
        for (var i = _n - 1; i >= 0; i--)
        {
            var row = b.AsSpan(i * columns, columns);
            for (var j = i + 1; j < _n; j++)
                TensorPrimitives.MultiplyAdd(b.AsSpan(j * columns, columns), -_factor[(j * _n) + i], row, row);
            TensorPrimitives.Divide(row, _factor[(i * _n) + i], row);
        }
    }

    /// <summary>L'*B for (n, columns) numbers.</summary>
    public float[] MultiplyTransposed(float[] b, int columns, int threads)
    {
        var transposed = new float[_n * _n];
        for (var i = 0; i < _n; i++)
        {
            for (var j = i; j < _n; j++)
                transposed[(i * _n) + j] = (float)_factor[(j * _n) + i];
        }

        return DenseProduct.Of(transposed, _n, _n, b, columns, threads);
    }

    /// <summary>
    /// What unknown k adds to b'*inverse(A)*b where only the first k + 1 of them are used, summed over the columns of b; b is overwritten.
    /// </summary>
    public double[] Explained(double[] b, int columns)
    {
        Forward(b, columns);
        var explained = new double[_n];
        for (var i = 0; i < _n; i++)
            explained[i] = TensorPrimitives.SumOfSquares<double>(b.AsSpan(i * columns, columns));
        return explained;
    }

    private void Forward(double[] b, int columns)
    {
        for (var i = 0; i < _n; i++)
        {
            var row = b.AsSpan(i * columns, columns);
            for (var j = 0; j < i; j++)
                TensorPrimitives.MultiplyAdd(b.AsSpan(j * columns, columns), -_factor[(i * _n) + j], row, row);
            TensorPrimitives.Divide(row, _factor[(i * _n) + i], row);
        }
    }
}
