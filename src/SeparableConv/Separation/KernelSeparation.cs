using System.Numerics.Tensors;

namespace SeparableConv;

/// <summary>Finds out whether, and into what, a kernel or a matrix of weights separates.</summary>
/// <remarks>
/// K = sum over t of s_t * u_t * v_t' (singular value decomposition). The rank is the number of singular values above
/// max(kH, kW) * epsilon * s_1, with the relative precision of the numbers that were given; so a kernel times 1e-9 or 1e9
/// has the rank it had before. A kernel of rank 1 is separable.
/// </remarks>
public static class KernelSeparation
{
    /// <summary>Decomposes a kernel.</summary>
    /// <param name="kernel">The kernel; its <see cref="FilterKernel.Epsilon"/> sets the tolerance.</param>
    /// <returns>Rank, singular values and factors.</returns>
    /// <exception cref="ArgumentNullException">The kernel is null.</exception>
    public static KernelDecomposition Decompose(FilterKernel kernel)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        return new KernelDecomposition(kernel, new(kernel.Values, kernel.Height, kernel.Width, kernel.Epsilon));
    }

    /// <summary>Decomposes kernels that filter the same picture, each by itself and with parts that they share.</summary>
    /// <remarks>
    /// The time is that of <see cref="DecomposeMatrix(ReadOnlySpan{float}, int, int)"/> for matrices of kH x N*kW, N*kH x kW and N x kH*kW.
    /// </remarks>
    /// <param name="kernels">1 or more kernels of one size; the coarsest <see cref="FilterKernel.Epsilon"/> sets the tolerance.</param>
    /// <returns>Forms, their multiplications and errors.</returns>
    /// <exception cref="ArgumentNullException">The list or a kernel is null.</exception>
    /// <exception cref="ArgumentException">There is no kernel, or they differ in size.</exception>
    public static KernelBankDecomposition DecomposeBank(IReadOnlyList<FilterKernel> kernels)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        if (kernels.Count == 0)
            throw new ArgumentException("The bank has no kernels; it needs at least 1.");
        for (var n = 0; n < kernels.Count; n++)
        {
            ArgumentNullException.ThrowIfNull(kernels[n], nameof(kernels));
            if (kernels[n].Size != kernels[0].Size)
            {
                throw new ArgumentException(
                    $"A bank has kernels of one size, but {kernels[n].Name} is {kernels[n].Size} and {kernels[0].Name} is "
                    + $"{kernels[0].Size}; put zeros around the smaller one.");
            }
        }

        return new KernelBankDecomposition([.. kernels.Select(Decompose)]);
    }

    /// <summary>
    /// Decomposes a matrix of any size, such as weights of 2048 filters: the factors as they are, without a kernel's rules for signs and
    /// mirrors.
    /// </summary>
    /// <remarks>
    /// The time grows with min^2 * max of the two sides, on one thread. Measured on Zen 5: 1152x512 takes 0.6 s, 1023x1023 1.8 s, 2048x4608
    /// 19 s; matrices of rank 1 and those up to 64x64 take milliseconds. The memory is some four times the matrix in doubles.
    /// </remarks>
    /// <param name="values">
    /// rows*columns finite numbers, row after row; their precision is <see cref="FilterKernel.SingleEpsilon"/>.
    /// </param>
    /// <param name="rows">Rows, 1 or more.</param>
    /// <param name="columns">Columns, 1 or more.</param>
    /// <returns>Rank, singular values and factors.</returns>
    /// <exception cref="ArgumentException">A size is not positive, the count is not rows*columns, or a number is not finite.</exception>
    public static MatrixDecomposition DecomposeMatrix(ReadOnlySpan<float> values, int rows, int columns)
    {
        var wide = new double[values.Length];
        TensorPrimitives.ConvertTruncating(values, wide);
        return DecomposeMatrix(wide, rows, columns, FilterKernel.SingleEpsilon);
    }

    /// <summary>The same for doubles.</summary>
    /// <param name="values">rows*columns finite numbers, row after row.</param>
    /// <param name="rows">Rows, 1 or more.</param>
    /// <param name="columns">Columns, 1 or more.</param>
    /// <param name="epsilon">
    /// Relative precision of the numbers, from 0 to below 1: singular values at or below max(rows, columns) * epsilon * s_1 are rounding.
    /// </param>
    /// <returns>Rank, singular values and factors.</returns>
    /// <exception cref="ArgumentException">
    /// A size is not positive, the count is not rows*columns, a number is not finite, or epsilon is out of range.
    /// </exception>
    public static MatrixDecomposition DecomposeMatrix(
        ReadOnlySpan<double> values, int rows, int columns, double epsilon = FilterKernel.DoubleEpsilon)
    {
        if (rows <= 0 || columns <= 0)
            throw new ArgumentException($"The matrix has size {rows}x{columns}; both sides must be at least 1.");
        if (values.Length != (long)rows * columns)
            throw new ArgumentException(
                $"A {rows}x{columns} matrix has {(long)rows * columns} numbers but {values.Length} were given; pass them row after row.");
        if (!(epsilon >= 0 && epsilon < 1))
            throw new ArgumentException(
                $"The matrix's relative precision is {epsilon}; it must be at least 0 and less than 1, such as 2^-52.");
        for (var i = 0; i < values.Length; i++)
        {
            if (!double.IsFinite(values[i]))
                throw new ArgumentException(
                    $"The matrix has {values[i]} in row {i / columns}, column {i % columns}; every number must be finite.");
        }

        return new MatrixDecomposition(values, rows, columns, epsilon);
    }

    /// <summary>The same for a tensor (rows, columns) of floats with any strides.</summary>
    /// <param name="matrix">The numbers; their precision is <see cref="FilterKernel.SingleEpsilon"/>.</param>
    /// <returns>Rank, singular values and factors.</returns>
    /// <exception cref="ArgumentException">The tensor has not two dimensions, is empty, or holds a number that is not finite.</exception>
    public static MatrixDecomposition DecomposeMatrix(in ReadOnlyTensorSpan<float> matrix)
    {
        if (matrix.Rank != 2)
            throw new ArgumentException($"A matrix is a tensor of 2 dimensions (rows, columns) but {matrix.Rank} came; reshape it first.");
        var values = new float[matrix.FlattenedLength];
        matrix.FlattenTo(values);
        return DecomposeMatrix(values, checked((int)matrix.Lengths[0]), checked((int)matrix.Lengths[1]));
    }
}
