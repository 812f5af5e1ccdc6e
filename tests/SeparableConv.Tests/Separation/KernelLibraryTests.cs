using SeparableConv.Tests.Golden;

namespace SeparableConv.Tests.Separation;

public class KernelLibraryTests
{
    [Fact]
    public void Kernels_are_those_of_OpenCV_and_SciPy()
    {
        var compared = 0;
        foreach (var golden in GoldenKernels.Kernels)
        {
            var text = golden.GetProperty("kernel").GetString()!;
            var expected = GoldenKernels.Matrix(golden.GetProperty("values"));
            var tolerance = golden.GetProperty("tolerance").GetDouble() * expected.MaxAbsolute;
            var actual = KernelParser.Parse(text);

            Assert.True(actual.Size == expected.Size, $"{text}: size {actual.Size}, expected {expected.Size}");
            for (var i = 0; i < expected.Values.Length; i++)
            {
                var difference = Math.Abs(expected.Values[i] - actual.Values[i]);
                Assert.True(
                    difference <= tolerance, $"{text}: number {i} is {actual.Values[i]}, expected {expected.Values[i]} within {tolerance}");
            }

            compared++;
        }

        Assert.True(compared > 60, $"only {compared} golden kernels found");
    }

    [Theory]
    [InlineData("box:7:4", 1)]
    [InlineData("gauss:31:4", 1)]
    [InlineData("gauss:3.1", 1)]
    [InlineData("disk:3.7", 1)]
    [InlineData("disk:0.2", 1)]
    [InlineData("motion:12.5:33", 1)]
    [InlineData("emboss:2", 1)]
    [InlineData("sharpen:0.7", 1)]
    [InlineData("identity:7", 1)]
    [InlineData("laplacian:9", 0)]
    [InlineData("log:11", 0)]
    [InlineData("log:1.4", 0)]
    [InlineData("sobel-x:9:2:1", 0)]
    [InlineData("prewitt-y:9", 0)]
    public void Kernels_sum_to_what_they_promise(string kernel, double sum) =>
        Assert.Equal(sum, KernelParser.Parse(kernel).Sum, 1e-12);

    [Fact]
    public void Values_are_those_of_the_formulas()
    {
        Assert.Equal([-2.0, -1, 0, -1, 1, 1, 0, 1, 2], KernelLibrary.Emboss().Values.ToArray());
        Assert.Equal([0.0, -2, 0, -2, 9, -2, 0, -2, 0], KernelLibrary.Sharpen(2).Values.ToArray());
        Assert.Equal([0.0, 1, 0, 1, -4, 1, 0, 1, 0], KernelLibrary.Laplacian().Values.ToArray());
        Assert.Equal([-2.0, -1, 0, 1, 2], KernelLibrary.PrewittX(5).Values[..5].ToArray());
        Assert.Equal([-1.0, 0, 1], KernelLibrary.Sobel(1, 0, 1).Values.ToArray());
        Assert.Equal((1, 3), (KernelLibrary.Sobel(1, 0, 1).Height, KernelLibrary.Sobel(1, 0, 1).Width));
        Assert.Equal((13, 13), (KernelLibrary.GaussFromSigma(2).Height, KernelLibrary.GaussFromSigma(2).Width));
        Assert.Equal(13, KernelLibrary.LaplacianOfGaussianFromSigma(1.4).Height);
        Assert.Equal(1.0, KernelLibrary.Gauss(1, 0.001)[0, 0]);
        Assert.Equal(1.0, KernelLibrary.Gauss(9, 1e-200)[4, 4]);
    }

    [Fact]
    public void Motion_follows_its_angle()
    {
        var right = KernelLibrary.Motion(5);
        Assert.Equal((1, 5), (right.Height, right.Width));
        Assert.Equal(0.2, right[0, 4], 1e-15);
        Assert.Equal((5, 1), (KernelLibrary.Motion(5, 90).Height, KernelLibrary.Motion(5, 90).Width));
        Assert.Equal((1, 5), (KernelLibrary.Motion(5, 180).Height, KernelLibrary.Motion(5, 180).Width));

        // 45 degrees counterclockwise on the screen: from the lower left to the upper right.
        var rising = KernelLibrary.Motion(7, 45);
        var middle = rising.Width / 2;
        Assert.Equal(rising.Width, rising.Height);
        Assert.True(rising[middle - 2, middle + 2] > 0 && rising[middle + 2, middle - 2] > 0);
        Assert.True(rising[middle - 2, middle - 2] == 0 && rising[middle + 2, middle + 2] == 0);
        Assert.Equal(rising.Values.ToArray(), rising.Flip().Values.ToArray(), (a, b) => Math.Abs(a - b) < 1e-15);
        Assert.Equal([1.0], KernelLibrary.Motion(1, 77).Values.ToArray());
    }

