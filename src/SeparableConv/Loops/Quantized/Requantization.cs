namespace SeparableConv.Loops;

/// <summary>How a 32-bit sum is brought to the scale of its output.</summary>
internal enum Requantization
{
    /// <summary>By a 31-bit mantissa and a shift, each rounded: TensorFlow Lite's reference kernels (<see cref="FixedPointMultiplier"/>).</summary>
    FixedPoint,

    /// <summary>By a float, rounded once, half to even: ONNX's QLinearConv.</summary>
    Float,

    /// <summary>Not at all: the output is the sums themselves, in 32 bits: ONNX's ConvInteger.</summary>
    None,
}
