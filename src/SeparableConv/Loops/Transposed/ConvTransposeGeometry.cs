namespace SeparableConv.Loops;

/// <summary>The sizes of a transposed convolution.</summary>
internal readonly record struct ConvTransposeGeometry(
    int Batch, Size2D Input, Size2D Output, Size2D Kernel, Size2D Stride, Size2D Dilation, int Top, int Left,
    int InChannels, int OutChannels, int Groups)
{
    /// <summary>The sizes; out = stride*(in-1) + outputPadding + dilation*(kernel-1) + 1 - before - after on each axis.</summary>
    /// <exception cref="ArgumentException">
    /// A size is not positive, the groups do not divide the channels, or the output would be empty or beyond an int.
    /// </exception>
    public static ConvTransposeGeometry Create(
        int batch,
        Size2D input,
        Size2D kernel,
        Size2D stride,
        Size2D dilation,
        (int Top, int Bottom, int Left, int Right) pads,
        Size2D outputPadding,
        int inChannels,
        int outChannels,
        int groups)
    {
        if (batch < 1 || input.Height < 1 || input.Width < 1 || inChannels < 1 || outChannels < 1)
            throw new ArgumentException(
                $"The input is ({batch},{input.Height},{input.Width},{inChannels}) and there are {outChannels} filters; "
                + "every number must be 1 or more.");
        if (kernel.Height < 1 || kernel.Width < 1 || stride.Height < 1 || stride.Width < 1 || dilation.Height < 1 || dilation.Width < 1)
            throw new ArgumentException(
                $"The kernel is {kernel}, the stride {stride} and the dilation {dilation}; every number must be 1 or more.");
        if (groups < 1 || inChannels % groups != 0 || outChannels % groups != 0)
            throw new ArgumentException(
                $"{groups} groups do not divide {inChannels} input channels and {outChannels} filters; choose a number that divides both.");
        return new(
            batch,
            input,
            (Length("height", input.Height, kernel.Height, stride.Height, dilation.Height, pads.Top, pads.Bottom, outputPadding.Height),
                Length("width", input.Width, kernel.Width, stride.Width, dilation.Width, pads.Left, pads.Right, outputPadding.Width)),
            kernel,
            stride,
            dilation,
            pads.Top,
            pads.Left,
            inChannels,
            outChannels,
            groups);
    }

    private static int Length(string axis, int input, int kernel, int stride, int dilation, int before, int after, int outputPadding)
    {
        // Before padding cuts it off; the loops' places, of which there may be one step more, fit an int too.
        var whole = ((long)stride * input) + ((long)dilation * kernel) + 1;
        var length = ((long)stride * (input - 1)) + outputPadding + ((long)dilation * (kernel - 1)) + 1 - before - after;
        return length is > 0 and <= int.MaxValue && whole <= int.MaxValue
            ? (int)length
            : throw new ArgumentException(
                $"The {axis} of the output would be {length}: stride {stride} * ({input} - 1) + output padding {outputPadding} "
                + $"+ dilation {dilation} * ({kernel} - 1) + 1 - padding {before} and {after}.");
    }
}
