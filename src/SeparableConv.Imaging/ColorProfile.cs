using SeparableConv.Imaging.Color;

namespace SeparableConv.Imaging;

/// <summary>An ICC profile (ISO 15076-1) of gray or RGB pictures: it says which colours a picture's samples are.</summary>
/// <remarks>
/// Cameras and telephones that see more than sRGB write Display P3 or Adobe RGB profiles; without its profile such a picture looks dull.
/// Profiles of three curves and three primaries, and of one curve for gray, are converted here; those that hold tables of colours take
/// libvips.
/// </remarks>
public sealed class ColorProfile
{
    /// <summary>The most bytes that a profile may have; the largest in use, tables for printers, have about 3 million.</summary>
    internal const int MaxBytes = 16 << 20;

    private readonly byte[] _data;
    private readonly Lazy<SrgbConversion?> _conversion;

    private ColorProfile(byte[] data, IccProfile content)
    {
        _data = data;
        IsGray = content.IsGray;
        HasCurves = content.Curves.Length > 0;
        _conversion = new(() => SrgbConversion.Of(content));
    }

    /// <summary>The profile as it stands in files.</summary>
    public ReadOnlySpan<byte> Data => _data;

    /// <summary>Whether it is for gray pictures; otherwise it is for RGB.</summary>
    public bool IsGray { get; }

    /// <summary>Whether curves and primaries describe the colours, and not tables.</summary>
    internal bool HasCurves { get; }

    /// <summary>How samples become sRGB; null where they are sRGB already, as near as 8 bits tell, or where only tables say it.</summary>
    internal SrgbConversion? Conversion => _conversion.Value;

    /// <summary>Reads a profile.</summary>
    /// <param name="data">The whole profile; it is copied.</param>
    /// <returns>The profile.</returns>
    /// <exception cref="InvalidDataException">It is no profile of gray or RGB pictures, or is damaged.</exception>
    public static ColorProfile Parse(ReadOnlySpan<byte> data) => new(data.ToArray(), IccProfile.Parse(data));

    /// <summary>The profile of a picture's file; null where it is damaged or for another kind of picture: it then says nothing.</summary>
    internal static ColorProfile? Find(ReadOnlySpan<byte> data, int channels)
    {
        try
        {
            var profile = Parse(data);
            return profile.IsGray == (channels <= 2) ? profile : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
