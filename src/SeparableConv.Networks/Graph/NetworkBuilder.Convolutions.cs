namespace SeparableConv.Networks;

/// <content>The layers that convolve.</content>
public sealed partial class NetworkBuilder
{
    /// <summary>
    /// Standard convolution: y[n,i,j,o] = activation(bias[o] + sum over u,v,c of x[n, i*s+u*d-p, j*s+v*d-p, c] * kernel[u,v,c,o]).
    /// A 1x1 kernel is a pointwise convolution.
    /// </summary>
    /// <param name="x">(N, inH, inW, C).</param>
    /// <param name="filters">Channels of the output, 1 or more.</param>
    /// <param name="kernelSize">Height and width of the kernel.</param>
    /// <param name="strides">Input positions from one output position to the next; 1 by default.</param>
    /// <param name="padding">The border of zeros; none by default.</param>
    /// <param name="dilationRate">Input positions from one kernel tap to the next; 1 by default. Any stride will do beside it.</param>
    /// <param name="groups">Groups that channels and filters are cut into; both must be multiples of it.</param>
    /// <param name="activation">What is applied to each sum; none by default.</param>
    /// <param name="useBias">Whether each filter has a bias.</param>
    /// <param name="kernelInitializer">How the kernel (kH, kW, C/groups, filters) begins.</param>
    /// <param name="name">The layer's name; <c>conv2d</c> and so on by default.</param>
    /// <returns>(N, outH, outW, filters).</returns>
    /// <exception cref="NetworkException">An argument is not positive, or the shapes do not fit.</exception>
    public Value Conv2D(
        Value x,
        int filters,
        Size2D kernelSize,
        Size2D? strides = null,
        Padding padding = default,
        Size2D? dilationRate = null,
        int groups = 1,
        Activation? activation = null,
        bool useBias = true,
        Initializer kernelInitializer = Initializer.GlorotUniform,
        string? name = null)
    {
        const string Layer = "Conv2D";
        name = Name(name, "conv2d", Layer);
        var channels = Image(x, name, Layer)[3];
        CheckPositive(name, Layer, "filters", filters);
        CheckPositive(name, Layer, "groups", groups);
        if (channels % groups != 0 || filters % groups != 0)
            throw Refusal(
                name,
                Layer,
                $"groups is {groups}; the {channels} channels of the input and the {filters} filters must both be multiples of it.");
        var options = Options(name, Layer, kernelSize, strides, padding, dilationRate, activation) with { Groups = groups };
        var kernel = Weights(name, Layer, "kernel", kernelInitializer, [kernelSize.Height, kernelSize.Width, channels / groups, filters]);
        return Append(name, new Conv2DOperator(options), x, kernel, Bias(name, useBias, filters));
    }

    /// <summary>
    /// Depthwise convolution, each channel by itself:
    /// y[n,i,j,c*M+m] = activation(bias[c*M+m] + sum over u,v of x[n, i*s+u*d-p, j*s+v*d-p, c] * kernel[u,v,c,m]).
    /// </summary>
    /// <param name="x">(N, inH, inW, C).</param>
    /// <param name="kernelSize">Height and width of the kernels.</param>
    /// <param name="strides">Input positions from one output position to the next; 1 by default. The two may differ.</param>
    /// <param name="padding">The border of zeros; none by default.</param>
    /// <param name="depthMultiplier">M, kernels a channel, 1 or more.</param>
    /// <param name="dilationRate">Input positions from one kernel tap to the next; 1 by default.</param>
    /// <param name="activation">What is applied to each sum; none by default.</param>
    /// <param name="useBias">Whether each output channel has a bias.</param>
    /// <param name="depthwiseInitializer">How the kernels (kH, kW, C, M) begin.</param>
    /// <param name="name">The layer's name; <c>depthwise_conv2d</c> and so on by default.</param>
    /// <returns>(N, outH, outW, C*M).</returns>
    /// <exception cref="NetworkException">An argument is not positive, or the shapes do not fit.</exception>
    public Value DepthwiseConv2D(
        Value x,
        Size2D kernelSize,
        Size2D? strides = null,
        Padding padding = default,
        int depthMultiplier = 1,
        Size2D? dilationRate = null,
        Activation? activation = null,
        bool useBias = true,
        Initializer depthwiseInitializer = Initializer.GlorotUniform,
        string? name = null)
    {
        const string Layer = "DepthwiseConv2D";
        name = Name(name, "depthwise_conv2d", Layer);
        var options = Options(name, Layer, kernelSize, strides, padding, dilationRate, activation);
        return Depthwise(x, name, name, Layer, "kernel", kernelSize, depthMultiplier, options, useBias, depthwiseInitializer);
    }

