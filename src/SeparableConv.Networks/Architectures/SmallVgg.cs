using SeparableConv.Networks.Architectures;

namespace SeparableConv.Networks;

/// <summary>
/// Six 3x3 convolutions with batch normalization and ReLU, in pairs with max pooling between them: VGG's arrangement for small pictures,
/// and what <c>sepconv separate</c> is measured on.
/// </summary>
/// <remarks>
/// At 28x28x1 with 32 filters and 10 classes: 29,128,448 multiply-accumulates and 289,066 parameters, moving statistics included.
/// </remarks>
public static class SmallVgg
{
    private const int Blocks = 3;
    private const int LayersOfBlock = 2;

    /// <summary>Builds it: (N, height, width, channels) -> (N, classes), probabilities.</summary>
    /// <param name="picture">(height, width, channels).</param>
    /// <param name="filters">Filters of the first two convolutions; the next pairs have twice and four times as many.</param>
    /// <param name="classes">Outputs.</param>
    /// <param name="convolutions">Separable puts a SeparableConv2D in place of each convolution but the first.</param>
    /// <param name="depthMultiplier">Depthwise kernels a channel, of separable convolutions.</param>
    /// <param name="seed">What the first weights are drawn from.</param>
    /// <param name="batchSize">N.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">A number is not positive.</exception>
    public static Network Create(
        TensorShape picture,
        int filters = 32,
        int classes = 10,
        Convolutions convolutions = Convolutions.Standard,
        int depthMultiplier = 1,
        int seed = 0,
        int batchSize = 1)
    {
        var net = new NetworkBuilder(seed);
        var x = net.Input(picture, batchSize);
        for (var block = 0; block < Blocks; block++)
        {
            if (block > 0)
                x = net.MaxPooling2D(x, padding: Padding.Same, name: $"block{block + 1}_pool");
            for (var layer = 0; layer < LayersOfBlock; layer++)
            {
                var name = $"block{block + 1}_conv{layer + 1}";
                var kind = block + layer == 0 ? Convolutions.Standard : convolutions;
                x = ConvolutionLayer.Add(net, x, filters << block, kind, depthMultiplier, name);
                x = net.ReLU(net.BatchNormalization(x, name: $"{name}_bn"), name: $"{name}_relu");
            }
        }

        x = net.Dense(net.GlobalAveragePooling2D(x), classes, Activation.Softmax, name: "predictions");
        return net.Build(x, convolutions == Convolutions.Separable ? "small_separable_vgg" : "small_vgg");
    }
}
