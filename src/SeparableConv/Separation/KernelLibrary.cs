using SeparableConv.Separation;

namespace SeparableConv;

/// <summary>The filter kernels that have names, each made from its formula.</summary>
/// <remarks>
/// x runs to the right and y downwards from the middle of the kernel; angles are degrees, counterclockwise as seen on the
/// screen. Kernels that separate on paper are multiplied out from their factors, so that they have rank 1 in doubles too.
/// <see cref="KernelCatalog"/> lists them by name for a user to type.
/// </remarks>
public static class KernelLibrary
{
    /// <summary>The largest side of a named or written kernel.</summary>
    public const int MaxSide = 1023;

    /// <summary>The largest derivative kernel: beyond it the numbers are no longer exact.</summary>
    public const int MaxDerivativeSide = 31;

    /// <summary>The mean of a rectangle: K = 1/(height*width).</summary>
    /// <param name="height">Rows, 1 to 1023; even ones too.</param>
    /// <param name="width">Columns, 1 to 1023; even ones too.</param>
    /// <returns>The kernel; its sum is 1.</returns>
    /// <exception cref="ArgumentException">A side is out of range.</exception>
    public static FilterKernel Box(int height, int width)
    {
        KernelChecks.Side(height, "box", "height");
        KernelChecks.Side(width, "box", "width");
        var values = new double[height * width];
        Array.Fill(values, 1.0 / values.Length);
        return new FilterKernel(values, height, width, name: KernelName.Of("box", height, width));
    }

    /// <summary>The mean of a square: K = 1/size^2.</summary>
    /// <param name="size">Rows and columns, 1 to 1023.</param>
    /// <returns>The kernel; its sum is 1.</returns>
    /// <exception cref="ArgumentException">The size is out of range.</exception>
    public static FilterKernel Box(int size = 3) => Box(size, size);

    /// <summary>Gaussian: K(x,y) = g(x)*g(y), g(x) = exp(-x^2/(2 sigma^2)) divided by its sum.</summary>
    /// <param name="size">Odd number of rows and columns, 1 to 1023.</param>
    /// <param name="sigma">Standard deviation in pixels, above 0; where it is null 0.3*((size-1)*0.5 - 1) + 0.8 (OpenCV's rule).</param>
    /// <returns>The kernel; its sum is 1.</returns>
    /// <exception cref="ArgumentException">The size is even or out of range, or sigma is not above 0.</exception>
    public static FilterKernel Gauss(int size = 5, double? sigma = null)
    {
        KernelChecks.OddSide(size, "gauss");
        var g = Gaussian(size, KernelChecks.Sigma(sigma, size, "gauss"));
        return FilterKernel.OuterProduct(g, g, KernelName.Of("gauss", size, sigma));
    }

    /// <summary>Gaussian whose size follows from sigma: round(6*sigma + 1), made odd (OpenCV's rule for 8-bit pictures).</summary>
    /// <param name="sigma">Standard deviation in pixels, above 0 and up to 170.</param>
    /// <returns>The kernel; its sum is 1.</returns>
    /// <exception cref="ArgumentException">Sigma is not above 0, or the size would exceed 1023.</exception>
    public static FilterKernel GaussFromSigma(double sigma)
    {
        KernelChecks.Positive(sigma, "gauss", "sigma");
        return Gauss(KernelChecks.SizeFromSigma(Math.Round((6 * sigma) + 1), sigma, "gauss"), sigma);
    }

    /// <summary>Derivative by Sobel's rule (OpenCV's getDerivKernels): K = d_dy(y) * d_dx(x).</summary>
    /// <remarks>
    /// d_n is the polynomial (z-1)^n * (z+1)^(size-n-1): smoothing [1 2 1], first derivative [-1 0 1], second [1 -2 1] for
    /// size 3. Size 1 takes no smoothing: the axis that is derived has 3 numbers, the other 1. Not normalized.
    /// </remarks>
    /// <param name="dx">Order of the horizontal derivative, 0 or more.</param>
    /// <param name="dy">Order of the vertical derivative, 0 or more; the two are not both 0.</param>
    /// <param name="size">Odd, 1 to 31, and larger than both orders (size 1: orders up to 2).</param>
    /// <returns>The kernel, in integers.</returns>
    /// <exception cref="ArgumentException">The size is even or out of range, or an order does not fit it.</exception>
    public static FilterKernel Sobel(int dx = 1, int dy = 0, int size = 3)
    {
        KernelChecks.Derivative(dx, dy, size);
        var name = (dx, dy) switch
        {
            (1, 0) => KernelName.Of("sobel-x", size),
            (0, 1) => KernelName.Of("sobel-y", size),
            _ => KernelName.Of(dx >= dy ? "sobel-x" : "sobel-y", size, dx, dy),
        };
        return FilterKernel.OuterProduct(DerivativeFactor.Of(size, dy), DerivativeFactor.Of(size, dx), name);
    }