    /// <summary>
    /// Depthwise separable convolution: a depthwise step without bias and activation, then a 1x1 convolution with both. Stride,
    /// dilation and padding belong to the depthwise step. Two nodes: <c>name/depthwise</c> and <c>name/pointwise</c>.
    /// </summary>
    /// <param name="x">(N, inH, inW, C).</param>
    /// <param name="filters">Channels of the output, 1 or more.</param>
    /// <param name="kernelSize">Height and width of the depthwise kernels.</param>
    /// <param name="strides">Input positions from one output position to the next; 1 by default.</param>
    /// <param name="padding">The border of zeros; none by default.</param>
    /// <param name="depthMultiplier">M, depthwise kernels a channel, 1 or more.</param>
    /// <param name="dilationRate">Input positions from one kernel tap to the next; 1 by default.</param>
    /// <param name="activation">What is applied to each sum of the pointwise step; none by default.</param>
    /// <param name="useBias">Whether each filter has a bias; there is one only, after the pointwise step.</param>
    /// <param name="depthwiseInitializer">How the depthwise kernels (kH, kW, C, M) begin.</param>
    /// <param name="pointwiseInitializer">How the pointwise kernel (1, 1, C*M, filters) begins.</param>
    /// <param name="name">The layer's name; <c>separable_conv2d</c> and so on by default.</param>
    /// <returns>(N, outH, outW, filters).</returns>
    /// <exception cref="NetworkException">An argument is not positive, or the shapes do not fit.</exception>
    public Value SeparableConv2D(
        Value x,
        int filters,
        Size2D kernelSize,
        Size2D? strides = null,
        Padding padding = default,
        int depthMultiplier = 1,
        Size2D? dilationRate = null,
        Activation? activation = null,
        bool useBias = true,
        Initializer depthwiseInitializer = Initializer.GlorotUniform,
        Initializer pointwiseInitializer = Initializer.GlorotUniform,
        string? name = null)
    {
        const string Layer = "SeparableConv2D";
        name = Name(name, "separable_conv2d", Layer);
        CheckPositive(name, Layer, "filters", filters);
        var options = Options(name, Layer, kernelSize, strides, padding, dilationRate, null);
        var between = Depthwise(
            x,
            name,
            $"{name}/depthwise",
            Layer,
            "depthwise_kernel",
            kernelSize,
            depthMultiplier,
            options,
            useBias: false,
            depthwiseInitializer);
        var kernel = Weights(name, Layer, "pointwise_kernel", pointwiseInitializer, [1, 1, between.Shape[3], filters]);
        var pointwise = new Conv2DOperator(new() { Activation = activation ?? SeparableConv.Activation.None });
        return Append($"{name}/pointwise", pointwise, between, kernel, Bias(name, useBias, filters));
    }

    private static ConvOptions Options(
        string name, string layer, Size2D kernelSize, Size2D? strides, Padding padding, Size2D? dilationRate, Activation? activation)
    {
        CheckSize(name, layer, "kernelSize", kernelSize);
        CheckSize(name, layer, "strides", strides ?? 1);
        CheckSize(name, layer, "dilationRate", dilationRate ?? 1);
        return new ConvOptions
        {
            Stride = strides ?? 1,
            Dilation = dilationRate ?? 1,
            Padding = padding,
            Activation = activation ?? SeparableConv.Activation.None,
        };
    }

    private Value Depthwise(
        Value x,
        string name,
        string node,
        string layer,
        string what,
        Size2D kernelSize,
        int depthMultiplier,
        ConvOptions options,
        bool useBias,
        Initializer initializer)
    {
        var channels = Image(x, name, layer)[3];
        CheckPositive(name, layer, "depthMultiplier", depthMultiplier);
        var kernel = Weights(
            name, layer, what, initializer, [kernelSize.Height, kernelSize.Width, channels, depthMultiplier], isDepthwise: true);
        return Append(
            node,
            new DepthwiseConv2DOperator(options),
            x,
            kernel,
            Bias(name, useBias, Checked(name, layer, () => checked(channels * depthMultiplier))));
    }

    private Value? Bias(string name, bool useBias, int length) => useBias ? Vector(name, "bias", length, 0) : null;
}
