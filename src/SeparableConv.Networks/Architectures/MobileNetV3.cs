using static SeparableConv.Networks.Architectures.FilterCounts;

namespace SeparableConv.Networks;

/// <summary>
/// MobileNetV3 (Howard et al., 2019, arXiv:1905.02244), as Keras has it: inverted residuals whose channels are weighed by what the whole
/// image has (squeeze and excite), with the hard swish where the image is small.
/// </summary>
/// <remarks>
/// At width 1 and resolution 224, with 1000 classes: large 216,589,760 multiply-accumulates and 5,507,432 parameters, small 56,510,400 and
/// 2,554,968, moving statistics included.
/// </remarks>
public static class MobileNetV3
{
    private const float LastDropout = 0.2f;

    private static readonly Activation Gate = Activation.HardSigmoid(1f / 6);

    // Expansions are those that Keras multiplies the block's input by; the paper's tables have their products.
    private static readonly Bottleneck[] LargeBlocks =
    [
        new(1, 16, 3, 1, HasGate: false, IsSwish: false),
        new(4, 24, 3, 2, HasGate: false, IsSwish: false),
        new(3, 24, 3, 1, HasGate: false, IsSwish: false),
        new(3, 40, 5, 2, HasGate: true, IsSwish: false),
        new(3, 40, 5, 1, HasGate: true, IsSwish: false),
        new(3, 40, 5, 1, HasGate: true, IsSwish: false),
        new(6, 80, 3, 2, HasGate: false, IsSwish: true),
        new(2.5, 80, 3, 1, HasGate: false, IsSwish: true),
        new(2.3, 80, 3, 1, HasGate: false, IsSwish: true),
        new(2.3, 80, 3, 1, HasGate: false, IsSwish: true),
        new(6, 112, 3, 1, HasGate: true, IsSwish: true),
        new(6, 112, 3, 1, HasGate: true, IsSwish: true),
        new(6, 160, 5, 2, HasGate: true, IsSwish: true),
        new(6, 160, 5, 1, HasGate: true, IsSwish: true),
        new(6, 160, 5, 1, HasGate: true, IsSwish: true),
    ];

    private static readonly Bottleneck[] SmallBlocks =
    [
        new(1, 16, 3, 2, HasGate: true, IsSwish: false),
        new(72.0 / 16, 24, 3, 2, HasGate: false, IsSwish: false),
        new(88.0 / 24, 24, 3, 1, HasGate: false, IsSwish: false),
        new(4, 40, 5, 2, HasGate: true, IsSwish: true),
        new(6, 40, 5, 1, HasGate: true, IsSwish: true),
        new(6, 40, 5, 1, HasGate: true, IsSwish: true),
        new(3, 48, 5, 1, HasGate: true, IsSwish: true),
        new(3, 48, 5, 1, HasGate: true, IsSwish: true),
        new(6, 96, 5, 2, HasGate: true, IsSwish: true),
        new(6, 96, 5, 1, HasGate: true, IsSwish: true),
        new(6, 96, 5, 1, HasGate: true, IsSwish: true),
    ];

    private sealed record Bottleneck(double Expansion, int Filters, int Kernel, int Strides, bool HasGate, bool IsSwish);

    /// <summary>Builds the large one: (N, resolution, resolution, 3) -> (N, classes), probabilities.</summary>
    /// <param name="width">
    /// What the number of filters is multiplied by, then rounded to a multiple of 8; the first layer's 16 stay, the last's 1280 only grow.
    /// </param>
    /// <param name="resolution">Height and width of the image.</param>
    /// <param name="classes">Outputs.</param>
    /// <param name="convolutions">
    /// Standard puts one convolution of the same kernel in place of each depthwise and the expansion before it.
    /// </param>
    /// <param name="seed">What the first weights are drawn from.</param>
    /// <param name="batchSize">N.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">A number is not positive.</exception>
    public static Network CreateLarge(
        double width = 1,
        int resolution = 224,
        int classes = 1000,
        Convolutions convolutions = Convolutions.Separable,
        int seed = 0,
        int batchSize = 1) =>
        CreateLarge(new TensorShape(resolution, resolution, 3), width, classes, 2, convolutions, seed, batchSize);

    /// <summary>Builds the large one for pictures of any size: (N, height, width, channels) -> (N, classes), probabilities.</summary>
    /// <param name="picture">(height, width, channels).</param>
    /// <param name="width">What the number of filters is multiplied by, then rounded to a multiple of 8.</param>
    /// <param name="classes">Outputs.</param>
    /// <param name="firstStrides">Of the first layer; 1 keeps small pictures, of 28 to 40 pixels, from shrinking to nothing.</param>
    /// <param name="convolutions">
    /// Standard puts one convolution of the same kernel in place of each depthwise and the expansion before it.
    /// </param>
    /// <param name="seed">What the first weights are drawn from.</param>
    /// <param name="batchSize">N.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">A number is not positive.</exception>
    public static Network CreateLarge(
        TensorShape picture,
        double width,
        int classes,
        int firstStrides = 2,
        Convolutions convolutions = Convolutions.Separable,
        int seed = 0,
        int batchSize = 1) =>
        Create("large", LargeBlocks, 1280, picture, width, classes, firstStrides, convolutions, seed, batchSize);

