namespace SeparableConv.Loops;

/// <summary>How a standard convolution is computed.</summary>
internal enum StandardForm
{
    /// <summary>Whichever is faster for the image.</summary>
    Auto,

    /// <summary>Tap by tap: <see cref="StandardLoop"/>.</summary>
    Direct,

    /// <summary>By <see cref="WinogradLoop"/>, which must fit.</summary>
    Winograd,
}
