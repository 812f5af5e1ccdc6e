namespace SeparableConv.Loops;

/// <summary>A convolution that can compute some of its output rows by itself: what drivers that chain two of them need.</summary>
internal unsafe interface IRowLoop
{
    /// <summary>
    /// Computes output rows <paramref name="firstRow"/> up to <paramref name="endRow"/> of one image on the calling thread.
    /// </summary>
    /// <param name="image">The image's first float.</param>
    /// <param name="output">Where output row <paramref name="firstRow"/> begins.</param>
    /// <param name="outputPixelStride">Floats from one output pixel to the next; rows follow each other without a gap.</param>
    /// <param name="geometry">The sizes of the whole convolution.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="endRow">One past the last row.</param>
    void RunRows(float* image, float* output, nint outputPixelStride, in ConvGeometry geometry, int firstRow, int endRow);
}