    /// <summary>Builds the small one: (N, resolution, resolution, 3) -> (N, classes), probabilities.</summary>
    /// <param name="width">
    /// What the number of filters is multiplied by, then rounded to a multiple of 8; the first layer's 16 stay, the last's 1024 only grow.
    /// </param>
    /// <param name="resolution">Height and width of the image.</param>
    /// <param name="classes">Outputs.</param>
    /// <param name="convolutions">
    /// Standard puts one convolution of the same kernel in place of each depthwise and the expansion before it.
    /// </param>
    /// <param name="seed">What the first weights are drawn from.</param>
    /// <param name="batchSize">N.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NetworkException">A number is not positive.</exception>
    public static Network CreateSmall(
        double width = 1,
        int resolution = 224,
        int classes = 1000,
        Convolutions convolutions = Convolutions.Separable,
        int seed = 0,
        int batchSize = 1) =>
        CreateSmall(new TensorShape(resolution, resolution, 3), width, classes, 2, convolutions, seed, batchSize);

    /// <summary>Builds the small one for pictures of any size: (N, height, width, channels) -> (N, classes), probabilities.</summary>
    /// <inheritdoc cref="CreateLarge(TensorShape, double, int, int, Convolutions, int, int)"/>
    public static Network CreateSmall(
        TensorShape picture,
        double width,
        int classes,
        int firstStrides = 2,
        Convolutions convolutions = Convolutions.Separable,
        int seed = 0,
        int batchSize = 1) =>
        Create("small", SmallBlocks, 1024, picture, width, classes, firstStrides, convolutions, seed, batchSize);

    private static Network Create(
        string size,
        Bottleneck[] blocks,
        int lastFilters,
        TensorShape picture,
        double width,
        int classes,
        int firstStrides,
        Convolutions convolutions,
        int seed,
        int batchSize)
    {
        if (!(width > 0 && width <= 100))
            throw new NetworkException(FormattableString.Invariant($"MobileNetV3 has width {width}; it must be above 0 and at most 100."));
        var net = new NetworkBuilder(seed);
        var x = net.Input(picture, batchSize);
        x = net.Conv2D(x, 16, 3, strides: firstStrides, padding: Padding.Same, useBias: false, name: "conv");
        x = Normalized(net, x, "conv", Activation.HardSwish);
        for (var i = 0; i < blocks.Length; i++)
            x = Block(net, x, i == 0 ? "expanded_conv" : $"expanded_conv_{i}", blocks[i], Rounded(blocks[i].Filters * width), convolutions);

        x = net.Conv2D(x, Rounded(6 * x.Type.Shape[3]), 1, useBias: false, name: "conv_1");
        x = Normalized(net, x, "conv_1", Activation.HardSwish);
        x = net.GlobalAveragePooling2D(x, keepDims: true);
        x = net.Conv2D(x, width > 1 ? Rounded(lastFilters * width) : lastFilters, 1, activation: Activation.HardSwish, name: "conv_2");
        x = net.Dropout(x, LastDropout);
        x = net.Conv2D(x, classes, 1, name: "logits");
        x = net.Reshape(x, [classes]);
        x = net.Softmax(x, name: "predictions");
        return net.Build(x, FormattableString.Invariant($"mobilenetv3_{size}_{width:0.00}_{picture[0]}"));
    }

    private static Value Block(
        NetworkBuilder net, Value input, string name, Bottleneck block, int filters, Convolutions convolutions)
    {
        var channels = input.Type.Shape[3];
        var expanded = Rounded(channels * block.Expansion);
        var activation = block.IsSwish ? Activation.HardSwish : Activation.ReLU;
        var x = input;
        if (convolutions == Convolutions.Standard)
        {
            x = net.Conv2D(x, expanded, block.Kernel, block.Strides, Padding.Same, useBias: false, name: $"{name}_conv");
            x = Normalized(net, x, $"{name}_conv", activation);
        }
        else
        {
            if (block.Expansion > 1)
            {
                x = net.Conv2D(x, expanded, 1, useBias: false, name: $"{name}_expand");
                x = Normalized(net, x, $"{name}_expand", activation);
            }

            x = net.DepthwiseConv2D(x, block.Kernel, block.Strides, Padding.Same, useBias: false, name: $"{name}_depthwise");
            x = Normalized(net, x, $"{name}_depthwise", activation);
        }

        if (block.HasGate)
        {
            var gate = net.GlobalAveragePooling2D(x, keepDims: true, name: $"{name}_squeeze_excite_avg_pool");
            gate = net.Conv2D(gate, Rounded(expanded / 4.0), 1, activation: Activation.ReLU, name: $"{name}_squeeze_excite_conv");
            gate = net.Conv2D(gate, expanded, 1, activation: Gate, name: $"{name}_squeeze_excite_conv_1");
            x = net.Multiply([x, gate], name: $"{name}_squeeze_excite_mul");
        }

        x = net.BatchNormalization(net.Conv2D(x, filters, 1, useBias: false, name: $"{name}_project"), name: $"{name}_project_bn");
        return block.Strides == 1 && channels == filters ? net.Add([input, x], name: $"{name}_add") : x;
    }

    private static Value Normalized(NetworkBuilder net, Value x, string name, Activation activation) =>
        net.Activation(net.BatchNormalization(x, name: $"{name}_bn"), activation, name: $"{name}_activation");
}
