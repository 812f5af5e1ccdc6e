namespace SeparableConv.Loops;

/// <summary>Products of matrices of floats, for decompositions and fits: both are there as arrays, and nothing is kept.</summary>
internal static unsafe class DenseProduct
{
    /// <summary>left*right.</summary>
    /// <param name="left">(rows, length).</param>
    /// <param name="rows">Rows of the product.</param>
    /// <param name="length">Numbers that are multiplied and added for each of the product's.</param>
    /// <param name="right">(length, columns).</param>
    /// <param name="columns">Columns of the product.</param>
    /// <param name="threads">Threads to use at most; the bits do not depend on them.</param>
    /// <returns>(rows, columns).</returns>
    public static float[] Of(float[] left, int rows, int length, float[] right, int columns, int threads)
    {
        var product = new float[checked(rows * columns)];
        PackedBuffer.FreeMadeBy(() =>
        {
            var loop = new PointwiseLoop(right.AsSpan(0, length * columns), length, columns, default, Activation.None, SimdWidths.Best);
            fixed (float* x = left, y = product)
                loop.Run(x, y, rows, threads);
        });
        return product;
    }
}
