namespace SeparableConv.Networks;

/// <content>The layer that convolves backwards.</content>
public sealed partial class NetworkBuilder
{
    /// <summary>
    /// Transposed convolution: each input position adds its channels times the kernel to the output from i*s - p on. The output is
    /// s*in long on an axis with padding "same", s*in + max(0, d*(k-1)+1 - s) with "valid".
    /// </summary>
    /// <param name="x">(N, inH, inW, C).</param>
    /// <param name="filters">Channels of the output, 1 or more.</param>
    /// <param name="kernelSize">Height and width of the kernel.</param>
    /// <param name="strides">Output positions from one input position to the next; 1 by default.</param>
    /// <param name="padding"><see cref="Padding.Valid"/>, the default, or <see cref="Padding.Same"/>.</param>
    /// <param name="dilationRate">Output positions from one kernel tap to the next; 1 by default.</param>
    /// <param name="activation">What is applied to each sum; none by default.</param>
    /// <param name="useBias">Whether each filter has a bias.</param>
    /// <param name="kernelInitializer">How the kernel (kH, kW, C, filters) begins.</param>
    /// <param name="name">The layer's name; <c>conv2d_transpose</c> and so on by default.</param>
    /// <returns>(N, outH, outW, filters).</returns>
    /// <exception cref="NetworkException">An argument is not positive, the padding is another, or the shapes do not fit.</exception>
    public Value Conv2DTranspose(
        Value x,
        int filters,
        Size2D kernelSize,
        Size2D? strides = null,
        Padding padding = default,
        Size2D? dilationRate = null,
        Activation? activation = null,
        bool useBias = true,
        Initializer kernelInitializer = Initializer.GlorotUniform,
        string? name = null)
    {
        const string Layer = "Conv2DTranspose";
        name = Name(name, "conv2d_transpose", Layer);
        var channels = Image(x, name, Layer)[3];
        CheckPositive(name, Layer, "filters", filters);
        if (padding.Mode is not (PaddingMode.Valid or PaddingMode.SameUpper))
            throw Refusal(name, Layer, $"padding is {padding}; it must be valid or same.");
        var options = Options(name, Layer, kernelSize, strides, padding, dilationRate, activation);
        var same = padding.Mode == PaddingMode.SameUpper;
        var rows = TransposedAxis(kernelSize.Height, options.Stride.Height, options.Dilation.Height, same);
        var columns = TransposedAxis(kernelSize.Width, options.Stride.Width, options.Dilation.Width, same);
        var op = new ConvTranspose2DOperator(
            options.Stride,
            options.Dilation,
            rows.Before,
            rows.After,
            columns.Before,
            columns.After,
            (rows.Extra, columns.Extra),
            groups: 1,
            options.Activation);
        var kernel = Weights(name, Layer, "kernel", kernelInitializer, [kernelSize.Height, kernelSize.Width, channels, filters]);
        return Append(name, op, x, kernel, Bias(name, useBias, filters));
    }

    // "Same" cuts off what the convolution in the other direction would have padded; a stride that reaches past the kernel leaves zeros.
    private static (int Before, int After, int Extra) TransposedAxis(int kernel, int stride, int dilation, bool same)
    {
        var extent = ((long)dilation * (kernel - 1)) + 1;
        var cut = same ? (int)Math.Max(0, Math.Min(int.MaxValue, extent - stride)) : 0;
        return (cut / 2, cut - (cut / 2), (int)Math.Max(0, stride - extent));
    }
}
