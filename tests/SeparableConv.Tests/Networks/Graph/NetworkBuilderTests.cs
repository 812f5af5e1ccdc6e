using System.Numerics.Tensors;

namespace SeparableConv.Tests.Networks;

public class NetworkBuilderTests
{
    [Fact]
    public void Layers_are_called_as_Keras_calls_them()
    {
        var net = new NetworkBuilder();
        var x = net.Input(new(8, 8, 3));
        x = net.Conv2D(x, 4, 3);
        x = net.Conv2D(x, 4, 3, name: "conv2d_2");
        x = net.Conv2D(x, 4, 1);
        x = net.SeparableConv2D(x, 4, 3);
        x = net.Conv2D(x, 4, 1);
        var network = net.Build(x, "named");
        Assert.Equal(
            ["conv2d", "conv2d_2", "conv2d_1", "separable_conv2d/depthwise", "separable_conv2d/pointwise", "conv2d_3"],
            network.Nodes.Select(node => node.Name));
        Assert.Equal(["conv2d/kernel", "conv2d/bias"], network.Nodes[0].Inputs.Skip(1).Select(value => value!.Name));
        Assert.Equal("input: float32 (1,8,8,3)", network.Inputs.Single().ToString());
    }

    [Fact]
    public void A_separable_layer_is_the_core_s_with_one_bias_and_one_activation()
    {
        var net = new NetworkBuilder(seed: 3);
        var y = net.SeparableConv2D(
            net.Input(new(9, 7, 5)), 6, (3, 2), 2, Padding.Same, depthMultiplier: 2, dilationRate: (1, 2), activation: Activation.ReLU6);
        var network = net.Build(y);
        var (depthwise, pointwise) = (network.Nodes[0], network.Nodes[1]);
        Assert.Null(depthwise.Inputs[2]);
        Assert.Equal((3 * 2 * 5 * 2) + (10 * 6) + 6, network.ParameterCount);

        var input = Tensor.Create(RandomData.Floats(9 * 7 * 5, 1), [1, 9, 7, 5]);
        var layer = new SeparableConv2D(
            depthwise.Inputs[1]!.Read<float>(),
            pointwise.Inputs[1]!.Read<float>(),
            new float[6],
            new() { Stride = 2, Dilation = (1, 2), Padding = Padding.Same, Activation = Activation.ReLU6 });
        using var session = new InferenceSession(network, new() { Threads = 1 });
        Assert.Equal(layer.Run(input), session.Run(input));
    }

    [Fact]
    public void First_weights_depend_on_the_seed_alone()
    {
        // The numbers themselves: they must be the same on every machine and stay so.
        var kernel = Kernel(0, 32).Read<float>();
        float[] some = [kernel[0, 0, 0, 0], kernel[0, 0, 0, 1], kernel[2, 2, 2, 31]];
        Assert.Equal(FirstWeights, some);
        Assert.Equal(Floats(Kernel(0, 32)), Floats(Kernel(0, 32)));
        Assert.NotEqual(Floats(Kernel(0, 32)), Floats(Kernel(1, 32)));

        static Value Kernel(int seed, int filters)
        {
            var net = new NetworkBuilder(seed);
            return net.Build(net.Conv2D(net.Input(new(8, 8, 3)), filters, 3)).Nodes[0].Inputs[1]!;
        }
    }

    private static readonly float[] FirstWeights = [0.0420797765f, 0.0555398166f, 0.12352407f];

    [Fact]
    public void First_weights_are_Glorot_uniform_or_He_uniform()
    {
        var net = new NetworkBuilder();
        var x = net.Input(new(8, 8, 64));
        CheckSpread(net.Conv2D(x, 32, 3), Math.Sqrt(6.0 / (9 * (64 + 32))));
        CheckSpread(net.Conv2D(x, 32, 3, kernelInitializer: Initializer.HeUniform), Math.Sqrt(6.0 / (9 * 64)));
        CheckSpread(net.Conv2D(x, 32, 3, groups: 2), Math.Sqrt(6.0 / (9 * (32 + 32))));
        CheckSpread(net.DepthwiseConv2D(x, 3, depthMultiplier: 2), Math.Sqrt(6.0 / (9 * (64 + 2))));
        CheckSpread(net.DepthwiseConv2D(x, 3, depthMultiplier: 2, depthwiseInitializer: Initializer.HeUniform), Math.Sqrt(6.0 / 9));
        CheckSpread(net.Conv2D(x, 32, 3, kernelInitializer: Initializer.LecunUniform), Math.Sqrt(3.0 / (9 * 64)));
        CheckSpread(net.Dense(x, 32), Math.Sqrt(6.0 / (64 + 32)));

        static void CheckSpread(Value layer, double limit)
        {
            var node = layer.Producer!;
            var weights = Floats(node.Inputs[1]!);
            Assert.InRange(weights.Max(), 0.95 * limit, limit);
            Assert.InRange(weights.Min(), -limit, -0.95 * limit);
            Assert.InRange(weights.Average(), -0.08 * limit, 0.08 * limit);
            Assert.All(Floats(node.Inputs[2]!), bias => Assert.Equal(0, bias));
        }
    }

