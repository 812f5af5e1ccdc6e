using System.Numerics.Tensors;
using SeparableConv.Tests.Golden;

namespace SeparableConv.Tests.Separation;

public class KernelSeparationTests
{
    private static KernelDecomposition Decompose(string kernel) => KernelSeparation.Decompose(KernelParser.Parse(kernel));

    private static void AssertTerm(SeparableTerm term, double[] column, double[] row)
    {
        Assert.Equal(column, term.Column.ToArray());
        Assert.Equal(row, term.Row.ToArray());
    }

    // What every decomposition owes: its exact form is the kernel, up to the rounding of its numbers.
    private static void AssertReconstructs(KernelDecomposition found)
    {
        var error = found.Exact.MaxError;
        var sides = found.Kernel.Height + found.Kernel.Width;
        Assert.True(
            error <= 4 * sides * found.Kernel.Epsilon * found.SingularValues[0],
            $"{found.Kernel}: reconstructed with error {error}, s1 = {found.SingularValues[0]}");
        Assert.Equal(found.Rank, found.Exact.Rank);
    }

    [Theory]
    [InlineData("3 6 9; 4 8 12; 5 10 15", "3 4 5", "1 2 3")]
    [InlineData("sobel-x", "1 2 1", "-1 0 1")]
    [InlineData("sobel-y", "-1 0 1", "1 2 1")]
    [InlineData("scharr-x", "3 10 3", "-1 0 1")]
    [InlineData("prewitt-y", "-1 0 1", "1 1 1")]
    [InlineData("sobel-x:3:1:1", "-1 0 1", "-1 0 1")]
    [InlineData("sobel-x:3:2:0", "1 2 1", "1 -2 1")]
    [InlineData("2 2; 2 2", "2 2", "1 1")]
    [InlineData("-1 -1 -1; -1 -1 -1", "-1 -1", "1 1 1")]
    [InlineData("6 9 15", "3", "2 3 5")]
    [InlineData("6; 9; 15", "6 9 15", "1")]
    [InlineData("0 0 0; 0 7 14; 0 0 0", "0 7 0", "0 1 2")]
    [InlineData("0.0625 0.125 0.0625; 0.125 0.25 0.125; 0.0625 0.125 0.0625", "0.25 0.5 0.25", "0.25 0.5 0.25")]
    [InlineData("0.5 1; 1.5 3", "0.5 1.5", "1 2")]
    public void Integer_kernels_have_integer_factors(string kernel, string column, string row)
    {
        var found = Decompose(kernel);

        Assert.True(found.IsSeparable);
        Assert.Equal(0, found.Exact.MaxError);
        AssertTerm(found.Exact.Terms[0], Array.ConvertAll(column.Split(' '), double.Parse), Array.ConvertAll(row.Split(' '), double.Parse));
    }

    [Theory]
    [InlineData("laplacian", 2)]
    [InlineData("laplacian:3", 2)]
    [InlineData("1 1 1; 1 -8 1; 1 1 1", 2)]
    [InlineData("0 1 0; 0 -4 5; 0 1 0", 2)]
    [InlineData("emboss", 3)]
    [InlineData("sharpen", 2)]
    public void Integer_kernels_of_higher_rank_have_integer_terms(string kernel, int rank)
    {
        var found = Decompose(kernel);

        Assert.Equal(rank, found.Rank);
        Assert.Equal(rank, found.Exact.Rank);
        Assert.Equal(0, found.Exact.MaxError);
        Assert.All(found.Exact.Terms, term =>
        {
            Assert.All(term.Column.ToArray(), v => Assert.Equal(Math.Round(v), v));
            Assert.All(term.Row.ToArray(), v => Assert.Equal(Math.Round(v), v));
        });
    }

    [Fact]
    public void Zero_row_in_the_middle_is_separable()
    {
        var found = Decompose("1 2 3; 0 0 0; 2 4 6");
        Assert.Equal(1, found.Rank);
        AssertTerm(found.Exact.Terms[0], [1, 0, 2], [1, 2, 3]);
    }

    [Fact]
    public void Zero_column_in_the_middle_is_separable()
    {
        var found = Decompose("1.1 0 2.2; 2.3 0 4.6; 0.7 0 1.4");
        Assert.Equal(1, found.Rank);
        Assert.Equal(0, found.Exact.Terms[0].Row[1]);
        AssertReconstructs(found);
    }

