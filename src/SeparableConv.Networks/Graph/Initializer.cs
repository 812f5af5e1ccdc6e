namespace SeparableConv.Networks;

/// <summary>
/// The random numbers that a layer's weights start from, by Keras's names: uniform between -limit and limit, or normal around 0 and cut at
/// two standard deviations.
/// </summary>
/// <remarks>
/// What is cut off makes a normal distribution narrower: it is drawn with sigma = deviation / 0.87962566103423978, so that the weights have
/// the deviation. Largest is a weight of 2 sigma.
///
/// For weights (kH, kW, I, O) fanIn is kH*kW*I and fanOut is kH*kW*O. A depthwise kernel (kH, kW, C, M) has kH*kW numbers of the
/// input in each output, and that is its fanIn; Keras and so the Glorot initializers count kH*kW*C and kH*kW*M there.
/// </remarks>
public enum Initializer
{
    /// <summary>limit = sqrt(6 / (fanIn + fanOut)): Keras's default. Keeps the size of what passes where nothing is cut off.</summary>
    GlorotUniform,

    /// <summary>limit = sqrt(6 / fanIn): keeps the size of what passes through layers that end in ReLU.</summary>
    HeUniform,

    /// <summary>limit = sqrt(3 / fanIn): keeps the size of what passes through layers without an activation.</summary>
    LecunUniform,

    /// <summary>deviation = sqrt(2 / (fanIn + fanOut)), normal: that of <see cref="GlorotUniform"/>.</summary>
    GlorotNormal,

    /// <summary>deviation = sqrt(2 / fanIn), normal: that of <see cref="HeUniform"/>.</summary>
    HeNormal,

    /// <summary>deviation = sqrt(1 / fanIn), normal: that of <see cref="LecunUniform"/>.</summary>
    LecunNormal,
}
