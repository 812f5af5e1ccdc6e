using SeparableConv.Separation;

namespace SeparableConv;

/// <summary>The table of named kernels: what a user can type, for parsing and for help texts.</summary>
public static class KernelCatalog
{
    private static readonly KernelParameter OddSize3 = new("size", true, "3", "odd number of rows and columns");
    private static readonly KernelParameter DerivativeSize = new("size", true, "3", "odd, up to 31, larger than both orders");
    private static readonly KernelParameter SigmaFromSize =
        new("sigma", false, "0.3*((size-1)*0.5-1)+0.8", "standard deviation in pixels");

    /// <summary>All named kernels, in the order of the help text.</summary>
    public static IReadOnlyList<KernelDefinition> Definitions { get; } =
    [
        new("box", "mean of a rectangle",
            [new("height", true, "3", "rows"), new("width", true, "height", "columns")],
            a => KernelLibrary.Box(a.Integer("height", 3), a.Integer("width", a.Integer("height", 3)))),
        new("gauss", "Gaussian blur; one number that is not an odd integer is sigma: gauss:2 is sigma 2, size round(6*sigma+1) made odd",
            [new("size", true, "5", "odd number of rows and columns"), SigmaFromSize],
            a => GaussianLike(a, 5, KernelLibrary.Gauss, KernelLibrary.GaussFromSigma)),
        new("sobel-x", "horizontal derivative by Sobel's rule",
            [
                DerivativeSize,
                new("dx", true, "1", "order of the horizontal derivative"),
                new("dy", true, "0", "order of the vertical derivative"),
            ],
            a => KernelLibrary.Sobel(a.Integer("dx", 1), a.Integer("dy", 0), a.Integer("size", 3))),
        new("sobel-y", "vertical derivative by Sobel's rule",
            [
                DerivativeSize,
                new("dx", true, "0", "order of the horizontal derivative"),
                new("dy", true, "1", "order of the vertical derivative"),
            ],
            a => KernelLibrary.Sobel(a.Integer("dx", 0), a.Integer("dy", 1), a.Integer("size", 3))),
        new("scharr-x", "horizontal derivative, 3x3, nearly the same in all directions", [], _ => KernelLibrary.ScharrX()),
        new("scharr-y", "vertical derivative, 3x3, nearly the same in all directions", [], _ => KernelLibrary.ScharrY()),
        new("prewitt-x", "horizontal derivative, plain mean across", [OddSize3], a => KernelLibrary.PrewittX(a.Integer("size", 3))),
        new("prewitt-y", "vertical derivative, plain mean across", [OddSize3], a => KernelLibrary.PrewittY(a.Integer("size", 3))),
        new("laplacian", "sum of both second derivatives; size 1 is [0 1 0; 1 -4 1; 0 1 0]",
            [new("size", true, "1", "odd, up to 31")],
            a => KernelLibrary.Laplacian(a.Integer("size", 1))),
        new("log", "Laplacian of the Gaussian; one number that is not an odd integer is sigma, size 2*ceil(4*sigma)+1",
            [new("size", true, "9", "odd number of rows and columns"), SigmaFromSize],
            a => GaussianLike(a, 9, KernelLibrary.LaplacianOfGaussian, KernelLibrary.LaplacianOfGaussianFromSigma)),
        new("emboss", "relief lit from the upper left",
            [new("amount", false, "1", "strength")],
            a => KernelLibrary.Emboss(a.Number("amount", 1))),
        new("sharpen", "the picture minus its Laplacian",
            [new("amount", false, "1", "strength")],
            a => KernelLibrary.Sharpen(a.Number("amount", 1))),
        new("motion", "blur along a line",
            [new("length", false, "9", "pixels"), new("angle", false, "0", "degrees, counterclockwise from the right")],
            a => KernelLibrary.Motion(a.Number("length", 9), a.Number("angle", 0))),
        new("disk", "mean over a disk, the blur of a lens",
            [new("radius", false, "5", "pixels")],
            a => KernelLibrary.Disk(a.Number("radius", 5))),
        new("gabor", "wave packet: answers to stripes of one direction and width",
            [
                new("size", true, "21", "odd number of rows and columns"),
                new("sigma", false, "4", "standard deviation of the envelope in pixels"),
                new("theta", false, "0", "degrees by which the wave is turned"),
                new("lambda", false, "10", "wavelength in pixels"),
                new("gamma", false, "0.5", "aspect ratio of the envelope"),
                new("psi", false, "0", "phase in degrees"),
            ],
            a => KernelLibrary.Gabor(
                a.Integer("size", 21), a.Number("sigma", 4), a.Number("theta", 0),
                a.Number("lambda", 10), a.Number("gamma", 0.5), a.Number("psi", 0))),
        new("identity", "1 in the middle: the picture as it is", [OddSize3], a => KernelLibrary.Identity(a.Integer("size", 3))),
    ];

    /// <summary>Finds a kernel by its name; case does not matter.</summary>
    /// <param name="name">Such as <c>gauss</c>.</param>
    /// <returns>The definition.</returns>
    /// <exception cref="ArgumentException">No kernel has that name; the message lists all names and suggests the nearest.</exception>
    public static KernelDefinition Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        foreach (var definition in Definitions)
        {
            if (string.Equals(definition.Name, name, StringComparison.OrdinalIgnoreCase))
                return definition;
        }

        var known = Definitions.Select(d => d.Name);
        throw new ArgumentException(
            $"No kernel is called '{name}'; did you mean '{NearestWord.Find(name, known)}'? Known: {string.Join(", ", known)}; "
            + "or write numbers such as \"1 2 1; 2 4 2; 1 2 1\".");
    }

    private static FilterKernel GaussianLike(
        KernelArguments arguments, int defaultSize, Func<int, double?, FilterKernel> ofSize, Func<double, FilterKernel> ofSigma)
    {
        var first = arguments.Number("size");
        var sigma = arguments.Number("sigma");
        if (first is null && sigma is not null)
            return ofSigma(sigma.Value);
        if (arguments.IsSingleValue && first is { } value && Math.IEEERemainder(value, 2) is not (1 or -1))
            return ofSigma(value);
        return ofSize(arguments.Integer("size", defaultSize), sigma);
    }
}
