namespace SeparableConv.Networks.Operators;

/// <summary>How the pixels between pixels are made.</summary>
internal enum ResizeMode
{
    /// <summary>The nearest pixel's value.</summary>
    Nearest,

    /// <summary>Between the two nearest in each direction, by distance: bilinear.</summary>
    Linear,
}
