namespace SeparableConv.Networks.Operators;

/// <summary>Whether a reduction looks at all the pixels that one pixel of the output stands for.</summary>
internal enum ResizeAntialias
{
    /// <summary>No: at two in each direction.</summary>
    None,

    /// <summary>By a triangle as wide as 2/scale pixels; beyond the edge the edge pixel goes on.</summary>
    EdgeGoesOn,

    /// <summary>By the same triangle; what lies beyond the edge does not count. ONNX's exclude_outside; what Pillow and PyTorch do.</summary>
    ExcludeOutside,
}
