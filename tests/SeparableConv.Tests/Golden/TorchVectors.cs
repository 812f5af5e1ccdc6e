using System.Numerics.Tensors;

namespace SeparableConv.Tests.Golden;

/// <summary>
/// What PyTorch computed (training.safetensors, made by make_training.py), and the networks that it computed it of, with its weights.
/// Tensors are turned from PyTorch's layouts into ours as they are read.
/// </summary>
internal static class TorchVectors
{
    /// <summary>Of each small network.</summary>
    public const int Batch = 6;

    /// <summary>Of each network.</summary>
    public const int Classes = 5;

    /// <summary>PyTorch's usual epsilon; the builder's is Keras's.</summary>
    private const float Epsilon = 1e-5f;

    private static readonly Lazy<SafetensorsFile> File = new(() => SafetensorsFile.Load(TestFiles.Golden("training.safetensors")));

    /// <summary>Numbers in float32, in PyTorch's layout.</summary>
    public static float[] Floats(string name) => (float[])File.Value.Tensors[name].Values;

    /// <summary>Numbers in double precision.</summary>
    public static double[] Doubles(string name) => (double[])File.Value.Tensors[name].Values;

    /// <summary>Classes, or counts.</summary>
    public static int[] Wholes(string name) => (int[])File.Value.Tensors[name].Values;

    /// <summary>Pictures (N, C, H, W) as (N, H, W, C).</summary>
    public static float[] Pictures(string name) => Transposed(File.Value.Tensors[name], 0, 2, 3, 1);

    /// <summary>
    /// A stored tensor in the layout of a value of ours: kernels (O, I, kH, kW) -> (kH, kW, I, O), depthwise kernels (C, 1, kH, kW) ->
    /// (kH, kW, C, 1), matrices (out, in) -> (in, out), rows as they are.
    /// </summary>
    public static float[] Like(Value value, string name)
    {
        var (tensor, shape) = (File.Value.Tensors[name], value.Shape);
        var isDepthwise = shape.Rank == 4 && shape[3] == 1;
        var turned = shape.Rank switch
        {
            4 => isDepthwise ? Transposed(tensor, 2, 3, 0, 1) : Transposed(tensor, 2, 3, 1, 0),
            2 => Transposed(tensor, 1, 0),
            _ => Floats(name),
        };
        Assert.Equal(shape.ElementCount, turned.Length);
        return turned;
    }

    /// <summary>The network of a name, with the weights that PyTorch began with.</summary>
    public static Network Network(string name)
    {
        var network = name switch
        {
            "v1" => MobileNetV1(),
            "v2" => MobileNetV2(),
            "residual" => Residual(),
            "optimizer" => Mlp(),
            _ => throw new ArgumentException($"There is no network '{name}'."),
        };
        foreach (var value in network.Parameters)
            Like(value, $"{name}/before/{value.Name}").CopyTo(value.Data!.Values, 0);
        return network;
    }

    /// <summary>How far a gradient is from PyTorch's, relative to its largest number.</summary>
    /// <remarks>
    /// A shift in front of a linear convolution and another normalization changes nothing: its gradient is 0 but for rounding, and is
    /// measured by that of the scale beside it.
    /// </remarks>
    public static double GradientError(string network, Value parameter, ReadOnlySpan<float> actual)
    {
        var expected = Like(parameter, $"{network}/gradient/{parameter.Name}");
        if (Largest(expected) > 1e-12)
            return RelativeError(expected, actual);
        Assert.EndsWith("_bn/beta", parameter.Name, StringComparison.Ordinal);
        var scale = Floats($"{network}/gradient/{parameter.Name.Replace("/beta", "/gamma", StringComparison.Ordinal)}");
        return Difference(expected, actual) / Largest(scale);
    }

    /// <summary>The largest difference of two tensors over the largest number of the one that is right.</summary>
    public static double RelativeError(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.True(Largest(expected) > 0, "PyTorch's tensor is zero; it says nothing.");
        return Difference(expected, actual) / Largest(expected);
    }

    private static double Largest(ReadOnlySpan<float> numbers) => Math.Abs(TensorPrimitives.MaxMagnitude(numbers));

    // NaN where one is NaN, which is within no bound.
    private static double Difference(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        var difference = 0.0;
        for (var i = 0; i < expected.Length; i++)
            difference = Math.Max(difference, Math.Abs((double)expected[i] - actual[i]));
        return difference;
    }

