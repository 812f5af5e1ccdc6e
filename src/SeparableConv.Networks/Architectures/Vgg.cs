namespace SeparableConv.Networks;

/// <summary>VGG (Simonyan and Zisserman, 2014, arXiv:1409.1556): standard 3x3 convolutions and little else.</summary>
/// <remarks>VGG16 at 224 with 1000 classes: 15,470,264,320 multiply-accumulates and 138,357,544 parameters.</remarks>
public static class Vgg
{
    private static readonly int[] Filters = [64, 128, 256, 512, 512];

    /// <summary>Builds it: (N, resolution, resolution, 3) -> (N, classes), probabilities.</summary>
    /// <param name="depth">Layers with weights, as the paper counts them: 11, 13, 16 or 19.</param>
    /// <param name="width">What the number of filters of every layer is multiplied by.</param>
    /// <param name="resolution">Height and width of the image, 32 or more.</param>
    /// <param name="classes">Outputs.</param>
    /// <param name="denseUnits">Outputs of the two hidden dense layers; 0 puts global average pooling in their place.</param>
    /// <param name="convolutions">Separable puts a SeparableConv2D in place of each 3x3 convolution but the first.</param>
    /// <param name="seed">What the first weights are drawn from.</param>
    /// <param name="batchSize">N.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">The depth is another, or a number does not fit.</exception>
    public static Network Create(
        int depth = 16,
        double width = 1,
        int resolution = 224,
        int classes = 1000,
        int denseUnits = 4096,
        Convolutions convolutions = Convolutions.Standard,
        int seed = 0,
        int batchSize = 1)
    {
        int[] layers = depth switch
        {
            11 => [1, 1, 2, 2, 2],
            13 => [2, 2, 2, 2, 2],
            16 => [2, 2, 3, 3, 3],
            19 => [2, 2, 4, 4, 4],
            _ => throw new NetworkException($"VGG has depth {depth}; there are 11, 13, 16 and 19."),
        };

        // Nothing normalizes here: He's weights are what keeps numbers from shrinking on their way through the ReLUs.
        var net = new NetworkBuilder(seed);
        var x = net.Input(new(resolution, resolution, 3), batchSize);
        for (var block = 0; block < layers.Length; block++)
        {
            for (var i = 0; i < layers[block]; i++)
            {
                var (filters, name) = ((int)(Filters[block] * width), $"block{block + 1}_conv{i + 1}");
                x = convolutions == Convolutions.Standard || block + i == 0
                    ? net.Conv2D(
                        x,
                        filters,
                        3,
                        padding: Padding.Same,
                        activation: Activation.ReLU,
                        kernelInitializer: Initializer.HeUniform,
                        name: name)
                    : net.SeparableConv2D(
                        x,
                        filters,
                        3,
                        padding: Padding.Same,
                        activation: Activation.ReLU,
                        depthwiseInitializer: Initializer.LecunUniform,
                        pointwiseInitializer: Initializer.HeUniform,
                        name: name);
            }

            x = net.MaxPooling2D(x, name: $"block{block + 1}_pool");
        }

        if (denseUnits == 0)
            x = net.GlobalAveragePooling2D(x);
        else
        {
            x = net.Dense(net.Flatten(x), denseUnits, Activation.ReLU, kernelInitializer: Initializer.HeUniform, name: "fc1");
            x = net.Dense(x, denseUnits, Activation.ReLU, kernelInitializer: Initializer.HeUniform, name: "fc2");
        }

        x = net.Dense(x, classes, Activation.Softmax, name: "predictions");
        return net.Build(x, FormattableString.Invariant($"vgg{depth}_{width:0.00}_{resolution}"));
    }
}
