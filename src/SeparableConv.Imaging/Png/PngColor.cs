namespace SeparableConv.Imaging.Png;

/// <summary>PNG's colour types, numbered as in the file.</summary>
internal enum PngColor : byte
{
    Gray = 0,
    Rgb = 2,
    Palette = 3,
    GrayAlpha = 4,
    Rgba = 6,
}
