namespace SeparableConv.Separation;

/// <summary>The one-dimensional factors of Sobel's kernels: coefficients of (z-1)^order * (z+1)^(size-order-1).</summary>
internal static class DerivativeFactor
{
    // Size 1 stands for "no smoothing": 3 numbers where there is a derivative, 1 where there is none.
    public static double[] Of(int size, int order)
    {
        if (size == 1 && order > 0)
            size = 3;
        var factor = new double[size];
        factor[0] = 1;
        for (var i = 0; i < size - 1; i++)
            MultiplyByRoot(factor, i + 1, i < order ? -1 : 1);
        return factor;
    }

    // The polynomial of this degree times (z + constant); coefficients stand from the constant term up.
    private static void MultiplyByRoot(double[] polynomial, int degree, int constant)
    {
        for (var i = degree; i > 0; i--)
            polynomial[i] = (constant * polynomial[i]) + polynomial[i - 1];
        polynomial[0] *= constant;
    }
}
