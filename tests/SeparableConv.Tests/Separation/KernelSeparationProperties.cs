using FsCheck;
using FsCheck.Fluent;

namespace SeparableConv.Tests.Separation;

public class KernelSeparationProperties
{
    // Height, width and a seed for the numbers: shrinking sizes is what helps.
    private static Arbitrary<(int Height, int Width, int Seed)> Shapes(int most) =>
        (from height in Gen.Choose(1, most)
         from width in Gen.Choose(1, most)
         from seed in Gen.Choose(0, int.MaxValue - 1)
         select (height, width, seed)).ToArbitrary();

    private static void Check((Arbitrary<(int Height, int Width, int Seed)> Shapes, int Count) input, Action<int, int, Random> property) =>
        Prop.ForAll(input.Shapes, shape => property(shape.Height, shape.Width, new Random(shape.Seed)))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(input.Count));

    private static FilterKernel RandomKernel(Random random, int height, int width)
    {
        double[] values = [.. Enumerable.Range(0, height * width).Select(_ => (random.NextDouble() * 2) - 1)];
        return new FilterKernel(values.AsSpan(), height, width);
    }

    // A sum of outer products whose factors are far from dependent.
    private static FilterKernel SumOfProducts(Random random, int height, int width, int rank)
    {
        var values = new double[height * width];
        for (var t = 0; t < rank; t++)
        {
            for (var i = 0; i < height; i++)
            {
                for (var j = 0; j < width; j++)
                    values[(i * width) + j] += (Cosine(i, t, height) + (0.01 * i)) * (Cosine(j, t, width) + 0.02) * (1 + (t * 0.5));
            }
        }

        var turn = random.NextDouble() + 0.5;
        return new FilterKernel(Array.ConvertAll(values, v => v * turn).AsSpan(), height, width);
    }

    // The t-th cosine of the discrete cosine transform: orthogonal to the others.
    private static double Cosine(int i, int t, int length) => Math.Cos(Math.PI * (i + 0.5) * t / length);

    [Fact]
    public void Every_kernel_is_the_sum_of_its_terms() => Check((Shapes(12), 300), (height, width, random) =>
    {
        var found = KernelSeparation.Decompose(RandomKernel(random, height, width));
        var bound = 8 * (height + width) * FilterKernel.DoubleEpsilon * found.SingularValues[0];
        Assert.True(found.Exact.MaxError <= bound, $"error {found.Exact.MaxError} above {bound}");
    });

    [Fact]
    public void A_sum_of_r_outer_products_has_rank_r() => Check((Shapes(12), 200), (height, width, random) =>
    {
        var rank = random.Next(1, Math.Min(height, width) + 1);
        Assert.Equal(rank, KernelSeparation.Decompose(SumOfProducts(random, height, width, rank)).Rank);
    });

    [Fact]
    public void A_random_outer_product_in_doubles_has_rank_one() => Check((Shapes(20), 500), (height, width, random) =>
    {
        double[] column = [.. Enumerable.Range(0, height).Select(_ => random.NextDouble() - 0.5)];
        double[] row = [.. Enumerable.Range(0, width).Select(_ => random.NextDouble() - 0.5)];
        var found = KernelSeparation.Decompose(FilterKernel.OuterProduct(column, row));
        Assert.True(found.Rank == 1, $"rank {found.Rank}: {string.Join(' ', found.SingularValues.ToArray())}");
    });

    [Fact]
    public void Integer_outer_products_have_integer_factors_with_a_primitive_row() => Check((Shapes(10), 400), (height, width, random) =>
    {
        long[] column = [.. Enumerable.Range(0, height).Select(_ => random.NextInt64(-30, 31))];
        long[] row = [.. Enumerable.Range(0, width).Select(_ => random.NextInt64(-30, 31))];
        column[random.Next(height)] = 7;
        row[random.Next(width)] = -4;
        var kernel = FilterKernel.OuterProduct(Array.ConvertAll(column, v => (double)v), Array.ConvertAll(row, v => (double)v));

        var exact = KernelSeparation.Decompose(kernel).Exact;

        var term = Assert.Single(exact.Terms);
        Assert.Equal(0, exact.MaxError);
        Assert.Equal(kernel.Values.ToArray(), exact.ToKernel().Values.ToArray());
        Assert.All(term.Column.ToArray(), v => Assert.Equal(Math.Round(v), v));
        var divisor = System.Numerics.BigInteger.Zero;
        foreach (var value in term.Row)
        {
            Assert.Equal(Math.Round(value), value);
            divisor = System.Numerics.BigInteger.GreatestCommonDivisor(divisor, (long)value);
        }

        Assert.Equal(System.Numerics.BigInteger.One, divisor);
    });

    [Fact]
    public void Integer_kernels_of_any_rank_and_size_reconstruct() => Check((Shapes(12), 500), (height, width, random) =>
    {
        // From numbers that integers serve best to numbers whose elimination leaves every range.
        var largest = Math.Pow(10, random.Next(0, 17));
        var fraction = Math.Pow(2, -random.Next(0, 4));
        double[] values =
            [.. Enumerable.Range(0, height * width).Select(_ => Math.Round((random.NextDouble() - 0.5) * largest * 4) * fraction)];
        var found = KernelSeparation.Decompose(new FilterKernel(values.AsSpan(), height, width));
        Assert.True(found.Exact.MaxError <= 8 * (height + width) * FilterKernel.DoubleEpsilon * found.SingularValues[0]);
        Assert.Equal(found.Rank, found.Exact.Rank);
    });

    [Fact]
    public void Output_error_stays_within_the_bound() => Check((Shapes(9), 200), (height, width, random) =>
    {
        var kernel = RandomKernel(random, height, width);
        var found = KernelSeparation.Decompose(kernel);
        for (var rank = 0; rank <= Math.Min(height, width); rank++)
        {
            var approximation = found.Approximate(rank).ToKernel();
            var worst = 0.0;
            var error = 0.0;
            for (var i = 0; i < kernel.Values.Length; i++)
            {
                var difference = kernel.Values[i] - approximation.Values[i];
                worst += Math.Abs(difference);
                error += ((random.NextDouble() * 2) - 1) * difference;
            }

            var rounding = 1e-14 * (1 + kernel.AbsoluteSum);
            Assert.True(Math.Abs(error) <= found.WorstError(rank) + rounding);
            Assert.InRange(found.WorstError(rank), worst - rounding, worst + rounding);
            Assert.True(found.WorstError(rank) <= found.ErrorBound(rank));
            Assert.True(found.MaxError(rank) <= found.WorstError(rank));
            Assert.True(approximation.Height == height && approximation.Width == width);
        }
    });

    [Fact]
    public void Dropped_singular_values_are_the_Frobenius_error() => Check((Shapes(9), 200), (height, width, random) =>
    {
        var found = KernelSeparation.Decompose(RandomKernel(random, height, width));
        var values = found.SingularValues.ToArray();
        for (var rank = 0; rank <= values.Length; rank++)
        {
            var dropped = Math.Sqrt(values.Skip(rank).Sum(s => s * s));
            Assert.Equal(dropped, found.FrobeniusError(rank), 1e-13 * values[0]);
        }
    });

    [Fact]
    public void Transposing_exchanges_columns_and_rows() => Check((Shapes(9), 200), (height, width, random) =>
    {
        var kernel = RandomKernel(random, height, width);
        var found = KernelSeparation.Decompose(kernel);
        var transposed = KernelSeparation.Decompose(kernel.Transpose());

        Assert.Equal(found.Rank, transposed.Rank);
        for (var t = 0; t < found.SingularValues.Length; t++)
            Assert.Equal(found.SingularValues[t], transposed.SingularValues[t], 1e-13 * found.SingularValues[0]);

        var direct = found.Approximate(1).ToKernel().Transpose();
        var turned = transposed.Approximate(1).ToKernel();
        var gap = found.SingularValues.Length > 1 ? found.SingularValues[0] - found.SingularValues[1] : found.SingularValues[0];
        for (var i = 0; i < direct.Values.Length; i++)
            Assert.Equal(direct.Values[i], turned.Values[i], 1e-12 * found.SingularValues[0] * found.SingularValues[0] / gap);
    });

    [Fact]
    public void Powers_of_ten_do_not_change_the_rank() => Check((Shapes(9), 200), (height, width, random) =>
    {
        var rank = random.Next(1, Math.Min(height, width) + 1);
        var kernel = SumOfProducts(random, height, width, rank);
        for (var power = -9; power <= 9; power += 3)
            Assert.Equal(rank, KernelSeparation.Decompose(kernel.Scale(Math.Pow(10, power))).Rank);
    });
}
