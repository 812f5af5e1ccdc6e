using System.Numerics;
using System.Numerics.Tensors;

namespace SeparableConv.Separation;

/// <summary>
/// Eigenvalues and eigenvectors of a symmetric matrix: Householder reflections to tridiagonal form, then the implicit QL method with
/// Wilkinson's shift (Wilkinson and Reinsch, Handbook for Automatic Computation, volume 2, contributions II/2 and II/3). Errors are about
/// epsilon times the largest eigenvalue, whatever the size of an eigenvalue.
/// </summary>
internal static class SymmetricEigen
{
    // Rotations are gathered and then applied to some columns at a time, which stay in the second-level cache: 32 columns of 2048 rows are
    // 512 KB.
    private const int RotationsTogether = 1 << 16;
    private const int ColumnsTogether = 32;

    // An eigenvalue takes two or three steps; more than this would be a matrix with a number that is not finite.
    private const int MostSteps = 60;

    /// <summary>Decomposes a matrix.</summary>
    /// <param name="matrix">n*n finite numbers; what becomes of them is undefined.</param>
    /// <param name="n">The side, 1 or more.</param>
    /// <returns>The eigenvalues in no order, and their unit vectors, one a row.</returns>
    public static (double[] Values, double[] Vectors) Decompose(double[] matrix, int n)
    {
        var (diagonal, beside) = (new double[n], new double[n]);
        var vectors = Tridiagonalize(matrix, n, diagonal, beside);
        Diagonalize(vectors, n, diagonal, beside);
        return (diagonal, vectors);
    }

    // Q'AQ is tridiagonal; returns Q', one column of Q a row. beside[i] lies between diagonal[i] and diagonal[i + 1].
    private static double[] Tridiagonalize(double[] a, int n, double[] diagonal, double[] beside)
    {
        var factors = new double[n];
        var product = new double[n];
        for (var k = 0; k < n; k++)
        {
            diagonal[k] = a[(k * n) + k];
            if (k == n - 1)
                break;

            // The reflection that leaves nothing of row k but its first number: I - factor*v*v'. It takes the row's place.
            var v = a.AsSpan((k * n) + k + 1, n - k - 1);
            var norm = TensorPrimitives.Norm<double>(v);
            beside[k] = v[0] > 0 ? -norm : norm;
            if (norm == 0 || v.Length == 1)
            {
                beside[k] = v[0];
                continue;
            }

            v[0] -= beside[k];
            var factor = factors[k] = -1 / (beside[k] * v[0]);

            // A - v*w' - w*v' with w = factor*(A*v) - (factor/2 * v'p)*v, p = factor*A*v.
            var w = product.AsSpan(k + 1, v.Length);
            for (var i = 0; i < w.Length; i++)
                w[i] = factor * TensorPrimitives.Dot<double>(a.AsSpan(((k + 1 + i) * n) + k + 1, v.Length), v);
            TensorPrimitives.MultiplyAdd(v, -0.5 * factor * TensorPrimitives.Dot<double>(w, v), w, w);
            for (var i = 0; i < w.Length; i++)
            {
                var row = a.AsSpan(((k + 1 + i) * n) + k + 1, v.Length);
                TensorPrimitives.MultiplyAdd(w, -v[i], row, row);
                TensorPrimitives.MultiplyAdd(v, -w[i], row, row);
            }
        }

        var q = new double[n * n];
        for (var i = 0; i < n; i++)
            q[(i * n) + i] = 1;
        for (var k = n - 3; k >= 0; k--)
        {
            var v = a.AsSpan((k * n) + k + 1, n - k - 1);
            for (var i = k + 1; i < n && factors[k] != 0; i++)
            {
                var row = q.AsSpan((i * n) + k + 1, v.Length);
                TensorPrimitives.MultiplyAdd(v, -factors[k] * TensorPrimitives.Dot<double>(row, v), row, row);
            }
        }

        return q;
    }

    private static void Diagonalize(double[] vectors, int n, double[] d, double[] e)
    {
        var largest = 0.0;
        for (var i = 0; i < n; i++)
            largest = Math.Max(largest, Math.Abs(d[i]) + (i < n - 1 ? Math.Abs(e[i]) : 0));
        var negligible = largest * FilterKernel.DoubleEpsilon;
        var rotations = new List<Rotation>(RotationsTogether + n);
        for (var first = 0; first < n; first++)
        {
            for (var step = 0; ; step++)
            {
                var last = first;
                while (last < n - 1 && Math.Abs(e[last]) > negligible)
                    last++;
                if (last == first)
                    break;
                if (step == MostSteps)
                    throw new InvalidOperationException(
                        $"An eigenvalue of a {n}x{n} matrix was not found in {MostSteps} steps; its numbers must be finite.");
                Step(d, e, first, last, rotations);
                if (rotations.Count >= RotationsTogether)
                    Apply(rotations, vectors, n);
            }
        }

        Apply(rotations, vectors, n);
    }

    // One QL step on rows first to last: rotations from the last pair up to the first.
    private static void Step(double[] d, double[] e, int first, int last, List<Rotation> rotations)
    {
        var g = (d[first + 1] - d[first]) / (2 * e[first]);
        g = d[last] - d[first] + (e[first] / (g + Math.CopySign(Math.Sqrt((g * g) + 1), g)));
        var (sine, cosine, shift) = (1.0, 1.0, 0.0);
        for (var i = last - 1; i >= first; i--)
        {
            var f = sine * e[i];
            var b = cosine * e[i];
            var r = Math.Sqrt((f * f) + (g * g));
            e[i + 1] = r;
            if (r == 0)
            {
                // The pair below has come apart by itself.
                d[i + 1] -= shift;
                e[last] = 0;
                return;
            }

            (sine, cosine) = (f / r, g / r);
            g = d[i + 1] - shift;
            r = ((d[i] - g) * sine) + (2 * cosine * b);
            shift = sine * r;
            d[i + 1] = g + shift;
            g = (cosine * r) - b;
            rotations.Add(new(i, sine, cosine));
        }

        d[first] -= shift;
        e[first] = g;
        e[last] = 0;
    }

    private static void Apply(List<Rotation> rotations, double[] vectors, int n)
    {
        for (var column = 0; column < n; column += ColumnsTogether)
        {
            var count = Math.Min(ColumnsTogether, n - column);
            foreach (var (row, sine, cosine) in rotations)
                Rotate(vectors.AsSpan((row * n) + column, count), vectors.AsSpan(((row + 1) * n) + column, count), sine, cosine);
        }

        rotations.Clear();
    }

    private static void Rotate(Span<double> upper, Span<double> lower, double sine, double cosine)
    {
        var (s, c) = (Vector.Create(sine), Vector.Create(cosine));
        var i = 0;
        for (; i <= upper.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            var (x, y) = (new Vector<double>(upper[i..]), new Vector<double>(lower[i..]));
            ((c * x) - (s * y)).CopyTo(upper[i..]);
            ((s * x) + (c * y)).CopyTo(lower[i..]);
        }

        for (; i < upper.Length; i++)
            (upper[i], lower[i]) = ((cosine * upper[i]) - (sine * lower[i]), (sine * upper[i]) + (cosine * lower[i]));
    }

    private readonly record struct Rotation(int Row, double Sine, double Cosine);
}
