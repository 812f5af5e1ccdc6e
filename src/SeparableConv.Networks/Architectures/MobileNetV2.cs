using static SeparableConv.Networks.Architectures.FilterCounts;

namespace SeparableConv.Networks;

/// <summary>MobileNetV2 (Sandler et al., 2018, arXiv:1801.04381), as Keras has it: inverted residuals with linear bottlenecks.</summary>
/// <remarks>
/// At width 1 and resolution 224, with 1000 classes: 300,774,272 multiply-accumulates and 3,538,984 parameters, moving statistics
/// included.
/// </remarks>
public static class MobileNetV2
{
    private static readonly (int Expansion, int Filters, int Repeats, int Strides)[] Stages =
    [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ];

    /// <summary>Builds it: (N, resolution, resolution, 3) -> (N, classes), probabilities.</summary>
    /// <param name="width">
    /// What the number of filters is multiplied by, then rounded to a multiple of 8; the last layer's 1280 only grow.
    /// </param>
    /// <param name="resolution">Height and width of the image.</param>
    /// <param name="classes">Outputs.</param>
    /// <param name="convolutions">Standard puts one 3x3 convolution in place of each depthwise and the projection behind it.</param>
    /// <param name="seed">What the first weights are drawn from.</param>
    /// <param name="batchSize">N.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">A number is not positive.</exception>
    public static Network Create(
        double width = 1,
        int resolution = 224,
        int classes = 1000,
        Convolutions convolutions = Convolutions.Separable,
        int seed = 0,
        int batchSize = 1) =>
        Create(new TensorShape(resolution, resolution, 3), width, classes, 2, convolutions, seed, batchSize);

    /// <summary>Builds it for pictures of any size: (N, height, width, channels) -> (N, classes), probabilities.</summary>
    /// <param name="picture">(height, width, channels).</param>
    /// <param name="width">What the number of filters is multiplied by, then rounded to a multiple of 8.</param>
    /// <param name="classes">Outputs.</param>
    /// <param name="firstStrides">Of the first layer; 1 keeps small pictures, of 28 to 40 pixels, from shrinking to nothing.</param>
    /// <param name="convolutions">Standard puts one 3x3 convolution in place of each depthwise and the projection behind it.</param>
    /// <param name="seed">What the first weights are drawn from.</param>
    /// <param name="batchSize">N.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">A number is not positive.</exception>
    public static Network Create(
        TensorShape picture,
        double width,
        int classes,
        int firstStrides = 2,
        Convolutions convolutions = Convolutions.Separable,
        int seed = 0,
        int batchSize = 1)
    {
        if (!(width > 0 && width <= 100))
            throw new NetworkException(FormattableString.Invariant($"MobileNetV2 has width {width}; it must be above 0 and at most 100."));
        var net = new NetworkBuilder(seed);
        var x = net.Input(picture, batchSize);
        x = net.Conv2D(x, Rounded(32 * width), 3, strides: firstStrides, padding: Padding.Same, useBias: false, name: "Conv1");
        x = net.ReLU(net.BatchNormalization(x, name: "bn_Conv1"), 6, name: "Conv1_relu");
        var block = 0;
        foreach (var (expansion, filters, repeats, strides) in Stages)
        {
            for (var i = 0; i < repeats; i++)
                x = Block(net, x, block++, expansion, Rounded((int)(filters * width)), i == 0 ? strides : 1, convolutions);
        }

        x = net.Conv2D(x, width > 1 ? Rounded(1280 * width) : 1280, 1, useBias: false, name: "Conv_1");
        x = net.ReLU(net.BatchNormalization(x, name: "Conv_1_bn"), 6, name: "out_relu");
        x = net.GlobalAveragePooling2D(x);
        x = net.Dense(x, classes, Activation.Softmax, name: "predictions");
        return net.Build(x, FormattableString.Invariant($"mobilenetv2_{width:0.00}_{picture[0]}"));
    }

    private static Value Block(
        NetworkBuilder net, Value input, int index, int expansion, int filters, int strides, Convolutions convolutions)
    {
        var name = index == 0 ? "expanded_conv" : $"block_{index}";
        var channels = input.Type.Shape[3];
        var x = input;
        if (expansion > 1)
        {
            x = net.Conv2D(x, expansion * channels, 1, useBias: false, name: $"{name}_expand");
            x = net.ReLU(net.BatchNormalization(x, name: $"{name}_expand_BN"), 6, name: $"{name}_expand_relu");
        }

        if (convolutions == Convolutions.Standard)
            x = net.Conv2D(x, filters, 3, strides, Padding.Same, useBias: false, name: $"{name}_conv");
        else
        {
            x = net.DepthwiseConv2D(x, 3, strides, Padding.Same, useBias: false, name: $"{name}_depthwise");
            x = net.ReLU(net.BatchNormalization(x, name: $"{name}_depthwise_BN"), 6, name: $"{name}_depthwise_relu");
            x = net.Conv2D(x, filters, 1, useBias: false, name: $"{name}_project");
        }

        x = net.BatchNormalization(x, name: $"{name}_project_BN");
        return strides == 1 && channels == filters ? net.Add([input, x], name: $"{name}_add") : x;
    }
}
