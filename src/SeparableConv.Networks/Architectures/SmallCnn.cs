namespace SeparableConv.Networks;

/// <summary>
/// Three blocks of a 3x3 convolution, batch normalization and ReLU with max pooling between them: what a first training begins with.
/// </summary>
/// <remarks>
/// With 32 filters, 32x32x3 pictures and 10 classes: 14,538 parameters, moving statistics included; with standard convolutions 95,210.
/// </remarks>
public static class SmallCnn
{
    private const int Blocks = 3;

    /// <summary>Builds it: (N, height, width, channels) -> (N, classes), probabilities.</summary>
    /// <param name="picture">(height, width, channels).</param>
    /// <param name="filters">Filters of the first block; the second and third have twice and four times as many.</param>
    /// <param name="classes">Outputs.</param>
    /// <param name="convolutions">
    /// Separable puts a depthwise and a pointwise convolution, each with batch normalization and ReLU, in place of each 3x3 convolution
    /// but the first.
    /// </param>
    /// <param name="depthMultiplier">Depthwise kernels a channel, of separable convolutions.</param>
    /// <param name="seed">What the first weights are drawn from.</param>
    /// <param name="batchSize">N.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">A number is not positive.</exception>
    public static Network Create(
        TensorShape picture,
        int filters = 32,
        int classes = 10,
        Convolutions convolutions = Convolutions.Separable,
        int depthMultiplier = 1,
        int seed = 0,
        int batchSize = 1)
    {
        var net = new NetworkBuilder(seed);
        var x = net.Input(picture, batchSize);
        for (var block = 0; block < Blocks; block++)
        {
            var (name, isSeparable) = ($"block{block + 1}", block > 0 && convolutions == Convolutions.Separable);
            if (block > 0)
                x = net.MaxPooling2D(x, padding: Padding.Same, name: $"{name}_pool");
            if (isSeparable)
            {
                x = net.DepthwiseConv2D(
                    x, 3, padding: Padding.Same, depthMultiplier: depthMultiplier, useBias: false, name: $"{name}_depthwise");
                x = net.ReLU(net.BatchNormalization(x, name: $"{name}_depthwise_bn"), name: $"{name}_depthwise_relu");
            }

            x = net.Conv2D(
                x,
                filters << block,
                isSeparable ? 1 : 3,
                padding: Padding.Same,
                useBias: false,
                kernelInitializer: Initializer.HeUniform,
                name: $"{name}_conv");
            x = net.ReLU(net.BatchNormalization(x, name: $"{name}_bn"), name: $"{name}_relu");
        }

        x = net.Dense(net.GlobalAveragePooling2D(x), classes, Activation.Softmax, name: "predictions");
        return net.Build(x, convolutions == Convolutions.Separable ? "small_separable_cnn" : "small_cnn");
    }
}
