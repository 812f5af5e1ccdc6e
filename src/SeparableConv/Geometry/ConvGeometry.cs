namespace SeparableConv;

/// <summary>
/// The sizes of one convolution: the only place where output sizes, padding and border ranges are computed.
/// </summary>
/// <remarks>
/// Layout NHWC: input (N, inH, inW, C), output (N, outH, outW, O). Sizes follow TensorFlow and ONNX: valid gives
/// floor((in - dilation*(k-1) - 1)/stride) + 1, same gives ceil(in/stride).
/// </remarks>
/// <param name="Batch">N, 1 or more.</param>
/// <param name="InChannels">C, channels of the input.</param>
/// <param name="OutChannels">O, channels of the output.</param>
/// <param name="Groups">Groups that input and output channels are cut into; C for a depthwise convolution.</param>
/// <param name="Rows">The vertical axis.</param>
/// <param name="Columns">The horizontal axis.</param>
public readonly record struct ConvGeometry(
    int Batch, int InChannels, int OutChannels, int Groups, AxisGeometry Rows, AxisGeometry Columns)
{
    /// <summary>Height and width of the kernel.</summary>
    public Size2D Kernel => new(Rows.Kernel, Columns.Kernel);

    /// <summary>Height and width of the input.</summary>
    public Size2D Input => new(Rows.In, Columns.In);

    /// <summary>Height and width of the output.</summary>
    public Size2D Output => new(Rows.Out, Columns.Out);

    /// <summary>Whether any border of zeros is read.</summary>
    public bool IsPadded =>
        Rows.InteriorStart > 0 || Rows.InteriorEnd < Rows.Out || Columns.InteriorStart > 0 || Columns.InteriorEnd < Columns.Out;

    /// <summary>Whether each output pixel reads the input pixel in its place, all channels of it, and nothing else.</summary>
    internal bool IsPointwise =>
        Rows is { Kernel: 1, Stride: 1 } && Columns is { Kernel: 1, Stride: 1 } && Groups == 1 && !IsPadded;

    /// <summary>Computes the sizes of a convolution.</summary>
    /// <param name="batch">N, 1 or more.</param>
    /// <param name="input">Height and width of the input.</param>
    /// <param name="inChannels">Channels of the input.</param>
    /// <param name="outChannels">Channels of the output.</param>
    /// <param name="kernel">Height and width of the kernel.</param>
    /// <param name="stride">Stride of each axis.</param>
    /// <param name="dilation">Dilation of each axis.</param>
    /// <param name="padding">The border.</param>
    /// <param name="groups">Groups; divides both numbers of channels.</param>
    /// <returns>The sizes.</returns>
    /// <exception cref="ArgumentException">
    /// A size is not positive, the groups do not divide the channels, or the output would be empty.
    /// </exception>
    public static ConvGeometry Create(
        int batch, Size2D input, int inChannels, int outChannels, Size2D kernel,
        Size2D stride, Size2D dilation, Padding padding, int groups = 1)
    {
        if (batch <= 0)
            throw new ArgumentException($"The batch is {batch}; it must be at least 1.");
        if (inChannels <= 0)
            throw new ArgumentException($"The input has {inChannels} channels; it must have at least 1.");
        if (outChannels <= 0)
            throw new ArgumentException($"The convolution has {outChannels} filters; it must have at least 1.");
        if (groups <= 0)
            throw new ArgumentException($"The convolution has {groups} groups; it must have at least 1.");
        if (inChannels % groups != 0 || outChannels % groups != 0)
        {
            throw new ArgumentException(
                $"{groups} groups do not divide {inChannels} input channels and {outChannels} filters; choose a number that divides both.");
        }

        var rows = AxisGeometry.Create(
            "height", input.Height, kernel.Height, stride.Height, dilation.Height, padding.Mode, padding.Top, padding.Bottom);
        var columns = AxisGeometry.Create(
            "width", input.Width, kernel.Width, stride.Width, dilation.Width, padding.Mode, padding.Left, padding.Right);
        return new ConvGeometry(batch, inChannels, outChannels, groups, rows, columns);
    }
}
