namespace SeparableConv.Imaging.Png;

/// <summary>PNG's five row filters, numbered as in the file. x is a byte, a the one a pixel to the left, b above, c above a.</summary>
internal enum PngFilter : byte
{
    /// <summary>x.</summary>
    None = 0,

    /// <summary>x - a.</summary>
    Sub = 1,

    /// <summary>x - b.</summary>
    Up = 2,

    /// <summary>x - floor((a + b) / 2).</summary>
    Average = 3,

    /// <summary>x minus the one of a, b, c that is nearest to a + b - c; ties go to a, then b.</summary>
    Paeth = 4,
}
