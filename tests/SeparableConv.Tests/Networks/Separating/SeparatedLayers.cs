using System.Numerics.Tensors;
using SeparableConv.Networks.Separating;

namespace SeparableConv.Tests.Networks.Separating;

/// <summary>Layers to take apart, and how they are run.</summary>
internal static class SeparatedLayers
{
    /// <summary>Any geometry of a standard convolution, with a bias.</summary>
    public static IEnumerable<object[]> Geometries()
    {
        (int Channels, int Filters, int Groups, Size2D Kernel, Size2D Stride, Size2D Dilation, Padding Padding)[] all =
        [
            (3, 8, 1, 3, 1, 1, Padding.Same),
            (16, 16, 1, 3, 1, 1, Padding.Same),
            (17, 5, 1, 3, 2, 1, Padding.Explicit(1, 0, 2, 1)),
            (5, 33, 1, (2, 4), (1, 3), 1, Padding.Valid),
            (8, 12, 4, 3, 2, 1, Padding.Same),
            (6, 4, 2, 5, 1, 1, Padding.SameLower),
            (7, 9, 1, 3, 1, (2, 1), Padding.Explicit(2, 2, 1, 1)),
            (4, 6, 1, (1, 5), 1, 1, Padding.Same),
            (4, 6, 1, (5, 1), (2, 1), (1, 1), Padding.Same),
            (2, 3, 1, 7, 1, 1, Padding.Same),
            (9, 2, 1, 3, 3, 2, Padding.Explicit(3, 1, 0, 2)),
        ];
        return all.Select(one => new object[]
        {
            one.Channels, one.Filters, one.Groups, one.Kernel, one.Stride, one.Dilation, one.Padding,
        });
    }

    /// <summary>A network of one convolution with random weights.</summary>
    public static StandardLayer Create(
        int channels, int filters, int groups, Size2D kernel, Size2D stride, Size2D dilation, Padding padding, int side = 11)
    {
        var graph = new GraphBuilder();
        var x = graph.Input("input", new(ElementType.Float32, new TensorShape(1, side, side + 2, channels)));
        var shape = new TensorShape(kernel.Height, kernel.Width, channels / groups, filters);
        var weights = new TensorData(new(ElementType.Float32, shape), RandomData.Floats((int)shape.ElementCount, 2));
        var options = new ConvOptions { Stride = stride, Dilation = dilation, Padding = padding, Groups = groups };
        var y = graph.Add(
            "conv",
            new Conv2DOperator(options),
            x,
            graph.Constant("kernel", weights),
            graph.Constant("bias", TensorData.Create(RandomData.Floats(filters, 3), filters)));
        return StandardLayer.Of(graph.Build("layer", y).Nodes[0])!;
    }

    public static float[] Run(Network network, float[] input)
    {
        using var session = new InferenceSession(network);
        var shape = Array.ConvertAll(network.Inputs[0].Type.Shape.Lengths.ToArray(), length => (nint)length);
        var output = session.Run(new ReadOnlyTensorSpan<float>(input, shape));
        var numbers = new float[output.FlattenedLength];
        output.FlattenTo(numbers);
        return numbers;
    }

    public static float[] Input(Network network, int seed = 1) =>
        RandomData.Floats((int)network.Inputs[0].Type.Shape.ElementCount, seed);

    /// <summary>The root of the sum of the squared differences over that of the squares.</summary>
    public static double Distance(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        var (lost, all) = (0.0, 0.0);
        for (var i = 0; i < expected.Length; i++)
        {
            lost += ((double)expected[i] - actual[i]) * ((double)expected[i] - actual[i]);
            all += (double)expected[i] * expected[i];
        }

        return Math.Sqrt(lost / all);
    }
}
