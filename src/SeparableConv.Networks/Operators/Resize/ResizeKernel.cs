namespace SeparableConv.Networks.Operators;

/// <summary>
/// The function of the distance by which pixels near a place are weighted: a triangle two pixels wide (linear), or Keys's piecewise cubic
/// four pixels wide.
/// </summary>
/// <param name="Mode">Linear or cubic.</param>
/// <param name="Antialias">Whether a reduction makes it as wide as what one pixel of the output stands for.</param>
/// <param name="ExcludeOutside">
/// Whether pixels beyond an edge do not count, where otherwise the pixel at the edge goes on: what Pillow and PyTorch do.
/// </param>
/// <param name="Cubic">The cubic's coefficient, its slope at distance 1.</param>
internal readonly record struct ResizeKernel(
    ResizeMode Mode, bool Antialias = false, bool ExcludeOutside = false, float Cubic = ResizeKernel.DefaultCubic)
{
    /// <summary>ONNX's coefficient, and PyTorch's without antialiasing.</summary>
    public const float DefaultCubic = -0.75f;

    /// <summary>How far it reaches, in pixels.</summary>
    public int Radius => Mode == ResizeMode.Cubic ? 2 : 1;

    /// <summary>Its value at a distance.</summary>
    public double At(double distance)
    {
        var x = Math.Abs(distance);
        double a = Cubic;
        return Mode != ResizeMode.Cubic ? Math.Max(0, 1 - x)
            : x <= 1 ? ((((a + 2) * x) - (a + 3)) * x * x) + 1
            : x < 2 ? a * (((((x - 5) * x) + 8) * x) - 4)
            : 0;
    }
}
