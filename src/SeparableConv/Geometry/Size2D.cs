namespace SeparableConv;

/// <summary>A pair of numbers, one for each spatial axis: a kernel size, a stride or a dilation.</summary>
/// <param name="Height">The number for the vertical axis.</param>
/// <param name="Width">The number for the horizontal axis.</param>
public readonly record struct Size2D(int Height, int Width)
{
    /// <summary>The same number for both axes.</summary>
    /// <param name="both">The number.</param>
    public static implicit operator Size2D(int both) => new(both, both);

    /// <summary>Height, then width.</summary>
    /// <param name="pair">The two numbers.</param>
    public static implicit operator Size2D((int Height, int Width) pair) => new(pair.Height, pair.Width);

    /// <summary>For example <c>3x5</c>.</summary>
    /// <returns>Height and width, an x between them.</returns>
    public override string ToString() => $"{Height}x{Width}";
}
