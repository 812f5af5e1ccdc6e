namespace SeparableConv.Networks;

/// <summary>
/// Xception (Chollet, 2017, arXiv:1610.02357), as Keras has it, in any size: residuals around pairs of separable convolutions.
/// </summary>
/// <remarks>
/// At width 1 and resolution 299, with 8 middle blocks and 1000 classes: 22,910,480 parameters, moving statistics included.
/// </remarks>
public static class Xception
{
    /// <summary>Builds it: (N, resolution, resolution, 3) -> (N, classes), probabilities.</summary>
    /// <param name="width">What the number of filters of every layer is multiplied by.</param>
    /// <param name="resolution">Height and width of the image, 71 or more in Keras.</param>
    /// <param name="classes">Outputs.</param>
    /// <param name="middleBlocks">Blocks of three separable convolutions between entry and exit.</param>
    /// <param name="convolutions">Standard puts one 3x3 convolution in place of each separable one.</param>
    /// <param name="seed">What the first weights are drawn from.</param>
    /// <param name="batchSize">N.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">
    /// A number is not positive, the width leaves a layer without filters, or the image is too small.
    /// </exception>
    public static Network Create(
        double width = 1,
        int resolution = 299,
        int classes = 1000,
        int middleBlocks = 8,
        Convolutions convolutions = Convolutions.Separable,
        int seed = 0,
        int batchSize = 1)
    {
        var net = new NetworkBuilder(seed);
        var x = net.Input(new(resolution, resolution, 3), batchSize);
        x = net.ReLU(net.BatchNormalization(net.Conv2D(x, Filters(32), 3, strides: 2, useBias: false, name: "block1_conv1")));
        x = net.ReLU(net.BatchNormalization(net.Conv2D(x, Filters(64), 3, useBias: false, name: "block1_conv2")));
        x = Shrinking(x, "block2", [Filters(128), Filters(128)], startsWithReLU: false);
        x = Shrinking(x, "block3", [Filters(256), Filters(256)], startsWithReLU: true);
        x = Shrinking(x, "block4", [Filters(728), Filters(728)], startsWithReLU: true);
        for (var i = 0; i < middleBlocks; i++)
        {
            var input = x;
            for (var j = 0; j < 3; j++)
                x = Separable(net.ReLU(x), Filters(728), $"block{i + 5}_sepconv{j + 1}");
            x = net.Add([x, input]);
        }

        x = Shrinking(x, $"block{middleBlocks + 5}", [Filters(728), Filters(1024)], startsWithReLU: true);
        x = net.ReLU(Separable(x, Filters(1536), $"block{middleBlocks + 6}_sepconv1"));
        x = net.ReLU(Separable(x, Filters(2048), $"block{middleBlocks + 6}_sepconv2"));
        x = net.Dense(net.GlobalAveragePooling2D(x), classes, Activation.Softmax, name: "predictions");
        return net.Build(x, FormattableString.Invariant($"xception_{width:0.00}_{resolution}"));

        int Filters(int full) => (int)(full * width);

        Value Separable(Value input, int filters, string name) => net.BatchNormalization(
            convolutions == Convolutions.Standard
                ? net.Conv2D(input, filters, 3, padding: Padding.Same, useBias: false, name: name)
                : net.SeparableConv2D(input, filters, 3, padding: Padding.Same, useBias: false, name: name),
            name: $"{name}_bn");

        Value Shrinking(Value input, string name, int[] filters, bool startsWithReLU)
        {
            var shortcut = net.BatchNormalization(net.Conv2D(input, filters[1], 1, strides: 2, padding: Padding.Same, useBias: false));
            var y = Separable(startsWithReLU ? net.ReLU(input) : input, filters[0], $"{name}_sepconv1");
            y = Separable(net.ReLU(y), filters[1], $"{name}_sepconv2");
            return net.Add([net.MaxPooling2D(y, 3, strides: 2, padding: Padding.Same, name: $"{name}_pool"), shortcut]);
        }
    }
}