    /// <summary>Scharr's horizontal derivative: [3;10;3] * [-1 0 1].</summary>
    /// <returns>The kernel, 3x3 integers, not normalized.</returns>
    public static FilterKernel ScharrX() => FilterKernel.OuterProduct([3, 10, 3], [-1, 0, 1], "scharr-x");

    /// <summary>Scharr's vertical derivative: [-1;0;1] * [3 10 3].</summary>
    /// <returns>The kernel, 3x3 integers, not normalized.</returns>
    public static FilterKernel ScharrY() => FilterKernel.OuterProduct([-1, 0, 1], [3, 10, 3], "scharr-y");

    /// <summary>Prewitt's horizontal derivative: a column of ones times the ramp [-r .. r], r = (size-1)/2.</summary>
    /// <param name="size">Odd, 3 to 1023.</param>
    /// <returns>The kernel, in integers, not normalized.</returns>
    /// <exception cref="ArgumentException">The size is even or out of range.</exception>
    public static FilterKernel PrewittX(int size = 3)
    {
        var (ones, ramp) = PrewittFactors(size, "prewitt-x");
        return FilterKernel.OuterProduct(ones, ramp, KernelName.Of("prewitt-x", size));
    }

    /// <summary>Prewitt's vertical derivative: the ramp [-r .. r] as a column, times a row of ones.</summary>
    /// <param name="size">Odd, 3 to 1023.</param>
    /// <returns>The kernel, in integers, not normalized.</returns>
    /// <exception cref="ArgumentException">The size is even or out of range.</exception>
    public static FilterKernel PrewittY(int size = 3)
    {
        var (ones, ramp) = PrewittFactors(size, "prewitt-y");
        return FilterKernel.OuterProduct(ramp, ones, KernelName.Of("prewitt-y", size));
    }

    /// <summary>Sum of both second derivatives, as OpenCV's Laplacian has it.</summary>
    /// <remarks>
    /// Size 1: [0 1 0; 1 -4 1; 0 1 0]. Above: d_0(y)*d_2(x) + d_2(y)*d_0(x) with Sobel's factors of that size; 3 gives [2 0 2; 0 -8 0; 2 0
    /// 2].
    /// </remarks>
    /// <param name="size">Odd, 1 to 31; 1 gives a 3x3 kernel.</param>
    /// <returns>The kernel, in integers; its sum is 0 and its rank 2.</returns>
    /// <exception cref="ArgumentException">The size is even or out of range.</exception>
    public static FilterKernel Laplacian(int size = 1)
    {
        KernelChecks.OddSide(size, "laplacian", 1, MaxDerivativeSide);
        var name = KernelName.Of("laplacian", size);
        if (size == 1)
            return new FilterKernel([0.0, 1, 0, 1, -4, 1, 0, 1, 0], 3, 3, name: name);
        return SumOfProducts(DerivativeFactor.Of(size, 0), DerivativeFactor.Of(size, 2), name);
    }

