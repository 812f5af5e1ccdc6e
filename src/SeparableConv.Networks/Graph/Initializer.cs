namespace SeparableConv.Networks;

/// <summary>The random numbers that a layer's weights start from. They are uniform between -limit and limit.</summary>
/// <remarks>
/// For weights (kH, kW, I, O) fanIn is kH*kW*I and fanOut is kH*kW*O. A depthwise kernel (kH, kW, C, M) has kH*kW numbers of the
/// input in each output, and that is its fanIn; Keras and so <see cref="GlorotUniform"/> count kH*kW*C and kH*kW*M there.
/// </remarks>
public enum Initializer
{
    /// <summary>limit = sqrt(6 / (fanIn + fanOut)): Keras's default. Keeps the size of what passes where nothing is cut off.</summary>
    GlorotUniform,

    /// <summary>limit = sqrt(6 / fanIn): keeps the size of what passes through layers that end in ReLU.</summary>
    HeUniform,

    /// <summary>limit = sqrt(3 / fanIn): keeps the size of what passes through layers without an activation.</summary>
    LecunUniform,
}
