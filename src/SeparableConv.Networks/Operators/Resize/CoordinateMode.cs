namespace SeparableConv.Networks.Operators;

/// <summary>Where pixel i of the output lies in the input, in ONNX's words; scale is output by input.</summary>
internal enum CoordinateMode
{
    /// <summary>(i + 0.5)/scale - 0.5: the centres of pixels lie half a pixel inside both images. TensorFlow's half_pixel_centers.</summary>
    HalfPixel,

    /// <summary><see cref="HalfPixel"/> with both images' centres on each other, where scale times input is no whole number.</summary>
    HalfPixelSymmetric,

    /// <summary><see cref="HalfPixel"/>, but 0 where the output has one pixel.</summary>
    PytorchHalfPixel,

    /// <summary>i*(input - 1)/(output - 1): the first and last pixels lie on each other.</summary>
    AlignCorners,

    /// <summary>i/scale: the first pixels lie on each other. TensorFlow's rule where nothing is said.</summary>
    Asymmetric,

    /// <summary>(i + 0.5)/scale: with <see cref="NearestRounding.Floor"/>, TensorFlow's nearest neighbour with half_pixel_centers.</summary>
    TfHalfPixelForNearest,
}
