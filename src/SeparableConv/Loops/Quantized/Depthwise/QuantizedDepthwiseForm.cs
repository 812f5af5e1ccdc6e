namespace SeparableConv.Loops;

/// <summary>How <see cref="QuantizedDepthwiseLoop"/> computes rows of an image that has as many channels as its output has.</summary>
internal abstract unsafe class QuantizedDepthwiseForm
{
    /// <summary>Computes some rows of some blocks of channels.</summary>
    /// <param name="image">The image: <see cref="ChannelBlocks.Channels"/> a pixel.</param>
    /// <param name="output">The first of the rows; as many a pixel.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="endRow">One past the last row.</param>
    /// <param name="firstBlock">The first block.</param>
    /// <param name="endBlock">One past the last block.</param>
    public abstract void Run(byte* image, byte* output, int firstRow, int endRow, int firstBlock, int endBlock);
}