    /// <summary>Laplacian of the Gaussian: K(x,y) = g(y)*h(x) + h(y)*g(x).</summary>
    /// <remarks>
    /// g is <see cref="Gauss"/>'s factor and h(x) = (x^2 - sigma^2)/sigma^4 * g(x), less the multiple of g that makes its sum 0:
    /// so flat areas give 0, and the rank stays 2.
    /// </remarks>
    /// <param name="size">Odd number of rows and columns, 3 to 1023.</param>
    /// <param name="sigma">Standard deviation in pixels, 0.1 or more; where it is null 0.3*((size-1)*0.5 - 1) + 0.8.</param>
    /// <returns>The kernel; its sum is 0.</returns>
    /// <exception cref="ArgumentException">The size is even or out of range, or sigma is below 0.1.</exception>
    public static FilterKernel LaplacianOfGaussian(int size = 9, double? sigma = null)
    {
        KernelChecks.OddSide(size, "log", 3);
        var deviation = KernelChecks.Sigma(sigma, size, "log");
        if (deviation < 0.1)
            throw new ArgumentException(
                $"log: sigma is {deviation}; it must be at least 0.1, below which nothing is left between the pixels.");

        var g = Gaussian(size, deviation);
        var h = new double[size];
        for (var i = 0; i < size; i++)
        {
            var x = (i - (size / 2)) / deviation;
            h[i] = ((x * x) - 1) / (deviation * deviation) * g[i];
        }

        var excess = h.Sum();
        for (var i = 0; i < size; i++)
            h[i] -= excess * g[i];
        return SumOfProducts(g, h, KernelName.Of("log", size, sigma));
    }

    /// <summary>Laplacian of the Gaussian whose size follows from sigma: 2*ceil(4*sigma) + 1.</summary>
    /// <param name="sigma">Standard deviation in pixels, from 0.1 to 127.75.</param>
    /// <returns>The kernel; its sum is 0.</returns>
    /// <exception cref="ArgumentException">Sigma is below 0.1, or the size would exceed 1023.</exception>
    public static FilterKernel LaplacianOfGaussianFromSigma(double sigma)
    {
        KernelChecks.Positive(sigma, "log", "sigma");
        return LaplacianOfGaussian(KernelChecks.SizeFromSigma((2 * Math.Ceiling(4 * sigma)) + 1, sigma, "log"), sigma);
    }

    /// <summary>Relief lit from the upper left: identity + amount * [-2 -1 0; -1 0 1; 0 1 2].</summary>
    /// <param name="amount">Strength, any finite number.</param>
    /// <returns>The kernel, 3x3; its sum is 1.</returns>
    /// <exception cref="ArgumentException">The amount is not finite.</exception>
    public static FilterKernel Emboss(double amount = 1)
    {
        KernelChecks.Finite(amount, "emboss", "amount");
        var a = amount;
        return new FilterKernel([-2 * a, -a, 0, -a, 1, a, 0, a, 2 * a], 3, 3, name: KernelName.Of("emboss", a));
    }

    /// <summary>Identity minus amount times the Laplacian: [0 -a 0; -a 1+4a -a; 0 -a 0].</summary>
    /// <param name="amount">Strength a, any finite number; negative ones blur.</param>
    /// <returns>The kernel, 3x3; its sum is 1.</returns>
    /// <exception cref="ArgumentException">The amount is not finite.</exception>
    public static FilterKernel Sharpen(double amount = 1)
    {
        KernelChecks.Finite(amount, "sharpen", "amount");
        var a = amount;
        return new FilterKernel([0, -a, 0, -a, 1 + (4 * a), -a, 0, -a, 0], 3, 3, name: KernelName.Of("sharpen", a));
    }

    /// <summary>Motion blur along a line: weights max(0, 1 - distance of the pixel's middle from the line), divided by their sum.</summary>
    /// <param name="length">
    /// Length of the line in pixels, 1 to 1021; a line of n pixels at angle 0 is the mean of n pixels in a row.
    /// </param>
    /// <param name="angle">Degrees, counterclockwise from the right.</param>
    /// <returns>The kernel, only as large as the line needs; its sum is 1.</returns>
    /// <exception cref="ArgumentException">The length is out of range or the angle is not finite.</exception>
    public static FilterKernel Motion(double length = 9, double angle = 0)
    {
        KernelChecks.Range(length, 1, MaxSide - 2, "motion", "length");
        KernelChecks.Finite(angle, "motion", "angle");
        return KernelShapes.Line(length, angle, KernelName.Of("motion", length, angle));
    }

    /// <summary>Mean over a disk (an unsharp lens): the area of each pixel that lies in the disk, divided by their sum.</summary>
    /// <param name="radius">Radius in pixels, above 0 and up to 511.</param>
    /// <returns>The kernel with 2*ceil(radius - 0.5) + 1 rows and columns; its sum is 1.</returns>
    /// <exception cref="ArgumentException">The radius is out of range.</exception>
    public static FilterKernel Disk(double radius = 5)
    {
        KernelChecks.Positive(radius, "disk", "radius");
        KernelChecks.Range(radius, 0, MaxSide / 2, "disk", "radius");
        return KernelShapes.Disk(radius, KernelName.Of("disk", radius));
    }

