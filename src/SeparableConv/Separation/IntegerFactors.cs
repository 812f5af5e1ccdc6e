namespace SeparableConv.Separation;

/// <summary>Exact factors of a kernel whose numbers are integers, or integers times one power of two.</summary>
/// <remarks>
/// Euclid's algorithm on the rows gives K = A*B with integers in A and B: the rows of B span the rows of K, and A holds the
/// multiples. Each row of B is then divided by its common divisor, which its column takes. Elimination only adds multiples
/// of rows to rows, so rows that mirror stay so, and A is determined by B, so columns do too.
/// </remarks>
internal static class IntegerFactors
{
    // Sums of terms are for kernels that people write: past these sizes the numbers only grow.
    private const int MaxSideOfSums = 64;
    private const long MaxEntryOfSums = 1 << 16;

    // Every double is an integer times a power of two; beyond this size it only looks like one, as 1/9 does.
    private const long MaxFraction = 1 << 20;

    // A sum whose terms are much larger than the kernel cancels, and a filter that runs in floats would lose those bits.
    private const double MaxGrowthOfSums = 16;

    // `rank` terms that multiply out to the kernel to the bit; null where integers cannot do that.
    public static SeparableTerm[]? TryFind(FilterKernel kernel, int rank)
    {
        if (rank > 1 && Math.Max(kernel.Height, kernel.Width) > MaxSideOfSums)
            return null;
        var integers = ToIntegers(kernel.Values, out var exponent);
        if (integers is null)
            return null;
        var largest = integers.Max(Math.Abs);
        if ((rank > 1 && largest > MaxEntryOfSums) || (exponent != 0 && largest > MaxFraction))
            return null;

        var elimination = new IntegerElimination(integers, kernel.Height, kernel.Width, rank > 1 ? 1L << 31 : 1L << 53);
        if (!elimination.TryReduce(rank))
            return null;

        var factors = new (long[] Column, long[] Row)[rank];
        var growth = 0.0;
        for (var t = 0; t < rank; t++)
        {
            factors[t] = Primitive(elimination.Column(t), elimination.Row(t));
            growth += Largest(factors[t]);
        }

        if (rank > 1 && growth > MaxGrowthOfSums * largest)
            return null;

        Array.Sort(factors, (a, b) => Largest(b).CompareTo(Largest(a)));
        var terms = Array.ConvertAll(factors, f => ToTerm(f.Column, f.Row, exponent));
        return IsExact(kernel, terms) ? terms : null;
    }

    private static double Largest((long[] Column, long[] Row) factors) =>
        (double)factors.Column.Max(Math.Abs) * factors.Row.Max(Math.Abs);

    // The row without its common divisor, which the column takes.
    private static (long[] Column, long[] Row) Primitive(long[] column, long[] row)
    {
        var divisor = 0L;
        foreach (var value in row)
            divisor = GreatestCommonDivisor(divisor, Math.Abs(value));
        return (Array.ConvertAll(column, v => v * divisor), Array.ConvertAll(row, v => v / divisor));
    }

    private static long GreatestCommonDivisor(long a, long b)
    {
        while (b != 0)
            (a, b) = (b, a % b);
        return a;
    }

    // values = integers * 2^exponent, with exponent 0 where the values are integers already.
    private static long[]? ToIntegers(ReadOnlySpan<double> values, out int exponent)
    {
        exponent = 0;
        foreach (var value in values)
        {
            if (value != 0)
                exponent = Math.Min(exponent, LowestBit(value));
        }

        var integers = new long[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            var scaled = Math.ScaleB(values[i], -exponent);
            if (Math.Abs(scaled) > 1L << 53)
                return null;
            integers[i] = (long)scaled;
        }

        return integers;
    }

    // The exponent of the lowest bit that is set in a double.
    private static int LowestBit(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var biased = (int)((bits >> 52) & 0x7FF);
        var mantissa = bits & ((1L << 52) - 1);
        if (biased != 0)
            mantissa |= 1L << 52;
        return System.Numerics.BitOperations.TrailingZeroCount(mantissa) + Math.Max(biased, 1) - 1075;
    }

    // Integer kernels keep integer factors; others share the power of two so that the norms are within a factor of two.
    private static SeparableTerm ToTerm(long[] column, long[] row, int exponent)
    {
        var rowExponent = 0;
        if (exponent != 0)
        {
            var columnNorm = Math.Sqrt(column.Sum(v => (double)v * v));
            var rowNorm = Math.Sqrt(row.Sum(v => (double)v * v));
            rowExponent = (int)Math.Round((exponent + Math.Log2(columnNorm / rowNorm)) / 2);
        }

        return BalancedFactors.Signed(
            Array.ConvertAll(column, v => Math.ScaleB(v, exponent - rowExponent)),
            Array.ConvertAll(row, v => Math.ScaleB(v, rowExponent)));
    }

    private static bool IsExact(FilterKernel kernel, SeparableTerm[] terms)
    {
        var residual = kernel.Values.ToArray();
        foreach (var term in terms)
            SeparableKernel.AddTerm(residual, term.Column, term.Row, -1);
        return Array.TrueForAll(residual, v => v == 0);
    }
}
