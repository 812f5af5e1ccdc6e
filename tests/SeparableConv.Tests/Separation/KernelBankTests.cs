namespace SeparableConv.Tests.Separation;

/// <summary>Banks of kernels: every form against the kernels it stands for.</summary>
public sealed class KernelBankTests
{
    private static readonly string[] Gabors = [.. Enumerable.Range(0, 8).Select(n => $"gabor:15:3:{n * 22.5}")];

    [Theory]
    [InlineData("sobel-x", "sobel-y", "emboss", "laplacian", "identity")]
    [InlineData("box:4:7", "box:4:7")]
    [InlineData("1 2 3; 4 5 6", "0 0 0; 0 0 0", "1e-3 2 7; 7 1 1")]
    [InlineData("disk:7", "gauss:15", "log:15:2", "gabor:15")]
    public void At_full_rank_every_form_is_the_bank(params string[] kernels) => CheckExact(Bank(kernels));

    [Fact]
    public void Large_banks_are_exact_too()
    {
        CheckExact(Bank(Gabors));
        CheckExact(RandomBank(90, 5, 7));
    }

    [Fact]
    public void Errors_are_those_of_the_kernels_that_a_form_computes()
    {
        var bank = Bank(Gabors);
        foreach (var sharing in Enum.GetValues<BankSharing>())
        {
            for (var terms = 0; terms < 8; terms++)
            {
                var form = bank.Approximate(sharing, terms);
                CheckErrors(bank, form);

                // Eckart and Young, by the values alone.
                var expected = sharing == BankSharing.Nothing
                    ? Math.Sqrt(bank.Kernels.Sum(k => Square(k.FrobeniusError(Math.Min(terms, k.Rank)))))
                    : Matrix(bank, sharing).FrobeniusError(terms);
                Assert.Equal(expected, form.FrobeniusError, 1e-12);
            }
        }
    }

    [Fact]
    public void Multiplications_are_counted_for_all_kernels_together()
    {
        // 8 kernels of 3x5, of random numbers: ranks 3, min(3, 8*5), min(8*3, 5), min(8, 15).
        var bank = RandomBank(8, 3, 5);
        Assert.Equal(8 * 15, bank.DenseMultiplicationsPerPixel);
        Assert.Equal((24, 24L * (3 + 5)), Count(BankSharing.Nothing));
        Assert.Equal((3, 3L * (3 + (8 * 5))), Count(BankSharing.Columns));
        Assert.Equal((5, 5L * (5 + (8 * 3))), Count(BankSharing.Rows));
        Assert.Equal((8, 8L * (15 + 8)), Count(BankSharing.Kernels));

        (int Terms, long Multiplications) Count(BankSharing sharing) =>
            bank.Exact(sharing) is var form ? (form.Terms, form.MultiplicationsPerPixel) : default;
    }

    [Fact]
    public void What_kernels_have_in_common_is_found()
    {
        double[] column = [1, 2, 1];
        var sameColumn = KernelSeparation.DecomposeBank(
            [.. Enumerable.Range(1, 6).Select(n => FilterKernel.OuterProduct(column, [n, 1 - n, n * n]))]);
        Assert.Equal((1, 3), (sameColumn.SharedColumns.Rank, sameColumn.SharedRows.Rank));
        Assert.Equal((1, 3 + (6 * 3)), Pair(sameColumn.Exact(BankSharing.Columns)));
        Assert.Equal(6 * (3 + 3), sameColumn.Exact(BankSharing.Nothing).MultiplicationsPerPixel);

        // Turned by any angle, a first derivative of Gauss is a sum of two.
        var steered = KernelSeparation.DecomposeBank([.. Enumerable.Range(0, 12).Select(n => Steered(n * Math.PI / 12))]);
        Assert.Equal(2, steered.SharedKernels.Rank);
        Assert.Equal((2, 2 * (81 + 12)), Pair(steered.Exact(BankSharing.Kernels)));

        static (int, int) Pair(KernelBankForm form) => (form.Terms, (int)form.MultiplicationsPerPixel);

        static FilterKernel Steered(double angle)
        {
            var values = new double[81];
            for (var i = 0; i < 81; i++)
            {
                var (y, x) = ((i / 9) - 4, (i % 9) - 4);
                values[i] = ((x * Math.Cos(angle)) + (y * Math.Sin(angle))) * Math.Exp(-((x * x) + (y * y)) / 6.0);
            }

            return new FilterKernel(values, 9, 9);
        }
    }

