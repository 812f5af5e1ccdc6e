namespace SeparableConv.Imaging.Png;

/// <summary>Which pixels a pass holds: those at (startX + i * stepX, startY + j * stepY).</summary>
internal readonly record struct PngPass(int StartX, int StartY, int StepX, int StepY)
{
    private static readonly PngPass[] Whole = [new(0, 0, 1, 1)];

    private static readonly PngPass[] Adam7 =
    [
        new(0, 0, 8, 8), new(4, 0, 8, 8), new(0, 4, 4, 8), new(2, 0, 4, 4), new(0, 2, 2, 4), new(1, 0, 2, 2), new(0, 1, 1, 2),
    ];

    /// <summary>The passes in the order of the file: one, or Adam7's seven.</summary>
    public static ReadOnlySpan<PngPass> All(bool interlaced) => interlaced ? Adam7 : Whole;

    /// <summary>Columns and rows of the pass; (0, 0) where a small picture has none, for such a pass is not in the file.</summary>
    public (int Width, int Height) SizeIn(int width, int height)
    {
        if (width <= StartX || height <= StartY)
            return (0, 0);

        // Written without an addition that could pass 2^31 - 1.
        return ((width - StartX - 1) / StepX + 1, (height - StartY - 1) / StepY + 1);
    }
}
