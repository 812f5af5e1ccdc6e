namespace SeparableConv.Separation;

/// <summary>
/// Makes terms whose column and row have equal norms, follow the sign rule, and mirror to the bit where they mirror within rounding.
/// </summary>
internal static class BalancedFactors
{
    // sqrt(s) * u and sqrt(s) * v of one term of the decomposition.
    public static SeparableTerm OfSingularTerm(SingularValueDecomposition svd, int t, double epsilon)
    {
        // A singular vector is known to about epsilon*s_1/s_t; what mirrors within that, mirrors.
        var tolerance = svd.Values[t] > 0 ? 8 * epsilon * svd.Values[0] / svd.Values[t] : 0;
        var column = Mirror(svd.Left[t], tolerance);
        var row = Mirror(svd.Right[t], tolerance);
        var root = Math.ScaleB(Math.Sqrt(svd.Values[t]), svd.ScaleExponent / 2);
        return Signed(Scale(column, root), Scale(row, root));
    }

    // A column and a row in any scaling, to equal norms; componentwise relative errors stay as they are, except that what
    // mirrors within a few epsilon of the largest entry, mirrors.
    public static SeparableTerm Balance(double[] column, double[] row, double epsilon)
    {
        // Both are brought near 1 by exact powers of two first, so that no sum and no norm overflows or underflows.
        var columnExponent = Math.ILogB(column.Max(Math.Abs));
        var rowExponent = Math.ILogB(row.Max(Math.Abs));
        var c = Mirror(Array.ConvertAll(column, v => Math.ScaleB(v, -columnExponent)), 8 * epsilon);
        var r = Mirror(Array.ConvertAll(row, v => Math.ScaleB(v, -rowExponent)), 8 * epsilon);
        var total = columnExponent + rowExponent;
        var odd = total & 1;
        var ratio = Math.Sqrt(Math.Sqrt(r.Sum(v => v * v) / c.Sum(v => v * v)));
        var root = Math.Sqrt(1 << odd);
        var half = (total - odd) / 2;
        return Signed(Scale(c, Math.ScaleB(root * ratio, half)), Scale(r, Math.ScaleB(root / ratio, half)));
    }

    // The sign rule; both factors change sign together, so the product stays.
    public static SeparableTerm Signed(double[] column, double[] row)
    {
        var columnBias = Bias(column);
        var rowBias = Bias(row);
        bool negative;
        if (columnBias == 0 && rowBias == 0)
            negative = Array.FindLast(column, v => v != 0) < 0;
        else
            negative = (Math.Abs(columnBias) > Math.Abs(rowBias) * (1 + 1e-9) ? columnBias : rowBias) < 0;

        return negative
            ? new SeparableTerm(Array.ConvertAll(column, Negate), Array.ConvertAll(row, Negate))
            : new SeparableTerm(column, row);
    }

    // sum / sum of magnitudes, from -1 to 1; sums that are rounding count as 0.
    private static double Bias(double[] factor)
    {
        var magnitude = factor.Sum(Math.Abs);
        if (magnitude == 0)
            return 0;
        var bias = factor.Sum() / magnitude;
        return Math.Abs(bias) < 1e-9 ? 0 : bias;
    }

    // 0 - 0 is +0 where -(+0) is -0, which prints as "-0".
    private static double Negate(double value) => 0 - value;

    private static double[] Scale(double[] factor, double by) => Array.ConvertAll(factor, v => v * by);

    private static double[] Mirror(double[] factor, double tolerance)
    {
        var largest = factor.Max(Math.Abs) * tolerance;
        foreach (var sign in (ReadOnlySpan<double>)[1, -1])
        {
            var mirrors = true;
            for (int i = 0, j = factor.Length - 1; i <= j && mirrors; i++, j--)
                mirrors = Math.Abs(factor[i] - (sign * factor[j])) <= largest;
            if (!mirrors)
                continue;

            var mirrored = new double[factor.Length];
            for (int i = 0, j = factor.Length - 1; i <= j; i++, j--)
            {
                var mean = (factor[i] + (sign * factor[j])) / 2;
                mirrored[i] = mean;
                mirrored[j] = sign * mean;
            }

            return mirrored;
        }

        return factor;
    }
}
