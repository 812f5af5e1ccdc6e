namespace SeparableConv.Networks.Operators;

/// <summary>The checks and sizes that every convolution shares.</summary>
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

    /// <summary>An input that must be there.</summary>
    /// <exception cref="ArgumentException">It is not.</exception>
    public static TensorType Required(ReadOnlySpan<TensorType?> inputs, int index, string what) =>
        index < inputs.Length && inputs[index] is { } type ? type : throw new ArgumentException($"Input {index}, the {what}, is missing.");

    /// <summary>An input of a given element type and rank.</summary>
    /// <exception cref="ArgumentException">It is not there or is another.</exception>
    public static TensorType Required(ReadOnlySpan<TensorType?> inputs, int index, string what, ElementType element, int rank)
    {
        var type = Required(inputs, index, what);
        return type.Element == element && type.Shape.Rank == rank
            ? type
            : throw new ArgumentException(
                $"The {what} is {type}; expected {element.ToString().ToLowerInvariant()} with {rank} dimensions.");
    }

    /// <summary>Checks the bias, where there is one.</summary>
    /// <exception cref="ArgumentException">It is not one number an output channel.</exception>
    public static void CheckBias(ReadOnlySpan<TensorType?> inputs, int index, int outChannels, ElementType element)
    {
        if (index < inputs.Length && inputs[index] is { } bias
            && (bias.Element != element || bias.Shape.Rank != 1 || bias.Shape[0] != outChannels))
        {
            throw new ArgumentException(
                $"The bias is {bias}; expected {element.ToString().ToLowerInvariant()} ({outChannels}), one number an output channel.");
        }
    }
}
