namespace SeparableConv.Networks;

/// <summary>
/// DS-CNN for keyword spotting (Zhang et al., 2017, arXiv:1711.07128) in the size of MLPerf Tiny: 49 frames of 10 features.
/// </summary>
/// <remarks>With 64 channels and 12 classes: 2,656,768 multiply-accumulates and 24,908 parameters, moving statistics included.</remarks>
public static class DsCnn
{
    /// <summary>Builds it: (N, 49, 10, 1) -> (N, classes), probabilities.</summary>
    /// <param name="channels">Filters of every layer.</param>
    /// <param name="classes">Outputs: words, silence and unknown.</param>
    /// <param name="convolutions">Standard puts one 3x3 convolution in place of each depthwise and the pointwise behind it.</param>
    /// <param name="seed">What the first weights are drawn from.</param>
    /// <param name="batchSize">N.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">A number is not positive.</exception>
    public static Network Create(
        int channels = 64, int classes = 12, Convolutions convolutions = Convolutions.Separable, int seed = 0, int batchSize = 1) =>
        Create(new TensorShape(49, 10, 1), channels, classes, convolutions, seed, batchSize);

    /// <summary>Builds it for another size: (N, height, width, channels) -> (N, classes), probabilities.</summary>
    /// <param name="picture">(height, width, channels): frames and features, or any picture.</param>
    /// <param name="channels">Filters of every layer.</param>
    /// <param name="classes">Outputs.</param>
    /// <param name="convolutions">Standard puts one 3x3 convolution in place of each depthwise and the pointwise behind it.</param>
    /// <param name="seed">What the first weights are drawn from.</param>
    /// <param name="batchSize">N.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">A number is not positive.</exception>
    public static Network Create(
        TensorShape picture,
        int channels,
        int classes,
        Convolutions convolutions = Convolutions.Separable,
        int seed = 0,
        int batchSize = 1)
    {
        var net = new NetworkBuilder(seed);
        var x = net.Input(picture, batchSize);
        x = net.Conv2D(x, channels, (10, 4), strides: 2, padding: Padding.Same);
        x = net.Dropout(net.ReLU(net.BatchNormalization(x)), 0.2f);
        for (var block = 0; block < 4; block++)
        {
            if (convolutions == Convolutions.Separable)
            {
                x = net.DepthwiseConv2D(x, 3, padding: Padding.Same);
                x = net.ReLU(net.BatchNormalization(x));
            }

            x = net.Conv2D(x, channels, convolutions == Convolutions.Separable ? 1 : 3, padding: Padding.Same);
            x = net.ReLU(net.BatchNormalization(x));
        }

        x = net.Dropout(x, 0.4f);
        x = net.AveragePooling2D(x, (x.Type.Shape[1], x.Type.Shape[2]));
        x = net.Dense(net.Flatten(x), classes, Activation.Softmax);
        return net.Build(x, "ds_cnn");
    }
}