    [Fact]
    public void Correlating_with_the_derivatives_of_a_ramp_gives_its_slope_sign()
    {
        // The picture x has horizontal slope 1: what the kernels that look to the right must find positive.
        foreach (var kernel in new[] { KernelLibrary.Sobel(1, 0, 5), KernelLibrary.ScharrX(), KernelLibrary.PrewittX(7) })
        {
            var sum = 0.0;
            for (var i = 0; i < kernel.Height; i++)
            {
                for (var j = 0; j < kernel.Width; j++)
                    sum += j * kernel[i, j];
            }

            Assert.True(sum > 0, $"{kernel} finds slope {sum}");
        }
    }

    [Fact]
    public void Parameters_out_of_range_are_refused_with_the_numbers()
    {
        Refused(() => KernelLibrary.Gauss(4), "gauss: size is 4", "odd");
        Refused(() => KernelLibrary.Gauss(5, 0), "sigma is 0");
        Refused(() => KernelLibrary.Gauss(5, double.NaN), "sigma is NaN");
        Refused(() => KernelLibrary.GaussFromSigma(1000), "size 6001", "1023");
        Refused(() => KernelLibrary.GaussFromSigma(-2), "sigma is -2");
        Refused(() => KernelLibrary.Box(0), "height is 0");
        Refused(() => KernelLibrary.Box(3, 1024), "width is 1024", "1023");
        Refused(() => KernelLibrary.Sobel(0, 0), "dx 0, dy 0");
        Refused(() => KernelLibrary.Sobel(3, 0, 3), "dx 3", "size 3");
        Refused(() => KernelLibrary.Sobel(3, 0, 1), "size 1");
        Refused(() => KernelLibrary.Sobel(1, 0, 33), "size is 33", "31");
        Refused(() => KernelLibrary.Sobel(-1, 2), "dx -1");
        Refused(() => KernelLibrary.PrewittX(1), "size is 1");
        Refused(() => KernelLibrary.Laplacian(2), "size is 2");
        Refused(() => KernelLibrary.LaplacianOfGaussian(1), "size is 1");
        Refused(() => KernelLibrary.LaplacianOfGaussian(9, 0.01), "sigma is 0.01", "0.1");
        Refused(() => KernelLibrary.LaplacianOfGaussianFromSigma(500), "sigma 500");
        Refused(() => KernelLibrary.Emboss(double.PositiveInfinity), "amount");
        Refused(() => KernelLibrary.Sharpen(double.NaN), "amount is NaN");
        Refused(() => KernelLibrary.Motion(0.5), "length is 0.5");
        Refused(() => KernelLibrary.Motion(5, double.NaN), "angle is NaN");
        Refused(() => KernelLibrary.Disk(0), "radius is 0");
        Refused(() => KernelLibrary.Disk(512), "radius is 512", "511");
        Refused(() => KernelLibrary.Gabor(8), "size is 8");
        Refused(() => KernelLibrary.Gabor(9, lambda: 0), "lambda is 0");
        Refused(() => KernelLibrary.Gabor(9, gamma: -1), "gamma is -1");
        Refused(() => KernelLibrary.Identity(2), "size is 2");
    }

    [Fact]
    public void Every_definition_makes_its_default_and_names_it_readably()
    {
        foreach (var definition in KernelCatalog.Definitions)
        {
            var kernel = KernelParser.Parse(definition.Name);
            Assert.StartsWith(definition.Name, kernel.Name);
            Assert.StartsWith(definition.Name, definition.Syntax);
            Assert.NotEmpty(definition.Summary);
            Assert.Equal(kernel.Values.ToArray(), KernelParser.Parse(kernel.Name).Values.ToArray());
        }

        Assert.Equal(16, KernelCatalog.Definitions.Count);
        Assert.Equal("gauss[:size[:sigma]]", KernelCatalog.Find("GAUSS").Syntax);
    }

    private static void Refused(Func<FilterKernel> make, params string[] parts)
    {
        var message = Assert.Throws<ArgumentException>(make).Message;
        Assert.All(parts, part => Assert.Contains(part, message));
    }
}
