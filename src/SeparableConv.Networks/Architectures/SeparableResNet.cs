using SeparableConv.Networks.Architectures;

namespace SeparableConv.Networks;

/// <summary>
/// A 3x3 convolution in 32 channels, then residual blocks of depthwise separable convolutions in 64, 128 and 256 channels unless told
/// otherwise, for small pictures such as those of Fashion-MNIST and CIFAR-10.
/// </summary>
/// <remarks>
/// At 28x28x1 with 10 classes: 7,564,608 multiply-accumulates and 222,538 parameters, moving statistics included.
/// </remarks>
public static class SeparableResNet
{
    // Blocks of each stage. A block where the picture is large costs most and learns least; two in the middle stage won over
    // four stages of one block (docs/performance.md).
    private static readonly int[] Blocks = [1, 2, 1];

    /// <summary>
    /// Builds it: (N, height, width, channels) -> (N, classes), probabilities. A 3x3 convolution, then three stages of one, two and one
    /// block, each of two separable convolutions with a shortcut around them; max pooling halves the picture before every stage.
    /// </summary>
    /// <param name="picture">(height, width, channels); made for 28 or 32 pixels a side.</param>
    /// <param name="filters">Filters of the first convolution; each stage has twice as many as what is before it.</param>
    /// <param name="classes">Outputs.</param>
    /// <param name="convolutions">Standard puts one 3x3 convolution in place of each separable one.</param>
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
        x = net.Conv2D(
            x, filters, 3, padding: Padding.Same, useBias: false, kernelInitializer: Initializer.HeUniform, name: "stem");
        x = net.ReLU(net.BatchNormalization(x, name: "stem_bn"), name: "stem_relu");
        for (var stage = 0; stage < Blocks.Length; stage++)
        {
            x = net.MaxPooling2D(x, padding: Padding.Same, name: $"stage{stage + 1}_pool");
            for (var block = 0; block < Blocks[stage]; block++)
                x = Block(net, x, $"stage{stage + 1}_block{block + 1}", filters << (stage + 1), convolutions, depthMultiplier);
        }

        x = net.Dense(net.GlobalAveragePooling2D(x), classes, Activation.Softmax, name: "predictions");
        return net.Build(x, "separable_resnet");
    }

    private static Value Block(NetworkBuilder net, Value input, string name, int filters, Convolutions convolutions, int depthMultiplier)
    {
        var x = Convolution(input, $"{name}_conv1");
        x = Convolution(net.ReLU(x, name: $"{name}_conv1_relu"), $"{name}_conv2");
        var shortcut = input;
        if (input.Type.Shape[3] != filters)
        {
            shortcut = net.Conv2D(
                input, filters, 1, useBias: false, kernelInitializer: Initializer.HeUniform, name: $"{name}_shortcut");
            shortcut = net.BatchNormalization(shortcut, name: $"{name}_shortcut_bn");
        }

        return net.ReLU(net.Add([shortcut, x], name: $"{name}_add"), name: $"{name}_relu");

        Value Convolution(Value from, string layer) => net.BatchNormalization(
            ConvolutionLayer.Add(net, from, filters, convolutions, depthMultiplier, layer), name: $"{layer}_bn");
    }
}
