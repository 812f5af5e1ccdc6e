namespace SeparableConv.Separation;

/// <summary>The range checks of the kernel library; messages name the kernel, the parameter and the number.</summary>
internal static class KernelChecks
{
    public static void Side(int side, string kernel, string parameter)
    {
        if (side is < 1 or > KernelLibrary.MaxSide)
            throw new ArgumentException($"{kernel}: {parameter} is {side}; it must be between 1 and {KernelLibrary.MaxSide}.");
    }

    public static void OddSide(int size, string kernel, int least = 1, int most = KernelLibrary.MaxSide)
    {
        if (size < least || size > most || size % 2 == 0)
            throw new ArgumentException($"{kernel}: size is {size}; it must be odd and between {least} and {most}.");
    }

    public static void Derivative(int dx, int dy, int size)
    {
        OddSide(size, "sobel", 1, KernelLibrary.MaxDerivativeSide);
        if (dx < 0 || dy < 0 || (dx == 0 && dy == 0))
            throw new ArgumentException($"sobel: orders are dx {dx}, dy {dy}; they must be 0 or more and not both 0.");
        var limit = Math.Max(3, size);
        if (dx >= limit || dy >= limit)
        {
            throw new ArgumentException(
                $"sobel: orders dx {dx}, dy {dy} do not fit size {size}; the size must be larger than both (size 1 allows up to 2).");
        }
    }

    public static double Sigma(double? sigma, int size, string kernel)
    {
        if (sigma is null)
            return (0.3 * (((size - 1) * 0.5) - 1)) + 0.8;
        Positive(sigma.Value, kernel, "sigma");
        return sigma.Value;
    }

    public static int SizeFromSigma(double size, double sigma, string kernel)
    {
        // Made odd upwards, as round(...) | 1 does.
        var odd = size % 2 == 0 ? size + 1 : size;
        if (odd > KernelLibrary.MaxSide)
        {
            throw new ArgumentException(
                $"{kernel}: sigma {sigma} needs a kernel of size {odd}, but sizes end at {KernelLibrary.MaxSide}; "
                + "use a smaller sigma or give the size too.");
        }

        return (int)odd;
    }

    public static void Positive(double value, string kernel, string parameter)
    {
        if (!(value > 0 && double.IsFinite(value)))
            throw new ArgumentException($"{kernel}: {parameter} is {value}; it must be above 0.");
    }

    public static void Finite(double value, string kernel, string parameter)
    {
        if (!double.IsFinite(value))
            throw new ArgumentException($"{kernel}: {parameter} is {value}; it must be a finite number.");
    }

    public static void Range(double value, double least, double most, string kernel, string parameter)
    {
        if (!(value >= least && value <= most))
            throw new ArgumentException($"{kernel}: {parameter} is {value}; it must be between {least} and {most}.");
    }
}
