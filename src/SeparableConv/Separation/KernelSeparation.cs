using SeparableConv.Separation;

namespace SeparableConv;

/// <summary>Finds out whether, and into what, a kernel separates.</summary>
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
        return new KernelDecomposition(kernel, SingularValueDecomposition.Compute(kernel));
    }
}