    private static Network MobileNetV1()
    {
        var net = new NetworkBuilder();
        var x = net.Input(new(16, 16, 3), Batch);
        x = net.ReLU(Normalized(net, Conv(net, x, 8, 3, "conv", stride: 2)), 6);
        var blocks = new[] { (16, 3, 1), (24, 5, 2), (32, 3, 1) };
        for (var i = 0; i < blocks.Length; i++)
        {
            var (channels, size, stride) = blocks[i];
            x = net.ReLU(Normalized(net, Depthwise(net, x, size, stride, $"dw{i}")), 6);
            x = net.ReLU(Normalized(net, Conv(net, x, channels, 1, $"pw{i}")));
        }

        return net.Build(net.Dense(net.GlobalAveragePooling2D(x), Classes, name: "dense"));
    }

    private static Network MobileNetV2()
    {
        var net = new NetworkBuilder();
        var x = net.Input(new(16, 16, 3), Batch);
        x = net.ReLU(Normalized(net, Conv(net, x, 8, 3, "conv", stride: 2)), 6);
        var blocks = new[] { (8, 1), (12, 2) };
        for (var i = 0; i < blocks.Length; i++)
        {
            var (channels, stride) = blocks[i];
            var y = net.ReLU(Normalized(net, Conv(net, x, 24, 1, $"expand{i}")), 6);
            y = net.ReLU(Normalized(net, Depthwise(net, y, 3, stride, $"dw{i}")), 6);
            y = Normalized(net, Conv(net, y, channels, 1, $"project{i}"));
            x = x.Shape == y.Shape ? net.Add([x, y]) : y;
        }

        x = net.ReLU(Normalized(net, Conv(net, x, 20, 1, "head")), 6);
        return net.Build(net.Dense(net.GlobalAveragePooling2D(x), Classes, name: "dense"));
    }

    private static Network Residual()
    {
        var net = new NetworkBuilder();
        var x = net.Input(new(16, 16, 3), Batch);
        x = net.Activation(Conv(net, x, 8, 3, "conv", hasBias: true), Activation.PReLU(new float[8]), name: "prelu");
        x = net.MaxPooling2D(x, 2);
        var y = net.ReLU(Normalized(net, Conv(net, x, 8, 3, "first")));
        x = net.ReLU(net.Add([x, Normalized(net, Conv(net, y, 8, 3, "second"))]));
        x = net.Dropout(net.GlobalAveragePooling2D(x), 0);
        return net.Build(net.Dense(x, Classes, name: "dense"));
    }

    private static Network Mlp()
    {
        var net = new NetworkBuilder();
        var x = net.Input(new(6), batchSize: 8);
        x = net.Activation(net.Dense(x, 9, name: "hidden"), Activation.PReLU(new float[9]), name: "prelu");
        return net.Build(net.Dense(x, Classes, name: "dense"));
    }

    // PyTorch's padding is the same on all sides; "same" of an even side and stride 2 is not.
    private static Value Conv(NetworkBuilder net, Value x, int filters, int size, string name, int stride = 1, bool hasBias = false) =>
        net.Conv2D(x, filters, size, stride, Around(size), useBias: hasBias, name: name);

    private static Value Depthwise(NetworkBuilder net, Value x, int size, int stride, string name) =>
        net.DepthwiseConv2D(x, size, stride, Around(size), useBias: false, name: name);

    private static Padding Around(int size) => Padding.Explicit(size / 2, size / 2, size / 2, size / 2);

    private static Value Normalized(NetworkBuilder net, Value x) => net.BatchNormalization(x, Epsilon, $"{x.Producer!.Name}_bn");

    private static float[] Transposed(TensorData tensor, params int[] order)
    {
        var (source, shape) = ((float[])tensor.Values, tensor.Type.Shape);
        Assert.Equal(order.Length, shape.Rank);
        var strides = new int[order.Length];
        for (int axis = order.Length - 1, stride = 1; axis >= 0; stride *= shape[axis], axis--)
            strides[axis] = stride;
        var result = new float[source.Length];
        for (var at = 0; at < result.Length; at++)
        {
            var (rest, from) = (at, 0);
            for (var axis = order.Length - 1; axis >= 0; axis--)
            {
                (rest, var index) = Math.DivRem(rest, shape[order[axis]]);
                from += index * strides[order[axis]];
            }

            result[at] = source[from];
        }

        return result;
    }
}
