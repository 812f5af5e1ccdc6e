namespace SeparableConv.Imaging.Vips;

/// <summary>VipsBandFormat, numbered as in libvips.</summary>
internal enum VipsFormat
{
    UChar = 0,
    Char = 1,
    UShort = 2,
    Short = 3,
    UInt = 4,
    Int = 5,
    Float = 6,
    Complex = 7,
    Double = 8,
    DoubleComplex = 9,
}
