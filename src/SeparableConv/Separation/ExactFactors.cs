namespace SeparableConv.Separation;

/// <summary>The terms of a kernel at its full rank: integers where it has them, else the most accurate balanced ones.</summary>
internal static class ExactFactors
{
    public static SeparableTerm[] Find(FilterKernel kernel, SingularValueDecomposition svd, int rank)
    {
        if (rank == 0)
            return [];
        if (IntegerFactors.TryFind(kernel, rank) is { } integers)
            return integers;

        var terms = new SeparableTerm[rank];
        for (var t = 0; t < rank; t++)
            terms[t] = BalancedFactors.OfSingularTerm(svd, t, kernel.Epsilon);
        if (rank > 1)
            return terms;

        var cross = Cross(kernel);
        return LargestError(kernel, cross) <= LargestError(kernel, terms[0]) ? [cross] : terms;
    }

    // The column and the row through the largest number. Each entry is then as accurate as the kernel's own, zeros are zeros,
    // and mirrored entries are equal; singular vectors have only their largest entries that accurate.
    private static SeparableTerm Cross(FilterKernel kernel)
    {
        var pivot = 0;
        for (var i = 1; i < kernel.Values.Length; i++)
        {
            if (Math.Abs(kernel.Values[i]) > Math.Abs(kernel.Values[pivot]))
                pivot = i;
        }

        var (pivotRow, pivotColumn) = (pivot / kernel.Width, pivot % kernel.Width);
        var column = new double[kernel.Height];
        var row = new double[kernel.Width];
        for (var i = 0; i < column.Length; i++)
            column[i] = kernel[i, pivotColumn];
        for (var j = 0; j < row.Length; j++)
            row[j] = kernel[pivotRow, j] / kernel.Values[pivot];
        return BalancedFactors.Balance(column, row, kernel.Epsilon);
    }

    private static double LargestError(FilterKernel kernel, SeparableTerm term)
    {
        var residual = kernel.Values.ToArray();
        SeparableKernel.AddTerm(residual, term.Column, term.Row, -1);
        return residual.Max(Math.Abs);
    }
}