    [Fact]
    public void Bounds_choose_the_fewest_terms()
    {
        var bank = Bank(Gabors);
        foreach (var sharing in Enum.GetValues<BankSharing>())
        {
            for (var bound = 0.01; bound < 100; bound *= 3)
            {
                var near = bank.ApproximateWithinNorm(sharing, bound);
                Assert.InRange(near.FrobeniusError, 0, bound);
                if (sharing != BankSharing.Nothing && near.Terms > 0)
                    Assert.True(bank.Approximate(sharing, near.Terms - 1).FrobeniusError > bound);

                var within = bank.ApproximateWithin(sharing, bound);
                Assert.InRange(within.WorstError, 0, bound);
                CheckErrors(bank, within);
                if (sharing != BankSharing.Nothing && within.Terms > 0)
                    Assert.True(bank.Approximate(sharing, within.Terms - 1).WorstError > bound);
            }

            CheckErrors(bank, bank.ApproximateWithinNorm(sharing, 0));
            Assert.Equal(bank.Exact(sharing).Terms, bank.ApproximateWithinNorm(sharing, 0).Terms);
            Assert.Equal(bank.Exact(sharing).Terms, bank.ApproximateWithin(sharing, 0).Terms);
            Assert.Throws<ArgumentOutOfRangeException>(() => bank.ApproximateWithin(sharing, -1));
            Assert.Throws<ArgumentOutOfRangeException>(() => bank.ApproximateWithinNorm(sharing, double.NaN));
            Assert.Throws<ArgumentOutOfRangeException>(() => bank.Approximate(sharing, -1));
        }
    }

    [Fact]
    public void A_bank_of_one_shares_with_nobody()
    {
        var bank = Bank("disk:5");
        var alone = KernelSeparation.Decompose(KernelParser.Parse("disk:5"));
        for (var rank = 0; rank <= alone.Rank; rank++)
        {
            foreach (var sharing in (ReadOnlySpan<BankSharing>)[BankSharing.Nothing, BankSharing.Columns, BankSharing.Rows])
            {
                var form = bank.ApproximateWithinNorm(sharing, alone.FrobeniusError(rank));
                Assert.Equal((rank, 22L * rank), (form.Terms, form.MultiplicationsPerPixel));
            }
        }
    }

    [Fact]
    public void What_is_no_bank_is_refused()
    {
        Assert.Contains("at least 1", Assert.Throws<ArgumentException>(() => KernelSeparation.DecomposeBank([])).Message);
        Assert.Contains("box:3:5 is 3x5", Assert.Throws<ArgumentException>(() => Bank("box:3", "box:3:5")).Message);
        Assert.Throws<ArgumentNullException>(() => KernelSeparation.DecomposeBank([null!]));
    }

    private static KernelBankDecomposition Bank(params string[] kernels) =>
        KernelSeparation.DecomposeBank(Array.ConvertAll(kernels, KernelParser.Parse));

    private static void CheckExact(KernelBankDecomposition bank)
    {
        foreach (var sharing in Enum.GetValues<BankSharing>())
        {
            var form = bank.Exact(sharing);
            var rounding = 4 * (sharing == BankSharing.Nothing ? bank.SharedKernels : Matrix(bank, sharing)).Tolerance;
            CheckErrors(bank, form);
            for (var n = 0; n < bank.Kernels.Count; n++)
            {
                var expected = bank.Kernels[n].Kernel;
                Assert.Equal((expected.Name, expected.Size), (form.Kernels[n].Name, form.Kernels[n].Size));
                for (var i = 0; i < expected.Values.Length; i++)
                    Assert.Equal(expected.Values[i], form.Kernels[n].Values[i], rounding);
            }
        }
    }

    // Both errors, from the definition.
    private static void CheckErrors(KernelBankDecomposition bank, KernelBankForm form)
    {
        double squares = 0, worst = 0;
        for (var n = 0; n < bank.Kernels.Count; n++)
        {
            var sum = 0.0;
            for (var i = 0; i < form.Kernels[n].Values.Length; i++)
            {
                var off = bank.Kernels[n].Kernel.Values[i] - form.Kernels[n].Values[i];
                (squares, sum) = (squares + (off * off), sum + Math.Abs(off));
            }

            worst = Math.Max(worst, sum);
        }

        Assert.Equal(Math.Sqrt(squares), form.FrobeniusError, 1e-12 * Math.Sqrt(squares));
        Assert.Equal(worst, form.WorstError, 1e-12 * worst);
    }

    private static MatrixDecomposition Matrix(KernelBankDecomposition bank, BankSharing sharing) => sharing switch
    {
        BankSharing.Columns => bank.SharedColumns,
        BankSharing.Rows => bank.SharedRows,
        _ => bank.SharedKernels,
    };

    // One stream: those of neighbouring seeds depend on each other.
    private static KernelBankDecomposition RandomBank(int count, int height, int width)
    {
        var random = new Random(1);
        return KernelSeparation.DecomposeBank([.. Enumerable.Range(0, count).Select(_ => new FilterKernel(
            (ReadOnlySpan<double>)[.. Enumerable.Range(0, height * width).Select(_ => random.NextDouble() - 0.5)], height, width))]);
    }

    private static double Square(double value) => value * value;
}
