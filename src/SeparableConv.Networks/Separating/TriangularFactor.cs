using System.Numerics;
using System.Numerics.Tensors;
using SeparableConv.Loops;
using SeparableConv.Threading;

namespace SeparableConv.Networks.Separating;

/// <summary>Cholesky's factor L of a symmetric positive definite matrix, A = L*L', row after row.</summary>
/// <remarks>
/// The factor of the first k rows and columns is the first k rows and columns of the factor: what k unknowns explain is told for every k
/// at once (<see cref="Explained"/>).
/// </remarks>
internal sealed class TriangularFactor
{
    // Columns of a right side that are solved for at once: what is read of them stays in the cache.
    private const int Together = 32;

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
    public void Solve(double[] b, int columns, int threads) => Run(b, columns, true, true, threads);

    /// <summary>Solves L'*X = B for (n, columns) numbers, in their place.</summary>
    public void Backward(double[] b, int columns, int threads) => Run(b, columns, false, true, threads);

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
    public double[] Explained(double[] b, int columns, int threads)
    {
        Run(b, columns, true, false, threads);
        var explained = new double[_n];
        for (var i = 0; i < _n; i++)
            explained[i] = TensorPrimitives.SumOfSquares<double>(b.AsSpan(i * columns, columns));
        return explained;
    }

    private void Run(double[] b, int columns, bool isForward, bool isBackward, int threads)
    {
        var work = new Work { Factor = _factor, N = _n, B = b, Columns = columns, IsForward = isForward, IsBackward = isBackward };
        WorkerPool.Shared.Run(ref work, (columns + Together - 1) / Together, threads);
    }

    // Some columns of a right side.
    private struct Work : IParallelWork
    {
        public double[] Factor;
        public int N;
        public double[] B;
        public int Columns;
        public bool IsForward;
        public bool IsBackward;

        public readonly void Execute(int part)
        {
            var first = part * Together;
            var count = Math.Min(Together, Columns - first);
            var rows = new double[N * Together];
            for (var i = 0; i < N; i++)
                B.AsSpan((i * Columns) + first, count).CopyTo(rows.AsSpan(i * Together));
            if (IsForward)
                Forward(rows);
            if (IsBackward)
                Backward(rows);
            for (var i = 0; i < N; i++)
                rows.AsSpan(i * Together, count).CopyTo(B.AsSpan((i * Columns) + first));
        }

        private readonly void Forward(double[] rows)
        {
            for (var i = 0; i < N; i++)
            {
                var row = rows.AsSpan(i * Together, Together);
                for (var j = 0; j < i; j++)
                    Subtract(rows.AsSpan(j * Together, Together), Factor[(i * N) + j], row);
                TensorPrimitives.Divide(row, Factor[(i * N) + i], row);
            }
        }

        private readonly void Backward(double[] rows)
        {
            for (var i = N - 1; i >= 0; i--)
            {
                var row = rows.AsSpan(i * Together, Together);
                TensorPrimitives.Divide(row, Factor[(i * N) + i], row);
                for (var j = 0; j < i; j++)
                    Subtract(row, Factor[(i * N) + j], rows.AsSpan(j * Together, Together));
            }
        }

        private static void Subtract(ReadOnlySpan<double> row, double factor, Span<double> from)
        {
            var times = Vector.Create(factor);
            for (var i = 0; i < Together; i += Vector<double>.Count)
                (new Vector<double>(from[i..]) - (times * new Vector<double>(row[i..]))).CopyTo(from[i..]);
        }
    }
}
