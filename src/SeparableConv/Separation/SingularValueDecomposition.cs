using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra.Double;

namespace SeparableConv.Separation;

/// <summary>K = sum over t of 2^ScaleExponent * values[t] * left_t * right_t', with unit vectors and values falling.</summary>
/// <remarks>
/// The exponent is even, so that half of it scales each factor exactly; the values are those of a kernel whose largest number
/// is about 1. Values that are rounding may have no vectors.
/// </remarks>
internal sealed record SingularValueDecomposition(double[] Values, double[][] Left, double[][] Right, int ScaleExponent)
{
    // Up to this side MathNet decomposes in a few milliseconds; it makes square matrices of vectors on both sides, and grows with the third
    // power.
    private const int LargestQuickSide = 64;

    /// <summary>Decomposes a matrix.</summary>
    /// <param name="matrix">height*width finite numbers, row after row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="epsilon">Relative precision of the numbers: values at or below max(height, width)*epsilon*s_1 are rounding.</param>
    public static SingularValueDecomposition Compute(ReadOnlySpan<double> matrix, int height, int width, double epsilon)
    {
        var count = Math.Min(height, width);
        var largest = Math.Abs(TensorPrimitives.MaxMagnitude(matrix));
        if (largest == 0)
            return new(new double[count], [], [], 0);

        // Powers of two change no bits, and no square of a tiny or huge number can then leave the range of a double.
        var exponent = Math.ILogB(largest) & ~1;
        var scaled = new double[matrix.Length];
        for (var i = 0; i < scaled.Length; i++)
            scaled[i] = Math.ScaleB(matrix[i], -exponent);

        if (count == 1)
            return Line(scaled, height, exponent);
        if (Math.Max(height, width) <= LargestQuickSide)
            return Full(scaled, height, width, exponent);

        // Half the tolerance: what is at or below it is rounding, whatever the rounding of the values themselves.
        var floor = 0.5 * Math.Max(height, width) * Math.Max(epsilon, FilterKernel.DoubleEpsilon);
        return TryRankOne(scaled, height, width, floor, exponent) ?? Large(scaled, height, width, floor, exponent);
    }

    // A single row or column is its own singular vector.
    private static SingularValueDecomposition Line(double[] line, int height, int exponent)
    {
        var norm = Math.Sqrt(line.Sum(v => v * v));
        var unit = Array.ConvertAll(line, v => v / norm);
        double[] one = [1];
        return height == 1
            ? new([norm], [one], [unit], exponent)
            : new([norm], [unit], [one], exponent);
    }

    // Column and row through the largest number. The second singular value is at most the norm of what they leave (Weyl); below
    // the floor the matrix has rank 1, and the values behind the first, rounding all of them, are given as 0.
    private static SingularValueDecomposition? TryRankOne(double[] scaled, int height, int width, double floor, int exponent)
    {
        var pivot = TensorPrimitives.IndexOfMaxMagnitude<double>(scaled);
        var row = scaled.AsSpan(pivot / width * width, width).ToArray();
        var column = new double[height];
        for (var i = 0; i < height; i++)
            column[i] = scaled[(i * width) + (pivot % width)] / scaled[pivot];

        var residual = (double[])scaled.Clone();
        SeparableKernel.AddTerm(residual, column, row, -1);
        var columnNorm = TensorPrimitives.Norm<double>(column);
        var rowNorm = TensorPrimitives.Norm<double>(row);
        var first = columnNorm * rowNorm;
        if (TensorPrimitives.Norm<double>(residual) > floor * first)
            return null;

        var values = new double[Math.Min(height, width)];
        values[0] = first;
        return new(values, [Array.ConvertAll(column, v => v / columnNorm)], [Array.ConvertAll(row, v => v / rowNorm)], exponent);
    }

    private static SingularValueDecomposition Full(double[] scaled, int height, int width, int exponent)
    {
        var count = Math.Min(height, width);
        var matrix = DenseMatrix.Create(height, width, (i, j) => scaled[(i * width) + j]);
        var svd = matrix.Svd();
        var left = new double[count][];
        var right = new double[count][];
        for (var t = 0; t < count; t++)
        {
            left[t] = svd.U.Column(t).ToArray();
            right[t] = svd.VT.Row(t).ToArray();
        }

        return new(svd.S.AsArray()[..count], left, right, exponent);
    }

    private static SingularValueDecomposition Large(double[] scaled, int height, int width, double floor, int exponent)
    {
        var terms = height <= width
            ? GramDecomposition.Decompose(scaled, height, width, floor)
            : GramDecomposition.Decompose(GramDecomposition.Transpose<double>(scaled, height, width), width, height, floor);
        var values = terms.ConvertAll(term => term.Value).ToArray();
        var rows = terms.ConvertAll(term => term.Left).ToArray();
        var columns = terms.ConvertAll(term => term.Right).ToArray();
        return height <= width ? new(values, rows, columns, exponent) : new(values, columns, rows, exponent);
    }
}
