using System.Buffers.Binary;

namespace SeparableConv.Imaging.Color;

/// <summary>What an ICC profile says, as far as conversions are made of it here (ISO 15076-1, clauses 7, 9 and 10).</summary>
/// <param name="IsGray">Whether it is for gray pictures and not for RGB.</param>
/// <param name="Curves">
/// How a sample becomes an amount of light: one of gray, three of RGB; none where tables of colours take their place.
/// </param>
/// <param name="Primaries">The colours XYZ, relative to white D50, of full red, green and blue, a column each; empty for gray.</param>
internal sealed record IccProfile(bool IsGray, IccCurve[] Curves, double[] Primaries)
{
    private const int HeaderBytes = 128;
    private const int TagBytes = 12;

    // An 'XYZ ' element: its name, four bytes of nothing, three numbers.
    private const int XyzBytes = 20;

    /// <summary>Reads a profile.</summary>
    /// <exception cref="InvalidDataException">It is no profile of gray or RGB pictures, or is damaged.</exception>
    public static IccProfile Parse(ReadOnlySpan<byte> data)
    {
        if (data.Length < HeaderBytes + 4 || !data[36..].StartsWith("acsp"u8))
            throw new InvalidDataException("The colour profile is no ICC profile, or is cut off in its header.");
        if (BinaryPrimitives.ReadUInt32BigEndian(data) is var size && size > (uint)data.Length)
            throw new InvalidDataException($"The colour profile claims {size} bytes, but {data.Length} are there: it is cut off.");
        if (data.Length > ColorProfile.MaxBytes)
        {
            throw new InvalidDataException(
                $"The colour profile has {data.Length} bytes; at most {ColorProfile.MaxBytes} are expected.");
        }

        var isGray = data[16..].StartsWith("GRAY"u8);
        if (!isGray && !data[16..].StartsWith("RGB "u8))
            throw new InvalidDataException("The colour profile is for neither gray nor RGB pictures.");

        var curves = isGray ? Curve(data, "kTRC"u8) : [.. Curve(data, "rTRC"u8), .. Curve(data, "gTRC"u8), .. Curve(data, "bTRC"u8)];
        double[] primaries = isGray ? [] : [.. Xyz(data, "rXYZ"u8), .. Xyz(data, "gXYZ"u8), .. Xyz(data, "bXYZ"u8)];
        if (curves.Length == (isGray ? 1 : 3) && primaries.Length == (isGray ? 0 : 9))
            return new IccProfile(isGray, curves, Transposed(primaries));
        return !Find(data, "A2B0"u8).IsEmpty
            ? new IccProfile(isGray, [], [])
            : throw new InvalidDataException("The colour profile says neither by curves nor by tables what the colours are.");
    }

    private static double[] Transposed(double[] primaries) =>
        primaries.Length == 0 ? [] : [.. Enumerable.Range(0, 9).Select(i => primaries[(i % 3 * 3) + (i / 3)])];

    private static IccCurve[] Curve(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name) =>
        IccCurve.Parse(Find(data, name)) is { } curve ? [curve] : [];

    private static double[] Xyz(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name)
    {
        var element = Find(data, name);
        return element.Length >= XyzBytes && element.StartsWith("XYZ "u8)
            ? [IccCurve.Fixed(element[8..]), IccCurve.Fixed(element[12..]), IccCurve.Fixed(element[16..])]
            : [];
    }

    // The element that a tag names; empty where there is none, or where it lies beyond the end.
    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name)
    {
        var count = BinaryPrimitives.ReadUInt32BigEndian(data[HeaderBytes..]);
        var tags = data[(HeaderBytes + 4)..];
        for (var i = 0u; i < count && tags.Length >= TagBytes; i++, tags = tags[TagBytes..])
        {
            if (!tags.StartsWith(name))
                continue;
            var offset = BinaryPrimitives.ReadUInt32BigEndian(tags[4..]);
            var length = BinaryPrimitives.ReadUInt32BigEndian(tags[8..]);
            return (ulong)offset + length <= (ulong)data.Length ? data.Slice((int)offset, (int)length) : default;
        }

        return default;
    }
}
