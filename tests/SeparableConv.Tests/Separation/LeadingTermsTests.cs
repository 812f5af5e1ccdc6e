using System.Numerics.Tensors;
using SeparableConv.Separation;

namespace SeparableConv.Tests.Separation;

/// <summary>The largest terms of large matrices, against the whole decomposition.</summary>
public sealed class LeadingTermsTests
{
    /// <summary>Flat spectra and falling ones, tall and wide.</summary>
    [Theory]
    [InlineData(300, 280, 40, 0)]
    [InlineData(260, 500, 100, 1)]
    [InlineData(512, 256, 60, 4)]
    public void They_give_back_as_much_as_the_best(int rows, int columns, int count, double digits)
    {
        var matrix = Falling(rows, columns, digits);
        Assert.True(LeadingTerms.ArePaid(rows, columns, count));
        var terms = LeadingTerms.Of(matrix, rows, columns, count, threads: 2);
        var best = KernelSeparation.DecomposeMatrix(matrix, rows, columns);
        Assert.Equal(count, terms.Count);
        for (var t = 0; t < count; t++)
        {
            Assert.InRange(terms[t].Value, 0.97 * best.SingularValues[t], (1 + 1e-5) * best.SingularValues[t]);
            for (var other = 0; other <= t; other++)
            {
                Assert.Equal(other == t ? 1 : 0, TensorPrimitives.Dot<double>(terms[t].Left, terms[other].Left), 1e-5);
                Assert.Equal(other == t ? 1 : 0, TensorPrimitives.Dot<double>(terms[t].Right, terms[other].Right), 1e-5);
            }
        }

        // What the terms leave is what their values say, and hardly more than what must be left.
        var rest = Array.ConvertAll(matrix, value => (double)value);
        foreach (var (value, left, right) in terms)
        {
            for (var i = 0; i < rows; i++)
                TensorPrimitives.MultiplyAdd(right, -value * left[i], rest.AsSpan(i * columns, columns), rest.AsSpan(i * columns, columns));
        }

        var squares = matrix.Sum(value => (double)value * value);
        var expected = squares - terms.Sum(term => term.Value * term.Value);
        Assert.Equal(expected, TensorPrimitives.SumOfSquares<double>(rest), 1e-5 * squares);
        Assert.InRange(TensorPrimitives.Norm<double>(rest), 0, 1.01 * best.FrobeniusError(count) + (1e-4 * Math.Sqrt(squares)));
    }

    [Fact]
    public void A_matrix_of_low_rank_has_no_more_terms_and_one_of_zeros_has_none()
    {
        var (left, right) = (RandomData.Floats(300 * 3, 1), RandomData.Floats(3 * 280, 2));
        var matrix = new float[300 * 280];
        for (var i = 0; i < matrix.Length; i++)
        {
            var (row, column) = Math.DivRem(i, 280);
            for (var t = 0; t < 3; t++)
                matrix[i] += left[(row * 3) + t] * right[(t * 280) + column];
        }

        Assert.Equal(3, LeadingTerms.Of(matrix, 300, 280, 20, threads: 1).Count);
        Assert.Empty(LeadingTerms.Of(new float[300 * 280], 300, 280, 20, threads: 1));
    }

    [Fact]
    public void Threads_change_no_bit()
    {
        var matrix = Falling(300, 280, 1);
        var alone = LeadingTerms.Of(matrix, 300, 280, 30, threads: 1);
        var together = LeadingTerms.Of(matrix, 300, 280, 30, threads: 3);
        foreach (var (one, other) in alone.Zip(together))
        {
            Assert.Equal(one.Value, other.Value);
            Assert.Equal(one.Left, other.Left);
            Assert.Equal(one.Right, other.Right);
        }
    }

    // Noise whose columns become smaller over so many digits.
    private static float[] Falling(int rows, int columns, double digits)
    {
        var matrix = RandomData.Floats(rows * columns, 5);
        for (var i = 0; i < matrix.Length; i++)
            matrix[i] *= (float)Math.Pow(10, -digits * (i % columns) / columns);
        return matrix;
    }
}