    [Fact]
    public void Identity_filter_is_separable()
    {
        var found = Decompose("identity:5");
        Assert.Equal(1, found.Rank);
        AssertTerm(found.Exact.Terms[0], [0, 0, 1, 0, 0], [0, 0, 1, 0, 0]);
    }

    [Fact]
    public void Identity_matrix_has_full_rank()
    {
        var found = Decompose("1 0 0; 0 1 0; 0 0 1");
        Assert.Equal(3, found.Rank);
        Assert.False(found.IsSeparable);
        Assert.Equal(0, found.Exact.MaxError);
    }

    [Fact]
    public void Tiny_but_real_second_term_counts()
    {
        var found = Decompose("1 1 1; 1e-5 -1e-5 3e-5; 1 1 1");
        Assert.Equal(2, found.Rank);
        AssertReconstructs(found);
    }

    [Fact]
    public void Cross_with_a_heavy_arm_has_rank_two() => Assert.Equal(2, Decompose("0 1 0; 0 -4 5; 0 1 0").Rank);

    [Fact]
    public void Zero_kernel_has_rank_zero()
    {
        var found = Decompose("0 0 0; 0 0 0");
        Assert.Equal(0, found.Rank);
        Assert.False(found.IsSeparable);
        Assert.Empty(found.Exact.Terms);
        Assert.Equal(0, found.Exact.MaxError);
        Assert.Equal(0, found.ErrorBound(0));
        Assert.Equal(0, found.FrobeniusError(0));
        Assert.Equal([0.0, 0.0], found.SingularValues.ToArray());
        Assert.Equal(new double[6], found.Exact.ToKernel().Values.ToArray());
        Assert.Equal(0, found.ApproximateWithin(0).Rank);
    }

    [Theory]
    [InlineData(1e-9)]
    [InlineData(1e9)]
    [InlineData(1e-160)]
    [InlineData(1e-300)]
    [InlineData(1e150)]
    [InlineData(1e300)]
    public void Scale_does_not_change_the_rank(double scale)
    {
        foreach (var (text, rank) in new[]
        {
            ("gauss:7:1.3", 1), ("box:5", 1), ("sobel-x:5", 1), ("laplacian", 2), ("disk:4", 5), ("1 1 1; 1e-5 -1e-5 3e-5; 1 1 1", 2),
        })
        {
            var found = KernelSeparation.Decompose(KernelParser.Parse(text).Scale(scale));
            Assert.Equal(rank, found.Rank);
            AssertReconstructs(found);
        }
    }

    [Fact]
    public void Kernels_of_the_library_that_separate_on_paper_have_rank_one()
    {
        var names = new List<string> { "scharr-x", "scharr-y" };
        for (var size = 1; size <= 31; size += 2)
        {
            names.AddRange(
                [$"gauss:{size}", $"gauss:{size}:0.7", $"gauss:{size}:40", $"box:{size}", $"box:{size}:{size + 1}", $"identity:{size}"]);
            names.AddRange([$"sobel-x:{size}", $"sobel-y:{size}", $"motion:{size}", $"motion:{size}:90"]);
            names.AddRange([$"gabor:{size}", $"gabor:{size}:5:90:7:1:20"]);
            if (size > 1)
                names.AddRange([$"prewitt-x:{size}", $"prewitt-y:{size}", $"sobel-x:{size}:1:1", $"sobel-x:{size}:2:0"]);
        }

        foreach (var name in names)
        {
            var found = Decompose(name);
            Assert.True(found.Rank == 1, $"{name} has rank {found.Rank}: {string.Join(' ', found.SingularValues.ToArray())}");
            AssertReconstructs(found);
        }
    }

    [Theory]
    [InlineData("log:9:1.4", 2)]
    [InlineData("laplacian:7", 2)]
    [InlineData("log:31", 2)]
    [InlineData("sharpen:0.3", 2)]
    public void Kernels_of_the_library_have_the_rank_of_their_formula(string kernel, int rank)
    {
        var found = Decompose(kernel);
        Assert.Equal(rank, found.Rank);
        AssertReconstructs(found);
    }

