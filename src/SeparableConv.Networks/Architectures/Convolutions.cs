namespace SeparableConv.Networks;

/// <summary>What the 3x3 layers of an architecture are made of.</summary>
public enum Convolutions
{
    /// <summary>Depthwise separable: a kernel a channel, then 1x1 across channels.</summary>
    Separable,

    /// <summary>Standard: every filter over all channels.</summary>
    Standard,
}
