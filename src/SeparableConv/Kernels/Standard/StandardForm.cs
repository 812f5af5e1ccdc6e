namespace SeparableConv.Kernels;

/// <summary>How a standard convolution is computed.</summary>
internal enum StandardForm
{
    /// <summary>Whichever is faster for the image.</summary>
    Auto,

    /// <summary>Tap by tap: <see cref="StandardKernel"/>.</summary>
    Direct,

    /// <summary>By <see cref="WinogradKernel"/>, which must fit.</summary>
    Winograd,
}