    [Fact]
    public void Factors_are_balanced()
    {
        foreach (var kernel in new[] { "box", "gauss:9:1.7", "0.1 0.7; 0.3 2.1", "log:9", "0.1 0.2 0.3", "box:5:2" })
        {
            foreach (var term in Decompose(kernel).Exact.Terms)
                Assert.Equal(1, TensorPrimitives.Norm<double>(term.Column) / TensorPrimitives.Norm<double>(term.Row), 1e-12);
        }
    }

    [Theory]
    [InlineData("gauss:15:2.6", FactorSymmetry.Symmetric, FactorSymmetry.Symmetric)]
    [InlineData("gauss:9", FactorSymmetry.Symmetric, FactorSymmetry.Symmetric)]
    [InlineData("box:4:5", FactorSymmetry.Symmetric, FactorSymmetry.Symmetric)]
    [InlineData("sobel-x:7", FactorSymmetry.Symmetric, FactorSymmetry.Antisymmetric)]
    [InlineData("sobel-y:7", FactorSymmetry.Antisymmetric, FactorSymmetry.Symmetric)]
    [InlineData("log:13:1.9", FactorSymmetry.Symmetric, FactorSymmetry.Symmetric)]
    [InlineData("disk:4.3", FactorSymmetry.Symmetric, FactorSymmetry.Symmetric)]
    [InlineData("laplacian:5", FactorSymmetry.Symmetric, FactorSymmetry.Symmetric)]
    [InlineData("gabor:9:2:0:5:1:90", FactorSymmetry.Symmetric, FactorSymmetry.Antisymmetric)]
    [InlineData("1 2 4; 2 4 8", FactorSymmetry.None, FactorSymmetry.None)]
    public void Factors_mirror_to_the_bit(string kernel, FactorSymmetry column, FactorSymmetry row)
    {
        var found = Decompose(kernel);
        Assert.All(found.Exact.Terms.Concat(found.Approximate(found.Rank - 1).Terms), term =>
        {
            Assert.Equal(column, term.ColumnSymmetry);
            Assert.Equal(row, term.RowSymmetry);
        });
        AssertReconstructs(found);
    }

    [Fact]
    public void Rounded_gauss_mirrors_at_every_rank()
    {
        // Six digits, as a file has them: the rank is real, and the terms still mirror.
        var gauss = KernelLibrary.Gauss(9, 1.7);
        double[] rounded = [.. gauss.Values.ToArray().Select(v => Math.Round(v, 6))];
        var found = KernelSeparation.Decompose(new FilterKernel(rounded.AsSpan(), 9, 9));

        Assert.InRange(found.Rank, 2, 9);
        Assert.Equal(1, found.ApproximateWithin(9 * 9 * 1e-6).Rank);
        for (var rank = 1; rank <= found.Rank; rank++)
            Assert.All(found.Approximate(rank).Terms, term => Assert.Equal(FactorSymmetry.Symmetric, term.ColumnSymmetry));
    }

    [Fact]
    public void Floats_are_judged_by_the_precision_of_floats()
    {
        var random = new Random(5);
        for (var trial = 0; trial < 50; trial++)
        {
            var (height, width) = (random.Next(2, 12), random.Next(2, 12));
            float[] column = [.. Enumerable.Range(0, height).Select(_ => random.NextSingle() - 0.5f)];
            float[] row = [.. Enumerable.Range(0, width).Select(_ => random.NextSingle() - 0.5f)];
            float[] products = [.. column.SelectMany(c => row.Select(r => c * r))];

            var single = FilterKernel.FromTensor(new ReadOnlyTensorSpan<float>(products, [height, width]));
            var asDouble = new FilterKernel(single.Values, height, width);

            Assert.Equal(FilterKernel.SingleEpsilon, single.Epsilon);
            Assert.Equal(1, KernelSeparation.Decompose(single).Rank);
            Assert.InRange(KernelSeparation.Decompose(asDouble).Rank, 2, 12);
            AssertReconstructs(KernelSeparation.Decompose(single));
        }
    }

