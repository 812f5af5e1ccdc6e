namespace SeparableConv.Networks;

/// <summary>MobileNet (Howard et al., 2017, arXiv:1704.04861), as Keras has it.</summary>
/// <remarks>
/// At width 1 and resolution 224, with 1000 classes: 568,740,352 multiply-accumulates and 4,253,864 parameters, moving statistics
/// included; with standard convolutions 4,867,293,184 multiply-accumulates.
/// </remarks>
public static class MobileNetV1
{
    private static readonly (int Filters, int Strides)[] Blocks =
    [
        (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
    ];

    /// <summary>Builds it: (N, resolution, resolution, 3) -> (N, classes), probabilities.</summary>
    /// <param name="width">What the number of filters of every layer is multiplied by; the papers' are 1, 0.75, 0.5 and 0.25.</param>
    /// <param name="resolution">Height and width of the image; the papers' are 224, 192, 160 and 128.</param>
    /// <param name="classes">Outputs.</param>
    /// <param name="convolutions">Standard puts one 3x3 convolution in place of each depthwise and the pointwise behind it.</param>
    /// <param name="seed">What the first weights are drawn from.</param>
    /// <param name="batchSize">N.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">A number is not positive, or the width leaves a layer without filters.</exception>
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
    /// <param name="width">What the number of filters of every layer is multiplied by.</param>
    /// <param name="classes">Outputs.</param>
    /// <param name="firstStrides">Of the first layer; 1 keeps small pictures, of 28 to 40 pixels, from shrinking to nothing.</param>
    /// <param name="convolutions">Standard puts one 3x3 convolution in place of each depthwise and the pointwise behind it.</param>
    /// <param name="seed">What the first weights are drawn from.</param>
    /// <param name="batchSize">N.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">A number is not positive, or the width leaves a layer without filters.</exception>
    public static Network Create(
        TensorShape picture,
        double width,
        int classes,
        int firstStrides = 2,
        Convolutions convolutions = Convolutions.Separable,
        int seed = 0,
        int batchSize = 1)
    {
        var net = new NetworkBuilder(seed);
        var x = net.Input(picture, batchSize);
        x = net.Conv2D(x, (int)(32 * width), 3, strides: firstStrides, padding: Padding.Same, useBias: false, name: "conv1");
        x = Normalized(net, x, "conv1");
        for (var i = 0; i < Blocks.Length; i++)
        {
            var (filters, strides) = ((int)(Blocks[i].Filters * width), Blocks[i].Strides);
            if (convolutions == Convolutions.Standard)
            {
                x = net.Conv2D(x, filters, 3, strides, Padding.Same, useBias: false, name: $"conv_{i + 1}");
                x = Normalized(net, x, $"conv_{i + 1}");
                continue;
            }

            x = net.DepthwiseConv2D(x, 3, strides, Padding.Same, useBias: false, name: $"conv_dw_{i + 1}");
            x = Normalized(net, x, $"conv_dw_{i + 1}");
            x = net.Conv2D(x, filters, 1, useBias: false, name: $"conv_pw_{i + 1}");
            x = Normalized(net, x, $"conv_pw_{i + 1}");
        }

        x = net.GlobalAveragePooling2D(x, keepDims: true);
        x = net.Dropout(x, 1e-3f);
        x = net.Conv2D(x, classes, 1, name: "conv_preds");
        x = net.Reshape(x, [classes]);
        x = net.Softmax(x, name: "predictions");
        return net.Build(x, FormattableString.Invariant($"mobilenet_{width:0.00}_{picture[0]}"));
    }

    private static Value Normalized(NetworkBuilder net, Value x, string name) =>
        net.ReLU(net.BatchNormalization(x, name: $"{name}_bn"), maxValue: 6, name: $"{name}_relu");
}
