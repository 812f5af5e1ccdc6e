namespace SeparableConv.Tests.Support;

/// <summary>
/// What rounding in a level of Strassen's product (Winograd's form) is relative to: the same sums as it makes, all numbers and all
/// coefficients without their signs.
/// </summary>
internal static class StrassenMagnitudes
{
    /// <summary>One number for each of (rows, N), from left (rows, K) and weights (K, N).</summary>
    public static double[] Run(int rows, int depth, int columns, float[] left, float[] weights, float[] bias)
    {
        var (k, n) = (depth / 2, columns / 2);
        var result = new double[rows * columns];
        for (var row = 0; row < rows; row += 2)
        {
            var hasOdd = row + 1 < rows;
            for (var j = 0; j < n; j++)
            {
                double p1 = 0, p2 = 0, p3 = 0, p4 = 0, p5 = 0, p6 = 0, p7 = 0;
                for (var i = 0; i < k; i++)
                {
                    var (a11, a12) = (A(row, i), A(row, k + i));
                    var (a21, a22) = hasOdd ? (A(row + 1, i), A(row + 1, k + i)) : (0, 0);
                    var (w11, w12, w21, w22) = (W(i, j), W(i, n + j), W(k + i, j), W(k + i, n + j));
                    p1 += a11 * w11;
                    p2 += a12 * w21;
                    p3 += (a12 + a21 + a22 + a11) * w22;
                    p4 += a22 * (w22 + w12 + w11 + w21);
                    p5 += (a21 + a22) * (w12 + w11);
                    p6 += (a21 + a22 + a11) * (w22 + w12 + w11);
                    p7 += (a11 + a21) * (w22 + w12);
                }

                result[(row * columns) + j] = p1 + p2 + Math.Abs(bias[j]);
                result[(row * columns) + n + j] = p1 + p6 + p5 + p3 + Math.Abs(bias[n + j]);
                if (!hasOdd)
                    continue;
                result[((row + 1) * columns) + j] = p1 + p6 + p7 + p4 + Math.Abs(bias[j]);
                result[((row + 1) * columns) + n + j] = p1 + p6 + p7 + p5 + Math.Abs(bias[n + j]);
            }
        }

        return result;

        double A(int row, int i) => Math.Abs(left[(row * depth) + i]);
        double W(int i, int j) => Math.Abs(weights[(i * columns) + j]);
    }
}