    [Fact]
    public void Singular_values_ranks_and_errors_are_those_of_NumPy()
    {
        foreach (var golden in GoldenKernels.Decompositions)
        {
            var found = KernelSeparation.Decompose(GoldenKernels.Matrix(golden.GetProperty("matrix")));
            var values = golden.Numbers("singularValues");
            var tolerance = 1e-13 * Math.Max(values[0], double.Epsilon);

            Assert.Equal(golden.GetProperty("rank").GetInt32(), found.Rank);
            Assert.Equal(values.Length, found.SingularValues.Length);
            for (var t = 0; t < values.Length; t++)
                Assert.Equal(values[t], found.SingularValues[t], tolerance);

            // Equal singular values have no order of their own, so errors of single entries may differ there.
            var distinct = values.Zip(values.Skip(1)).All(pair => pair.First - pair.Second > 1e-6 * values[0]);
            var rank = 0;
            foreach (var error in golden.GetProperty("errors").EnumerateArray())
            {
                Assert.Equal(error.GetProperty("frobenius").GetDouble(), found.FrobeniusError(rank), tolerance * 10);
                if (distinct)
                {
                    Assert.Equal(error.GetProperty("maximum").GetDouble(), found.MaxError(rank), tolerance * 10);
                    Assert.Equal(error.GetProperty("sum").GetDouble(), found.WorstError(rank), tolerance * 100);
                    if (rank < found.Rank)
                        Assert.Equal(error.GetProperty("bound").GetDouble(), found.ErrorBound(rank), tolerance * 100);
                }

                rank++;
            }
        }
    }

    [Fact]
    public void Error_bound_chooses_the_fewest_terms()
    {
        var found = Decompose("disk:6.2");
        for (var rank = 0; rank <= found.Rank; rank++)
        {
            var chosen = found.ApproximateWithin(found.WorstError(rank) * (1 + 1e-12));
            Assert.Equal(rank, chosen.Rank);
        }

        Assert.Equal(0, found.ApproximateWithin(double.PositiveInfinity).Rank);
        Assert.Equal(found.Rank, found.ApproximateWithin(0).Rank);
    }

    [Theory]
    [InlineData("gauss:1023:170", 1)]
    [InlineData("box:1023:900", 1)]
    [InlineData("sobel-x:31", 1)]
    [InlineData("log:101:12", 2)]
    [InlineData("gabor:99:20:90", 1)]
    public void Large_kernels_decompose(string kernel, int rank)
    {
        var found = Decompose(kernel);
        Assert.Equal(rank, found.Rank);
        Assert.Equal(TensorPrimitives.Norm(found.Kernel.Values), found.FrobeniusError(0), 1e-12 * found.SingularValues[0]);
        Assert.Equal(Math.Min(found.Kernel.Height, found.Kernel.Width), found.SingularValues.Length);
        if (rank == 1)
            Assert.Equal(found.FrobeniusError(0), found.SingularValues[0], 1e-12 * found.SingularValues[0]);
        AssertReconstructs(found);
    }

    [Fact]
    public void Large_kernels_with_a_tiny_second_term_have_rank_two()
    {
        // 100 times the tolerance: what the short cut for kernels of rank one must not swallow.
        var gauss = KernelLibrary.Gauss(101, 15);
        var values = gauss.Values.ToArray();
        values[0] += 100 * KernelSeparation.Decompose(gauss).Tolerance;
        Assert.Equal(2, KernelSeparation.Decompose(new FilterKernel(values.AsSpan(), 101, 101)).Rank);
    }

    [Fact]
    public void Numbers_near_the_largest_double_do_not_overflow()
    {
        var kernel = KernelParser.Parse("1e308 1e308; 1e308 1e308");
        var term = Assert.Single(KernelSeparation.Decompose(kernel).Exact.Terms.ToArray());
        foreach (var c in term.Column)
        {
            foreach (var r in term.Row)
                Assert.Equal(1, c / 1e154 * (r / 1e154), 1e-12);
        }
    }

    [Fact]
    public void Requests_out_of_range_are_refused()
    {
        var found = Decompose("1 2 3; 4 5 6");
        Assert.Contains("ranks 0 to 2", Assert.Throws<ArgumentOutOfRangeException>(() => found.Approximate(3)).Message);
        Assert.Contains("Rank -1", Assert.Throws<ArgumentOutOfRangeException>(() => found.ErrorBound(-1)).Message);
        Assert.Contains("0 or more", Assert.Throws<ArgumentOutOfRangeException>(() => found.ApproximateWithin(-1)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => found.ApproximateWithin(double.NaN));
        Assert.Throws<ArgumentNullException>(() => KernelSeparation.Decompose(null!));
    }
}
