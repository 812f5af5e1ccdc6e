namespace SeparableConv.Loops;

/// <summary>How the width of an image is cut, so that what a pass works on stays in the first-level cache.</summary>
internal static class Strip
{
    // Sixteen pixels of any type and number of channels are whole cache lines: strips begin on one where rows do.
    private const int Multiple = 16;

    /// <summary>The first pixel of a strip, 0 .. strips; a multiple of 16, but for the end of the last one.</summary>
    public static int Start(int strip, int strips, int width) =>
        strip == strips ? width : (int)((long)width * strip / strips) / Multiple * Multiple;

    /// <summary>How many strips a part of the width is cut into, so that none is wider than those of the whole.</summary>
    public static int Count(int strips, int width, int part) =>
        part == width ? strips : part <= Largest(strips, width) ? 1 : (part + (width / strips) - 1) / (width / strips);

    /// <summary>The most pixels that a strip can have.</summary>
    public static int Largest(int strips, int width) => strips == 1 ? width : (width / strips) + Multiple + 1;

    /// <summary>The fewest.</summary>
    public static int Smallest(int strips, int width) => strips == 1 ? width : (width / strips) - Multiple;
}
