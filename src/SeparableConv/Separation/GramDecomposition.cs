using System.Numerics.Tensors;

namespace SeparableConv.Separation;

/// <summary>
/// The singular values and vectors of large matrices A from the eigenvectors W of A*A': the rows of W'A are then orthogonal, their norms
/// are the singular values, and the rows over their norms are the right vectors.
/// </summary>
/// <remarks>
/// A*A' knows a singular value s only to epsilon*s_1^2/s, too little for small ones. So only values above a hundredth of the largest are
/// taken; the rows of the others, freed from the right vectors that were found, are a smaller matrix that is decomposed in the same way,
/// and so on until what is left is rounding. Values are then good to some epsilon*s_1, and vectors of values that are taken together
/// orthogonal to about 1e-10. Reading the matrix row by row makes it some times as fast as a bidiagonalization, which has to go through all
/// of it for every column.
/// </remarks>
internal static class GramDecomposition
{
    private const double LeastTaken = 0.01;

    // Rows and columns of a product that are multiplied together while they stay in the first-level cache.
    private const int RowsTogether = 4;
    private const int NumbersTogether = 512;

    /// <summary>Decomposes a matrix.</summary>
    /// <param name="matrix">rows*columns numbers around 1, row after row.</param>
    /// <param name="rows">Rows, no more than columns.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="relativeFloor">Values at or below this times the largest are rounding and are not looked into.</param>
    /// <returns>As many terms as rows, the largest value first. The right vectors of values that are rounding are empty.</returns>
    public static List<Term> Decompose(double[] matrix, int rows, int columns, double relativeFloor) =>
        Decompose(matrix, rows, columns, relativeFloor, floor: -1);

    private static List<Term> Decompose(double[] a, int rows, int columns, double relativeFloor, double floor)
    {
        var (_, vectors) = SymmetricEigen.Decompose(MultiplyTransposed(a, rows, a, rows, columns), rows);
        var products = MultiplyTransposed(vectors, rows, Transpose<double>(a, rows, columns), columns, rows);
        var norms = new double[rows];
        for (var i = 0; i < rows; i++)
            norms[i] = TensorPrimitives.Norm<double>(products.AsSpan(i * columns, columns));
        var order = Enumerable.Range(0, rows).OrderByDescending(i => norms[i]).ToArray();
        var largest = norms[order[0]];
        if (floor < 0)
            floor = relativeFloor * largest;
        var least = Math.Max(floor, LeastTaken * largest);
        var taken = order.TakeWhile(i => norms[i] > least).ToArray();
        var terms = new List<Term>(rows);
        foreach (var i in taken)
        {
            var right = products.AsSpan(i * columns, columns).ToArray();
            TensorPrimitives.Divide(right, norms[i], right);
            terms.Add(new(norms[i], vectors.AsSpan(i * rows, rows).ToArray(), right));
        }

        var rest = order[taken.Length..];
        if (rest.Length == 0)
            return terms;
        if (norms[rest[0]] <= floor)
        {
            foreach (var i in rest)
                terms.Add(new(norms[i], vectors.AsSpan(i * rows, rows).ToArray(), []));
            return terms;
        }

        var left = new double[rest.Length * columns];
        for (var i = 0; i < rest.Length; i++)
        {
            var row = left.AsSpan(i * columns, columns);
            products.AsSpan(rest[i] * columns, columns).CopyTo(row);
            for (var t = 0; t < taken.Length; t++)
                TensorPrimitives.MultiplyAdd(terms[t].Right, -TensorPrimitives.Dot<double>(row, terms[t].Right), row, row);
        }

        foreach (var (value, among, right) in Decompose(left, rest.Length, columns, relativeFloor, floor))
        {
            var vector = new double[rows];
            for (var i = 0; i < rest.Length; i++)
                TensorPrimitives.MultiplyAdd(vectors.AsSpan(rest[i] * rows, rows), among[i], vector, vector);
            terms.Add(new(value, vector, right));
        }

        return terms;
    }

    // a (rows, length) times the transpose of b (columns, length).
    private static double[] MultiplyTransposed(double[] a, int rows, double[] b, int columns, int length)
    {
        var product = new double[rows * columns];
        for (var start = 0; start < length; start += NumbersTogether)
        {
            var count = Math.Min(NumbersTogether, length - start);
            for (var first = 0; first < rows; first += RowsTogether)
            {
                var end = Math.Min(rows, first + RowsTogether);
                for (var j = 0; j < columns; j++)
                {
                    var other = b.AsSpan((j * length) + start, count);
                    for (var i = first; i < end; i++)
                        product[(i * columns) + j] += TensorPrimitives.Dot<double>(a.AsSpan((i * length) + start, count), other);
                }
            }
        }

        return product;
    }

    /// <summary>Rows and columns exchanged.</summary>
    public static T[] Transpose<T>(ReadOnlySpan<T> a, int rows, int columns)
    {
        const int block = 32;
        var transposed = new T[a.Length];
        for (var row = 0; row < rows; row += block)
        {
            for (var column = 0; column < columns; column += block)
            {
                for (var i = row; i < Math.Min(rows, row + block); i++)
                {
                    for (var j = column; j < Math.Min(columns, column + block); j++)
                        transposed[(j * rows) + i] = a[(i * columns) + j];
                }
            }
        }

        return transposed;
    }

    /// <summary>One term: value * left * right'.</summary>
    public readonly record struct Term(double Value, double[] Left, double[] Right);
}
