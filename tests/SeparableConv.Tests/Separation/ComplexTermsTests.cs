using System.Globalization;
using System.Numerics;
using System.Numerics.Tensors;
using SeparableConv.Tests.Readme;

namespace SeparableConv.Tests.Separation;

/// <summary>
/// Sums of complex separable terms, with which renderers blur by a disk, beside the singular value decomposition at the same number of
/// multiplications: the table of docs/filters.md, and its argument in numbers.
/// </summary>
public sealed class ComplexTermsTests
{
    // (a, b, A, B) of each term exp(-a r^2) (A cos(b r^2) + B sin(b r^2)), the disk's edge near r = 1, as Olli Niemitalo published them.
    private static readonly (double Decay, double Turn, double Real, double Imaginary)[][] Published =
    [
        [(0.862325, 1.624835, 0.767583, 1.862321)],
        [(0.886528, 5.268909, 0.411259, -0.548794), (1.960518, 1.558213, 0.513282, 4.56111)],
        [
            (2.17649, 5.043495, 1.621035, -2.105439), (1.019306, 9.027613, -0.28086, -0.162882),
            (2.81511, 1.597273, -0.366471, 10.300301),
        ],
        [
            (4.338459, 1.553635, -5.767909, 46.164397), (3.839993, 4.693183, 9.795391, -15.227561),
            (2.79188, 8.178137, -3.048324, 0.302959), (1.34219, 12.328289, 0.010001, 0.24465),
        ],
    ];

    public static MatrixTheoryData<int, int> Disks => new([4, 8, 16, 32], [1, 2, 3, 4]);

    /// <summary>The table of docs/filters.md, row by row.</summary>
    [Theory]
    [MemberData(nameof(Disks))]
    public void No_sum_of_complex_terms_is_nearer_to_a_disk_than_as_many_multiplications_of_real_ones(int radius, int complexTerms)
    {
        var kernel = KernelLibrary.Disk(radius);
        var decomposition = KernelSeparation.Decompose(kernel);
        var norm = TensorPrimitives.Norm(kernel.Values);
        var rank = 2 * complexTerms;
        var real = decomposition.FrobeniusError(rank) / norm;

        // The least of all radii near the kernel's own: with the published weights and one factor, and with all weights free.
        var (published, refitted, worst) = (double.MaxValue, double.MaxValue, double.MaxValue);
        for (var scale = 0.6; scale < 1.5; scale += 0.005)
        {
            var rest = Rest(kernel, [RealTerms(Published[complexTerms - 1], radius, scale).ToKernel().Values.ToArray()]);
            var refittedRest = Rest(kernel, Parts(Published[complexTerms - 1], radius, scale));
            published = Math.Min(published, TensorPrimitives.Norm<double>(rest) / norm);
            refitted = Math.Min(refitted, TensorPrimitives.Norm<double>(refittedRest) / norm);
            worst = Math.Min(worst, TensorPrimitives.SumOfMagnitudes<double>(rest));
            worst = Math.Min(worst, TensorPrimitives.SumOfMagnitudes<double>(refittedRest));
        }

        Assert.True(real <= refitted && refitted <= published, $"{real}, {refitted}, {published}");
        var row = string.Create(
            CultureInfo.InvariantCulture,
            $"| {radius} | {complexTerms} | {rank} | {ConvCost.FilterMultiplications(kernel.Size, rank):N0} | {real:0.0000} "
            + $"| {published:0.0000} | {refitted:0.0000} | {decomposition.WorstError(rank):0.000} | {worst:0.000} |");
        var table = File.ReadAllLines(Path.Combine(ReadmeTests.Root, "docs", "filters.md"));
        Assert.True(table.Contains(row), $"docs/filters.md has no row {row}");
    }

    /// <summary>A complex term is two real ones, of opposite signs, with the multiplications of two.</summary>
    [Theory]
    [InlineData(5, 1)]
    [InlineData(5, 2)]
    [InlineData(16, 3)]
    [InlineData(16, 4)]
    public void Complex_terms_are_twice_as_many_real_ones(int radius, int complexTerms)
    {
        var terms = Published[complexTerms - 1];
        var real = RealTerms(terms, radius, 1);
        var size = (2 * radius) + 1;
        Assert.Equal(4L * size * complexTerms, ConvCost.FilterMultiplications(size, real.Rank));

        var product = real.ToKernel();
        var largest = product.MaxAbsolute;
        for (var y = -radius; y <= radius; y++)
        {
            for (var x = -radius; x <= radius; x++)
            {
                var square = (double)((x * x) + (y * y)) / (radius * radius);
                var value = terms.Sum(t => Math.Exp(-t.Decay * square)
                    * ((t.Real * Math.Cos(t.Turn * square)) + (t.Imaginary * Math.Sin(t.Turn * square))));
                Assert.Equal(value, product[y + radius, x + radius], 1e-12 * largest);
            }
        }
    }

    // Re(w g(y) g(x)) = p(y) p(x) - q(y) q(x), where p + iq = sqrt(w) g and w = A - iB.
    private static SeparableKernel RealTerms(
        (double Decay, double Turn, double Real, double Imaginary)[] terms, int radius, double scale)
    {
        var real = new List<SeparableTerm>();
        foreach (var term in terms)
        {
            var root = Complex.Sqrt(new Complex(term.Real, -term.Imaginary));
            var factor = Line(radius, scale, term.Decay, term.Turn).Select(g => root * g).ToArray();
            var (p, q) = (Array.ConvertAll(factor, f => f.Real), Array.ConvertAll(factor, f => f.Imaginary));
            real.Add(new SeparableTerm((ReadOnlySpan<double>)p, p));
            real.Add(new SeparableTerm((ReadOnlySpan<double>)q, Array.ConvertAll(q, v => -v)));
        }

        return new SeparableKernel(real, (2 * radius) + 1, (2 * radius) + 1);
    }

    // Real and imaginary part of each term's product.
    private static double[][] Parts((double Decay, double Turn, double Real, double Imaginary)[] terms, int radius, double scale)
    {
        var parts = new List<double[]>();
        foreach (var term in terms)
        {
            var line = Line(radius, scale, term.Decay, term.Turn);
            var products = line.SelectMany(y => line.Select(x => x * y)).ToArray();
            parts.Add(Array.ConvertAll(products, v => v.Real));
            parts.Add(Array.ConvertAll(products, v => v.Imaginary));
        }

        return [.. parts];
    }

    private static Complex[] Line(int radius, double scale, double decay, double turn) =>
    [
        .. Enumerable.Range(-radius, (2 * radius) + 1)
            .Select(x => Complex.Exp(new Complex(-decay, turn) * (scale * scale * x * x / radius / radius))),
    ];

    // What least squares leave of the kernel: it is made orthogonal to all parts, which are made so among each other.
    private static double[] Rest(FilterKernel kernel, double[][] parts)
    {
        var rest = kernel.Values.ToArray();
        for (var k = 0; k < parts.Length; k++)
        {
            // Twice, since the parts are nearly dependent.
            for (var before = 0; before < 2 * k; before++)
                Remove(parts[before % k], parts[k]);
            TensorPrimitives.Divide(parts[k], TensorPrimitives.Norm<double>(parts[k]), parts[k]);
            Remove(parts[k], rest);
        }

        return rest;
    }

    private static void Remove(double[] unit, double[] from) =>
        TensorPrimitives.MultiplyAdd(unit, -TensorPrimitives.Dot<double>(unit, from), from, from);
}