    /// <summary>Gabor's wave packet, as OpenCV's getGaborKernel has it.</summary>
    /// <remarks>
    /// K(x,y) = exp(-(x'^2 + gamma^2 y'^2)/(2 sigma^2)) * cos(2 pi x'/lambda + psi), with x' = x cos(theta) + y sin(theta) and
    /// y' = -x sin(theta) + y cos(theta), x and y counted to the left and upwards. Not normalized.
    /// </remarks>
    /// <param name="size">Odd number of rows and columns, 1 to 1023.</param>
    /// <param name="sigma">Standard deviation of the envelope in pixels, above 0.</param>
    /// <param name="theta">Degrees by which the wave is turned.</param>
    /// <param name="lambda">Wavelength in pixels, above 0.</param>
    /// <param name="gamma">Aspect ratio of the envelope, above 0; below 1 it is longer along the stripes.</param>
    /// <param name="psi">Phase in degrees; 0 is even, 90 odd.</param>
    /// <returns>The kernel; at 0 and 90 degrees its rank is 1.</returns>
    /// <exception cref="ArgumentException">A parameter is out of range.</exception>
    public static FilterKernel Gabor(
        int size = 21, double sigma = 4, double theta = 0, double lambda = 10, double gamma = 0.5, double psi = 0)
    {
        KernelChecks.OddSide(size, "gabor");
        KernelChecks.Positive(sigma, "gabor", "sigma");
        KernelChecks.Finite(theta, "gabor", "theta");
        KernelChecks.Positive(lambda, "gabor", "lambda");
        KernelChecks.Positive(gamma, "gabor", "gamma");
        KernelChecks.Finite(psi, "gabor", "psi");

        var (sin, cos) = double.SinCosPi(Math.IEEERemainder(theta, 360) / 180);
        var half = size / 2;
        var values = new double[size * size];
        for (var y = -half; y <= half; y++)
        {
            for (var x = -half; x <= half; x++)
            {
                var along = (x * cos) + (y * sin);
                var across = (y * cos) - (x * sin);
                var envelope = Math.Exp(-0.5 * Square(along / sigma)) * Math.Exp(-0.5 * Square(across * gamma / sigma));
                values[((half - y) * size) + half - x] = envelope * double.CosPi((2 * along / lambda) + (psi / 180));
            }
        }

        return new FilterKernel(values, size, size, name: KernelName.Of("gabor", size, sigma, theta, lambda, gamma, psi));
    }

    /// <summary>1 in the middle, 0 elsewhere: the picture stays as it is.</summary>
    /// <param name="size">Odd number of rows and columns, 1 to 1023.</param>
    /// <returns>The kernel; its sum and its rank are 1.</returns>
    /// <exception cref="ArgumentException">The size is even or out of range.</exception>
    public static FilterKernel Identity(int size = 3)
    {
        KernelChecks.OddSide(size, "identity");
        var values = new double[size * size];
        values[values.Length / 2] = 1;
        return new FilterKernel(values, size, size, name: KernelName.Of("identity", size));
    }

    private static double Square(double value) => value * value;

    private static (double[] Ones, double[] Ramp) PrewittFactors(int size, string name)
    {
        KernelChecks.OddSide(size, name, 3);
        var ones = new double[size];
        Array.Fill(ones, 1);
        var ramp = new double[size];
        for (var i = 0; i < size; i++)
            ramp[i] = i - (size / 2);
        return (ones, ramp);
    }

    private static double[] Gaussian(int size, double sigma)
    {
        var g = new double[size];
        for (var i = 0; i < size; i++)
            g[i] = Math.Exp(-0.5 * Square((i - (size / 2)) / sigma));
        var sum = g.Sum();
        return Array.ConvertAll(g, v => v / sum);
    }

    // a(y)*b(x) + b(y)*a(x)
    private static FilterKernel SumOfProducts(double[] a, double[] b, string name)
    {
        var values = new double[a.Length * a.Length];
        SeparableKernel.AddTerm(values, a, b, 1);
        SeparableKernel.AddTerm(values, b, a, 1);
        return new FilterKernel(values, a.Length, a.Length, name: name);
    }
}
