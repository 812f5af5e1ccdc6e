using System.CommandLine;
using System.Globalization;

namespace SeparableConv.Cli.Options;

/// <summary>The options for reading pictures that several commands share.</summary>
internal static class PictureOptions
{
    /// <summary>Makes the option that limits a picture's pixels, against files that unpack to far more than they seem.</summary>
    public static Option<long?> MaxPixels() => OptionValues.Parsed<long?>(
        "--max-pixels",
        "N",
        "The most pixels (width*height) a picture may have; larger ones are refused from their header. "
        + $"{ImageReadOptions.Default.MaxPixels} by default.",
        text => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0
            ? value
            : throw new FormatException($"'{text}' is no whole number from 1 up."));

    /// <summary>Makes the option that refuses flawed files.</summary>
    public static Option<bool> Strict() => new("--strict")
    {
        Description = "Refuse pictures with flaws that harm no pixel and that other readers pass over.",
    };

    /// <summary>The reading options with the limit that was given, or with the usual one where it is null.</summary>
    public static ImageReadOptions Read(long? maxPixels, bool strict) => new()
    {
        MaxPixels = maxPixels ?? ImageReadOptions.Default.MaxPixels,
        Strict = strict,
    };
}