    [Fact]
    public void Batch_normalization_begins_as_the_identity_and_all_four_vectors_count()
    {
        var net = new NetworkBuilder();
        var network = net.Build(net.BatchNormalization(net.Input(new(2, 2, 3)), epsilon: 1e-7f));
        Assert.Equal(12, network.ParameterCount);
        Assert.Equal(
            new[] { "gamma", "beta", "moving_mean", "moving_variance" }.Select(name => "batch_normalization/" + name),
            network.Nodes[0].Inputs.Skip(1).Select(value => value!.Name));
        var input = Tensor.Create(RandomData.Floats(12, 1), [1, 2, 2, 3]);
        var output = Run(network, input);
        for (var i = 0; i < 12; i++)
            Assert.Equal(Flat(input)[i], Flat(output)[i], 1e-6f);
    }

    [Fact]
    public void Shapes_are_Keras_s()
    {
        var net = new NetworkBuilder();
        var x = net.Input(new(7, 9, 4), batchSize: 2);
        Check("(2,4,5,8)", net.Conv2D(x, 8, 3, strides: 2, padding: Padding.Same));
        Check("(2,5,7,8)", net.Conv2D(x, 8, 3, groups: 4));
        Check("(2,3,9,4)", net.DepthwiseConv2D(x, (3, 1), strides: (2, 1)));
        Check("(2,14,18,8)", net.Conv2DTranspose(x, 8, 3, strides: 2, padding: Padding.Same));
        Check("(2,15,19,8)", net.Conv2DTranspose(x, 8, 3, strides: 2));
        Check("(2,21,27,8)", net.Conv2DTranspose(x, 8, 2, strides: 3));
        Check("(2,21,27,8)", net.Conv2DTranspose(x, 8, 2, strides: 3, padding: Padding.Same));
        Check("(2,3,4,4)", net.MaxPooling2D(x));
        Check("(2,4,5,4)", net.AveragePooling2D(x, 2, padding: Padding.Same));
        Check("(2,4)", net.GlobalAveragePooling2D(x));
        Check("(2,1,1,4)", net.GlobalMaxPooling2D(x, keepDims: true));
        Check("(2,252)", net.Flatten(x));
        Check("(2,9,28)", net.Reshape(x, [9, -1]));
        Check("(2,4,7,9)", net.Permute(x, [3, 1, 2]));
        Check("(2,9,11,4)", net.ZeroPadding2D(x));
        Check("(2,8,12,4)", net.ZeroPadding2D(x, 0, 1, 1, 2));
        Check("(2,7,9,8)", net.Concatenate([x, x]));
        Check("(2,14,9,4)", net.Concatenate([x, x], axis: 1));
        Check("(2,7,9,4)", net.Multiply([x, net.GlobalAveragePooling2D(x, keepDims: true), x]));
        Check("(2,7,9,10)", net.Dense(x, 10));
        Check("(2,7,9,4)", net.Dropout(net.Softmax(net.LeakyReLU(net.Activation(x, Activation.HardSwish))), 0.5f));

        static void Check(string shape, Value value) => Assert.Equal(shape, value.Type.Shape.ToString());
    }

