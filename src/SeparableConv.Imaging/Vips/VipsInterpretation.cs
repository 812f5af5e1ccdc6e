namespace SeparableConv.Imaging.Vips;

/// <summary>VipsInterpretation, numbered as in libvips: what a picture's channels mean. Only those whose channels are taken as they are.</summary>
internal enum VipsInterpretation
{
    Multiband = 0,
    Gray = 1,
    Rgb = 17,
    Srgb = 22,
    Rgb16 = 25,
    Gray16 = 26,
    ScRgb = 28,
}
