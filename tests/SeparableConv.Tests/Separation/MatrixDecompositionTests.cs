using System.Numerics.Tensors;

namespace SeparableConv.Tests.Separation;

/// <summary>Matrices of any size, against the factors that they were made of.</summary>
public sealed class MatrixDecompositionTests
{
    /// <summary>
    /// Small ones (MathNet), large ones (Gram), beyond 1023 a side, tall, wide, square, with values that fall over fourteen digits.
    /// </summary>
    [Theory]
    [InlineData(7, 5, 5, 3)]
    [InlineData(64, 64, 64, 6)]
    [InlineData(65, 65, 65, 0)]
    [InlineData(90, 400, 90, 2)]
    [InlineData(400, 90, 90, 8)]
    [InlineData(100, 100, 100, 11)]
    [InlineData(100, 120, 100, 14)]
    [InlineData(2048, 40, 40, 3)]
    [InlineData(9, 2048, 9, 5)]
    [InlineData(1100, 1100, 12, 4)]
    [InlineData(130, 1500, 1, 0)]
    public void Known_factors_are_found(int rows, int columns, int rank, double digits)
    {
        var values = Enumerable.Range(0, rank).Select(t => 3 * Math.Pow(10, -digits * t / Math.Max(1, rank - 1))).ToArray();
        var (left, right) = (Orthonormal(rank, rows, 1), Orthonormal(rank, columns, 2));
        var matrix = new double[rows * columns];
        for (var t = 0; t < rank; t++)
            AddTerm(matrix, left[t], right[t], values[t]);

        var found = KernelSeparation.DecomposeMatrix(matrix, rows, columns);

        Assert.Equal((rows, columns), (found.Rows, found.Columns));
        Assert.Equal(Math.Min(rows, columns), found.SingularValues.Length);
        Assert.Equal(values.Count(s => s > found.Tolerance), found.Rank);
        var precision = Math.Max(rows, columns) * FilterKernel.DoubleEpsilon * values[0];
        for (var t = 0; t < found.SingularValues.Length; t++)
            Assert.InRange(found.SingularValues[t], (t < rank ? values[t] : 0) - precision, (t < rank ? values[t] : 0) + precision);
        CheckVectors(found);

        // What is left is rounding.
        for (var t = 0; t < found.Rank; t++)
            AddTerm(matrix, found.Term(t).Column, found.Term(t).Row, -1);
        Assert.InRange(TensorPrimitives.Norm<double>(matrix), 0, 4 * precision);
    }

    [Theory]
    [InlineData(70, 200, 70)]
    [InlineData(300, 80, 80)]
    [InlineData(120, 120, 120)]
    public void Random_weights_have_full_rank_and_multiply_out(int rows, int columns, int rank)
    {
        var weights = Array.ConvertAll(Numbers(rows * columns, 5), v => (float)v);
        var found = KernelSeparation.DecomposeMatrix(new ReadOnlyTensorSpan<float>(weights, [rows, columns]));
        Assert.Equal(rank, found.Rank);
        CheckVectors(found);
        var rest = Array.ConvertAll(weights, w => (double)w);
        for (var t = 0; t < rank; t++)
        {
            Assert.Equal(found.FrobeniusError(t), TensorPrimitives.Norm<double>(rest), 10);
            AddTerm(rest, found.Left(t), found.Right(t), -found.SingularValues[t]);
        }

        Assert.InRange(TensorPrimitives.Norm<double>(rest), 0, 1e-11);
    }