    [Fact]
    public void A_layer_of_every_kind_computes_what_it_says()
    {
        var net = new NetworkBuilder();
        var x = net.Input(new(2, 2, 1));
        var sum = net.Add([x, x, x]);
        var most = net.Maximum([net.Multiply([x, x]), net.Subtract(sum, x)]);
        var padded = net.ZeroPadding2D(most, 1, 0, 0, 1);
        var outputs = net.Build(
            [sum, most, net.ReLU(padded, 5), net.MaxPooling2D(most), net.AveragePooling2D(most), net.Permute(most, [2, 1, 3])]);
        using var session = new InferenceSession(outputs, new() { Threads = 1 });
        Tensor.Create([1f, -2, 3, -4], [1, 2, 2, 1]).AsTensorSpan().CopyTo(session.Input<float>(0));
        session.Run();
        float[][] expected = [[3, -6, 9, -12], [2, 4, 9, 16], [0, 0, 0, 2, 4, 0, 5, 5, 0], [16], [7.75f], [2, 9, 4, 16]];
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(session.OutputBytes(i)).ToArray());
    }

    public static TheoryData<string, Action<NetworkBuilder, Value>> Refusals => new()
    {
        { "In node 'conv2d' (Conv2D): filters is 0; it must be at least 1.", (net, x) => net.Conv2D(x, 0, 3) },
        { "In node 'c' (Conv2D): kernelSize is 3x0; both sides must be at least 1.", (net, x) => net.Conv2D(x, 4, (3, 0), name: "c") },
        { "In node 'conv2d' (Conv2D): strides is 1x-1; both sides must be at least 1.", (net, x) => net.Conv2D(x, 4, 3, strides: (1, -1)) },
        {
            "In node 'conv2d' (Conv2D): dilationRate is 0x0; both sides must be at least 1.",
            (net, x) => net.Conv2D(x, 4, 3, dilationRate: 0)
        },
        {
            "In node 'conv2d' (Conv2D): groups is 3; the 4 channels of the input and the 6 filters must both be multiples of it.",
            (net, x) => net.Conv2D(x, 6, 3, groups: 3)
        },
        {
            "In node 'separable_conv2d' (SeparableConv2D): filters is -1; it must be at least 1.",
            (net, x) => net.SeparableConv2D(x, -1, 3)
        },
        {
            "In node 'separable_conv2d' (SeparableConv2D): depthMultiplier is 0; it must be at least 1.",
            (net, x) => net.SeparableConv2D(x, 4, 3, depthMultiplier: 0)
        },
        {
            "In node 'depthwise_conv2d' (DepthwiseConv2D): depthMultiplier is -2; it must be at least 1.",
            (net, x) => net.DepthwiseConv2D(x, 3, depthMultiplier: -2)
        },
        { "In node 'dense' (Dense): units is 0; it must be at least 1.", (net, x) => net.Dense(x, 0) },
        { "In node 'dropout' (Dropout): rate is 1.5; it must be between 0 and 1.", (net, x) => net.Dropout(x, 1.5f) },
        { "In node 're_lu' (ReLU): maxValue is NaN; it must be 0 or more.", (net, x) => net.ReLU(x, float.NaN) },
        { "In node 'add' (Add): there is 1 tensor; give at least 2.", (net, x) => net.Add([x]) },
        {
            "In node 'concatenate' (Concatenate): axis is 4; the input (1,8,8,4) has dimensions -4 to 3.",
            (net, x) => net.Concatenate([x, x], 4)
        },
        {
            "In node 'reshape' (Reshape): targetShape is (7,-1), the input (1,8,8,4) has 256 elements an image; both must have as many.",
            (net, x) => net.Reshape(x, [7, -1])
        },
        {
            "In node 'permute' (Permute): dims is (1,1,2); the input (1,8,8,4) needs each number from 1 to 3 once.",
            (net, x) => net.Permute(x, [1, 1, 2])
        },
        {
            "In node 'conv2d' (Conv2D): the input 'flatten' is float32 (1,256); expected 4 dimensions (N, height, width, channels).",
            (net, x) => net.Conv2D(net.Flatten(x), 4, 3)
        },
        {
            "In node 'input' (Activation): the name is taken; every layer needs its own.",
            (net, x) => net.Activation(x, Activation.ReLU, "input")
        },
        { "In node 'input_1' (Input): a length of the shape is 0; it must be at least 1.", (net, x) => net.Input(new(0, 2)) },
        {
            "In node 're_lu' (ReLU): 'input' comes from another builder; a network is built by one.",
            (net, x) => net.ReLU(new NetworkBuilder().Input(new(2)))
        },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void What_does_not_fit_is_refused_with_the_layer_s_name(string message, Action<NetworkBuilder, Value> build)
    {
        var net = new NetworkBuilder();
        var x = net.Input(new(8, 8, 4));
        Assert.Equal(message, Assert.Throws<NetworkException>(() => build(net, x)).Message);
    }

    [Fact]
    public void A_kernel_larger_than_the_image_is_refused_with_the_layer_s_name()
    {
        var net = new NetworkBuilder();
        var x = net.Input(new(2, 8, 4));
        var e = Assert.Throws<NetworkException>(() => net.SeparableConv2D(x, 4, 3, name: "block"));
        Assert.StartsWith("In node 'block/depthwise' (DepthwiseConv2D): ", e.Message);
    }

    private static float[] Floats(Value value) => Flat(value.Read<float>());

    private static float[] Flat(in ReadOnlyTensorSpan<float> tensor)
    {
        var floats = new float[tensor.FlattenedLength];
        tensor.FlattenTo(floats);
        return floats;
    }

    private static Tensor<float> Run(Network network, Tensor<float> input)
    {
        using var session = new InferenceSession(network, new() { Threads = 1 });
        return session.Run(input);
    }
}
