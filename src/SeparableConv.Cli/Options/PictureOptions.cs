using System.CommandLine;
using System.Globalization;
using SeparableConv.Imaging;

namespace SeparableConv.Cli.Options;

/// <summary>How pictures are read, where several commands read them.</summary>
internal static class PictureOptions
{
    /// <summary>The limit against decompression bombs.</summary>
    public static Option<long?> MaxPixels() => OptionValues.Parsed<long?>(
        "--max-pixels",
        "N",
        $"The most pixels (width*height) a picture may have; larger ones are refused from their header. {ImageReadOptions.Default.MaxPixels} by default.",
        text => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0
            ? value
            : throw new FormatException($"'{text}' is no whole number from 1 up."));

    /// <summary>Reading with that limit.</summary>
    public static ImageReadOptions Read(long? maxPixels) =>
        maxPixels is null ? ImageReadOptions.Default : ImageReadOptions.Default with { MaxPixels = maxPixels.Value };
}