    /// <summary>Numbers that were rounded to floats have the rank they had.</summary>
    [Fact]
    public void Rounding_to_floats_is_no_rank()
    {
        var weights = new double[500 * 1100];
        for (var t = 0; t < 6; t++)
            AddTerm(weights, Numbers(500, t), Numbers(1100, 10 + t), 1);
        var found = KernelSeparation.DecomposeMatrix(Array.ConvertAll(weights, w => (float)w), 500, 1100);
        Assert.Equal(6, found.Rank);
        Assert.InRange(found.FrobeniusError(6), 1e-12, found.Tolerance);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 3)]
    [InlineData(1500, 1200)]
    public void Zeros_have_no_term(int rows, int columns)
    {
        var found = KernelSeparation.DecomposeMatrix(new float[rows * columns], rows, columns);
        Assert.Equal(0, found.Rank);
        Assert.Equal(Math.Min(rows, columns), found.SingularValues.Length);
        Assert.Equal(0, found.FrobeniusError(0));
        Assert.Contains("rank 0", Assert.Throws<ArgumentOutOfRangeException>(() => found.Term(0)).Message);
    }

    [Theory]
    [InlineData(1e-200)]
    [InlineData(1e200)]
    public void Scale_changes_no_rank(double scale)
    {
        var matrix = new double[100 * 100];
        for (var t = 0; t < 3; t++)
            AddTerm(matrix, Numbers(100, t), Numbers(100, 10 + t), scale);
        var found = KernelSeparation.DecomposeMatrix(matrix, 100, 100);
        Assert.Equal(3, found.Rank);
        Assert.InRange(found.SingularValues[0] / scale, 1, 100);
    }

    [Fact]
    public void What_is_no_matrix_is_refused()
    {
        Refused("both sides", () => KernelSeparation.DecomposeMatrix(new float[0], 0, 3));
        Refused("6 numbers but 5", () => KernelSeparation.DecomposeMatrix(new float[5], 2, 3));
        Refused("row 1, column 0", () => KernelSeparation.DecomposeMatrix([1, 2, double.NaN, 4], 2, 2));
        Refused("precision", () => KernelSeparation.DecomposeMatrix([1.0], 1, 1, epsilon: 1));
        Refused("2 dimensions", () => KernelSeparation.DecomposeMatrix(new ReadOnlyTensorSpan<float>(new float[8], [2, 2, 2])));
        var found = KernelSeparation.DecomposeMatrix([1.0, 2, 3, 4], 2, 2);
        Assert.Throws<ArgumentOutOfRangeException>(() => found.FrobeniusError(3));
        Assert.Throws<ArgumentOutOfRangeException>(() => found.Left(-1).Length.ToString());
    }

    private static void Refused(string piece, Func<object> decompose) =>
        Assert.Contains(piece, Assert.Throws<ArgumentException>(decompose).Message);

    private static void CheckVectors(MatrixDecomposition found)
    {
        for (var t = 0; t < found.Rank; t++)
        {
            for (var u = 0; u <= t; u++)
            {
                var expected = t == u ? 1 : 0;
                Assert.InRange(TensorPrimitives.Dot(found.Left(t), found.Left(u)), expected - 1e-9, expected + 1e-9);
                Assert.InRange(TensorPrimitives.Dot(found.Right(t), found.Right(u)), expected - 1e-9, expected + 1e-9);
            }
        }
    }

    private static void AddTerm(double[] matrix, ReadOnlySpan<double> column, ReadOnlySpan<double> row, double factor)
    {
        for (var i = 0; i < column.Length; i++)
        {
            var line = matrix.AsSpan(i * row.Length, row.Length);
            TensorPrimitives.MultiplyAdd(row, factor * column[i], line, line);
        }
    }

    private static double[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        var numbers = new double[count];
        foreach (ref var number in numbers.AsSpan())
            number = (2 * random.NextDouble()) - 1;
        return numbers;
    }

    // Gram and Schmidt, twice.
    private static double[][] Orthonormal(int count, int length, int seed)
    {
        var vectors = Enumerable.Range(0, count).Select(t => Numbers(length, (100 * seed) + t)).ToArray();
        for (var t = 0; t < count; t++)
        {
            for (var pass = 0; pass < 2; pass++)
            {
                for (var u = 0; u < t; u++)
                    TensorPrimitives.MultiplyAdd(vectors[u], -TensorPrimitives.Dot<double>(vectors[t], vectors[u]), vectors[t], vectors[t]);
                TensorPrimitives.Divide(vectors[t], TensorPrimitives.Norm<double>(vectors[t]), vectors[t]);
            }
        }

        return vectors;
    }
}
