namespace SeparableConv.Networks.Operators;

/// <summary>The sizes that every convolution shares.</summary>
internal static class ConvShapes
{
    /// <summary>The sizes of a convolution of <paramref name="input"/> (N, inH, inW, C).</summary>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static ConvGeometry Geometry(TensorType input, Size2D kernel, int inChannels, int outChannels, ConvOptions options, int groups)
    {
        if (input.Shape.Rank != 4)
            throw new ArgumentException($"The input is {input}; expected 4 dimensions (N, height, width, {inChannels}).");
        if (input.Shape[3] != inChannels)
            throw new ArgumentException($"The input {input.Shape} has {input.Shape[3]} channels but the weights are for {inChannels}.");
        var size = new Size2D(input.Shape[1], input.Shape[2]);
        return ConvGeometry.Create(
            input.Shape[0], size, inChannels, outChannels, kernel, options.Stride, options.Dilation, options.Padding, groups);
    }

    /// <summary>The output's shape.</summary>
    public static TensorShape Output(in ConvGeometry g) => new(g.Batch, g.Rows.Out, g.Columns.Out, g.OutChannels);
}
