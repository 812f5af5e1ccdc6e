namespace SeparableConv.Networks;

/// <summary>ResNet of basic blocks (He et al., 2015, arXiv:1512.03385): two standard 3x3 convolutions and a shortcut around them.</summary>
/// <remarks>
/// ResNet18 at 224 with 1000 classes: 1,814,073,344 multiply-accumulates and 11,699,112 parameters, of them 9,600 moving statistics.
/// </remarks>
public static class ResNet
{
    private static readonly int[] Filters = [64, 128, 256, 512];

    /// <summary>Builds it: (N, resolution, resolution, 3) -> (N, classes), probabilities.</summary>
    /// <param name="depth">Layers with weights, as the paper counts them: 18 or 34.</param>
    /// <param name="width">What the number of filters of every layer is multiplied by.</param>
    /// <param name="resolution">Height and width of the image.</param>
    /// <param name="classes">Outputs.</param>
    /// <param name="convolutions">Separable puts a SeparableConv2D in place of each 3x3 convolution.</param>
    /// <param name="seed">What the first weights are drawn from.</param>
    /// <param name="batchSize">N.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">The depth is another, or a number does not fit.</exception>
    public static Network Create(
        int depth = 18,
        double width = 1,
        int resolution = 224,
        int classes = 1000,
        Convolutions convolutions = Convolutions.Standard,
        int seed = 0,
        int batchSize = 1)
    {
        int[] blocks = depth switch
        {
            18 => [2, 2, 2, 2],
            34 => [3, 4, 6, 3],
            _ => throw new NetworkException($"ResNet has depth {depth}; there are 18 and 34."),
        };
        var net = new NetworkBuilder(seed);
        var x = net.Input(new(resolution, resolution, 3), batchSize);
        x = net.Conv2D(x, (int)(64 * width), 7, strides: 2, padding: Padding.Explicit(3, 3, 3, 3), useBias: false, name: "conv1");
        x = net.ReLU(net.BatchNormalization(x, 1e-5f, "conv1_bn"), name: "conv1_relu");
        x = net.MaxPooling2D(x, 3, strides: 2, padding: Padding.Explicit(1, 1, 1, 1));
        for (var stage = 0; stage < blocks.Length; stage++)
        {
            for (var i = 0; i < blocks[stage]; i++)
            {
                var strides = stage > 0 && i == 0 ? 2 : 1;
                x = Block(
                    net, x, $"stage{stage + 1}_block{i + 1}", (int)(Filters[stage] * width), strides, convolutions, useBias: false, 1e-5f);
            }
        }

        x = net.Dense(net.GlobalAveragePooling2D(x), classes, Activation.Softmax, name: "predictions");
        return net.Build(x, FormattableString.Invariant($"resnet{depth}_{width:0.00}_{resolution}"));
    }

    /// <summary>
    /// The ResNet8 of MLPerf Tiny for CIFAR-10's pictures: (N, 32, 32, 3) -> (N, classes), probabilities. 12,501,632
    /// multiply-accumulates and 78,666 parameters with 10 classes, moving statistics included.
    /// </summary>
    /// <param name="classes">Outputs.</param>
    /// <param name="convolutions">Separable puts a SeparableConv2D in place of each 3x3 convolution but the first.</param>
    /// <param name="seed">What the first weights are drawn from.</param>
    /// <param name="batchSize">N.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">A number is not positive.</exception>
    public static Network CreateTiny(int classes = 10, Convolutions convolutions = Convolutions.Standard, int seed = 0, int batchSize = 1)
    {
        var net = new NetworkBuilder(seed);
        var x = net.Input(new(32, 32, 3), batchSize);
        x = net.Conv2D(x, 16, 3, padding: Padding.Same, kernelInitializer: Initializer.HeUniform, name: "conv1");
        x = net.ReLU(net.BatchNormalization(x, name: "conv1_bn"), name: "conv1_relu");
        for (var stage = 0; stage < 3; stage++)
            x = Block(net, x, $"stage{stage + 1}", 16 << stage, stage == 0 ? 1 : 2, convolutions, useBias: true, 1e-3f);
        x = net.AveragePooling2D(x, 8);
        x = net.Dense(net.Flatten(x), classes, Activation.Softmax, name: "predictions");
        return net.Build(x, "resnet8");
    }

    private static Value Block(
        NetworkBuilder net, Value input, string name, int filters, int strides, Convolutions convolutions, bool useBias, float epsilon)
    {
        // What the paper's own code pads: one on each side, whatever the stride. With stride 2 "same" would put both after.
        var padding = useBias ? Padding.Same : Padding.Explicit(1, 1, 1, 1);
        var x = Convolution(input, strides, $"{name}_conv1");
        x = net.ReLU(net.BatchNormalization(x, epsilon, $"{name}_conv1_bn"), name: $"{name}_conv1_relu");
        x = net.BatchNormalization(Convolution(x, 1, $"{name}_conv2"), epsilon, $"{name}_conv2_bn");
        var shortcut = input;
        if (strides > 1 || input.Type.Shape[3] != filters)
        {
            shortcut = net.Conv2D(
                input, filters, 1, strides, useBias: useBias, kernelInitializer: Initializer.HeUniform, name: $"{name}_shortcut");

            // MLPerf Tiny's network does without a normalization here.
            shortcut = useBias ? shortcut : net.BatchNormalization(shortcut, epsilon, $"{name}_shortcut_bn");
        }

        return net.ReLU(net.Add([shortcut, x], name: $"{name}_add"), name: $"{name}_relu");

        Value Convolution(Value from, int step, string layer) => convolutions == Convolutions.Standard
            ? net.Conv2D(from, filters, 3, step, padding, useBias: useBias, kernelInitializer: Initializer.HeUniform, name: layer)
            : net.SeparableConv2D(
                from,
                filters,
                3,
                step,
                padding,
                useBias: useBias,
                depthwiseInitializer: Initializer.LecunUniform,
                pointwiseInitializer: Initializer.HeUniform,
                name: layer);
    }
}
