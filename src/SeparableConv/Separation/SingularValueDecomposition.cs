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
    // Up to this side the whole decomposition takes a few milliseconds; it grows with the third power.
    private const int MaxQuickSide = 64;

    public static SingularValueDecomposition Compute(FilterKernel kernel)
    {
        var count = Math.Min(kernel.Height, kernel.Width);
        var largest = kernel.MaxAbsolute;
        if (largest == 0)
            return Zero(kernel, count);

        // Powers of two change no bits, and no square of a tiny or huge kernel can then leave the range of a double.
        var exponent = Math.ILogB(largest) & ~1;
        var scaled = new double[kernel.Values.Length];
        for (var i = 0; i < scaled.Length; i++)
            scaled[i] = Math.ScaleB(kernel.Values[i], -exponent);

        if (count == 1)
            return Line(scaled, kernel.Height, exponent);
        return count > MaxQuickSide && TryRankOne(scaled, kernel, exponent) is { } found
            ? found
            : Full(scaled, kernel.Height, kernel.Width, exponent);
    }

    private static SingularValueDecomposition Zero(FilterKernel kernel, int count) =>
        new(new double[count], Unit(kernel.Height, count), Unit(kernel.Width, count), 0);

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
    // the tolerance the kernel has rank 1, and the values behind the first, rounding all of them, are given as 0.
    private static SingularValueDecomposition? TryRankOne(double[] scaled, FilterKernel kernel, int exponent)
    {
        var (height, width) = (kernel.Height, kernel.Width);
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
        if (TensorPrimitives.Norm<double>(residual) > 0.5 * Math.Max(height, width) * kernel.Epsilon * first)
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

    private static double[][] Unit(int length, int count)
    {
        var vectors = new double[count][];
        for (var t = 0; t < count; t++)
        {
            vectors[t] = new double[length];
            vectors[t][t] = 1;
        }

        return vectors;
    }
}
