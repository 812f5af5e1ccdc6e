namespace SeparableConv.Networks;

/// <summary>What a standard convolution of C channels, O filters and kH*kW taps is taken apart into.</summary>
public enum SeparationMethod
{
    /// <summary>For each layer the one of the others that costs least for its error, or none.</summary>
    Auto,

    /// <summary>
    /// Depthwise, then pointwise: each channel's taps as a few kernels of its own, then 1x1 across all of them. T kernels in all cost
    /// T*(kH*kW + O) multiplications a pixel. Exact at T = C*min(kH*kW, O).
    /// </summary>
    DepthwisePointwise,

    /// <summary>
    /// Pointwise, then depthwise: 1x1 to T channels a filter at the input's resolution, then a kernel for each. Exact at
    /// T = min(kH*kW, C) a filter.
    /// </summary>
    PointwiseDepthwise,

    /// <summary>kH x 1 to R channels, then 1 x kW to O. Exact at R = min(C*kH, O*kW). A dense layer becomes two.</summary>
    Spatial,

    /// <summary>Spatial, and each of the two convolutions as depthwise, then pointwise.</summary>
    SpatialDepthwise,
}
