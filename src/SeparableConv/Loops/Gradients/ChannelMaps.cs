namespace SeparableConv.Loops;

/// <summary>
/// What the numbers of a tensor go through when a layer reads them, so that they need not be stored a second time:
/// x = min(upper, max(lower, scale[c]*(z - center[c]) + shift[c])), a batch normalization and the activation behind it. Nothing where
/// <see cref="Scale"/> is null.
/// </summary>
internal unsafe struct ChannelMap
{
    public float* Scale;
    public float* Center;
    public float* Shift;
    public float Lower;
    public float Upper;

    public readonly bool IsPresent => Scale != null;
}

/// <summary>
/// How the gradient of a convolution's sums z comes from what is stored: dz = scale[c]*g + slope[c]*(z - center[c]) + offset[c], that of a
/// batch normalization behind the convolution. dz = g where <see cref="Scale"/> is null.
/// </summary>
internal unsafe struct GradientMap
{
    public float* Scale;
    public float* Slope;
    public float* Center;
    public float* Offset;

    public readonly bool IsPresent => Scale != null;
}

/// <summary>What the gradient of a convolution reads and writes. Tensors are dense, NHWC.</summary>
internal unsafe struct ConvGradientCall
{
    /// <summary>(N, inH, inW, C): what the convolution reads, before <see cref="InputMap"/>.</summary>
    public float* Input;

    public ChannelMap InputMap;

    /// <summary>(N, outH, outW, O).</summary>
    public float* OutputGradient;

    /// <summary>The convolution's sums, (N, outH, outW, O); read only where <see cref="OutputMap"/> is present.</summary>
    public float* Output;

    public GradientMap OutputMap;

    public float* Weights;

    /// <summary>
    /// (N, inH, inW, C), or null where it is not wanted: the gradient of scale*(z - center) + shift, 0 where the map clamps; that of the
    /// input where there is no map.
    /// </summary>
    public float* InputGradient;

    /// <summary>(C): the sums of <see cref="InputGradient"/> over all pixels. Only where <see cref="InputMap"/> is present.</summary>
    public float* ShiftGradient;

    /// <summary>(C): the sums of <see cref="InputGradient"/> times (z - center). Only where <see cref="InputMap"/> is present.</summary>
    public float* ScaleGradient;

    /// <summary>As the weights, or null where it is not wanted.</summary>
    public float* WeightGradient;
}
