namespace SeparableConv.Imaging.Png;

/// <summary>A chunk's four letters as a big-endian number; only the chunks that matter to the pixels are named.</summary>
internal enum PngChunkType : uint
{
    Header = 0x49484452, // IHDR
    Palette = 0x504C5445, // PLTE
    Transparency = 0x74524E53, // tRNS
    Exif = 0x65584966, // eXIf
    Data = 0x49444154, // IDAT
    End = 0x49454E44, // IEND
}
