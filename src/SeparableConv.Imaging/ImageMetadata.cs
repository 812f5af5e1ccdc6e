using SeparableConv.Imaging.Png;

namespace SeparableConv.Imaging;

/// <summary>What a file says about a picture beside its pixels, and what is written to the next file: colours and resolution.</summary>
/// <remarks>What filters and turns a picture keeps it; a picture that is turned by a quarter exchanges its resolutions.</remarks>
public sealed record ImageMetadata
{
    private readonly Resolution? _resolution;

    /// <summary>A file that says nothing: sRGB colours of no known resolution.</summary>
    public static ImageMetadata None { get; } = new();

    /// <summary>What the samples are as colours; null stands for sRGB.</summary>
    public ColorProfile? Profile { get; init; }

    /// <summary>Pixels an inch; null where it is not known.</summary>
    /// <exception cref="ArgumentException">A number is not positive and finite.</exception>
    public Resolution? Resolution
    {
        get => _resolution;
        init => _resolution = value is null or { IsPossible: true }
            ? value
            : throw new ArgumentException($"The resolution is {value}; positive numbers of pixels an inch are expected.");
    }

    /// <summary>
    /// The chunks by which a PNG describes its colours without a profile (gamma, chromaticities and the like): written to the next PNG as
    /// they came, and otherwise not looked at.
    /// </summary>
    internal PngColorChunks? PngColors { get; init; }

    /// <summary>
    /// The type that an .npy file had where pictures have none such: it was read into floats and is written to the next .npy in its own.
    /// </summary>
    internal ElementType? NpyType { get; init; }

    /// <summary>The same for a picture whose samples have become sRGB.</summary>
    internal ImageMetadata WithoutColors() => Profile is null && PngColors is null ? this : this with { Profile = null, PngColors = null };

    /// <summary>The same for a picture whose rows have become columns.</summary>
    internal ImageMetadata Turned() => Resolution is { } both ? this with { Resolution = new(both.Vertical, both.Horizontal) } : this;
}

/// <summary>How densely a picture's pixels lie when it is printed.</summary>
/// <param name="Horizontal">Pixels an inch along a row.</param>
/// <param name="Vertical">Pixels an inch along a column.</param>
public readonly record struct Resolution(double Horizontal, double Vertical)
{
    private const double InchInMetres = 0.0254;

    /// <summary>Pixels a metre, as PNG has them, along a row and a column.</summary>
    internal (double Horizontal, double Vertical) PerMetre => (Horizontal / InchInMetres, Vertical / InchInMetres);

    internal bool IsPossible => Horizontal > 0 && double.IsFinite(Horizontal) && Vertical > 0 && double.IsFinite(Vertical);

    /// <summary>The resolution of so many pixels a metre; null where a number is not positive and finite.</summary>
    internal static Resolution? OfMetres(double horizontal, double vertical)
    {
        var resolution = new Resolution(horizontal * InchInMetres, vertical * InchInMetres);
        return resolution.IsPossible ? resolution : null;
    }
}
