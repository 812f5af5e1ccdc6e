using System.Text.Json;

namespace SeparableConv.Tests;

/// <summary>Keras's own grid of strides, dilations, paddings and multipliers, whose outputs are whole numbers: equal, not close.</summary>
public sealed class KerasGridTests
{
    [Fact]
    public void Every_case_of_the_grid_is_exact()
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(TestFiles.Shared("keras", "ops_nn_arange.json")));
        var cases = 0;
        foreach (var entry in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            CheckCase(entry);
            cases++;
        }

        Assert.Equal(36, cases);
    }

    private static void CheckCase(JsonElement entry)
    {
        var op = entry.GetProperty("op").GetString()!;
        var is2D = op.EndsWith("2d", StringComparison.Ordinal);
        var options = new ConvOptions
        {
            Stride = Axes(entry.GetProperty("strides"), is2D),
            Dilation = Axes(entry.GetProperty("dilation"), is2D),
            Padding = entry.GetProperty("padding").GetString() == "same" ? Padding.Same : Padding.Valid,
        };

        // Channels first: (N, C, H, W) or (N, C, W); a 1-D case gets height 1.
        var inputShape = Shape(entry.GetProperty("input_shape"), is2D, at: 2);
        var input = Arange(Count(inputShape));
        var outputShape = Shape(entry.GetProperty("output_shape"), is2D, at: 2);
        var isSeparable = op.StartsWith("separable", StringComparison.Ordinal);
        var kernelName = entry.TryGetProperty("depthwise_shape_HWIM", out var shape) || entry.TryGetProperty("kernel_shape_HWIM", out shape)
            ? shape
            : entry.GetProperty("kernel_shape");
        var kernelShape = Shape(kernelName, is2D, at: 0);
        var depthwise = ConvolutionTests.Tensor(Arange(Count(kernelShape)), kernelShape);

        Convolution conv;
        if (isSeparable)
        {
            var pointwiseShape = Shape(
                entry.TryGetProperty("pointwise_shape_HWIO", out var p) ? p : entry.GetProperty("pointwise_shape"), is2D, at: 0);
            conv = new SeparableConv2D(depthwise, ConvolutionTests.Tensor(Arange(Count(pointwiseShape)), pointwiseShape), default, options);
        }
        else
        {
            conv = new DepthwiseConv2D(depthwise, default, options);
        }

        var output = conv.Run(ConvolutionTests.Tensor(
            ToChannelsLast(input, inputShape), inputShape[0], inputShape[2], inputShape[3], inputShape[1]));
        Assert.Equal([outputShape[0], outputShape[2], outputShape[3], outputShape[1]], output.Lengths.ToArray());
        var expected = entry.GetProperty("output").EnumerateArray().Select(e => e.GetInt64()).ToArray();
        var actual = ConvolutionTests.Values(output);
        var expectedLast = ToChannelsLast(expected.Select(e => (float)e).ToArray(), outputShape);
        Assert.Equal(expectedLast, actual);
    }

    private static float[] Arange(int count) => [.. Enumerable.Range(0, count).Select(i => (float)i)];

    private static int Count(nint[] shape) => (int)shape.Aggregate((a, b) => a * b);

    private static Size2D Axes(JsonElement value, bool is2D) =>
        is2D ? new(value[0].GetInt32(), value[1].GetInt32()) : new(1, value.GetInt32());

    /// <summary>The shape with a height of 1 put in at <paramref name="at"/> where the case has one dimension.</summary>
    private static nint[] Shape(JsonElement value, bool is2D, int at)
    {
        var shape = value.EnumerateArray().Select(e => (nint)e.GetInt32()).ToList();
        if (!is2D)
            shape.Insert(at, 1);
        return [.. shape];
    }

    private static float[] ToChannelsLast(float[] values, nint[] shape)
    {
        var (channels, pixels) = ((int)shape[1], (int)(shape[2] * shape[3]));
        var last = new float[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            var (n, rest) = Math.DivRem(i, channels * pixels);
            var (c, p) = Math.DivRem(rest, pixels);
            last[(((n * pixels) + p) * channels) + c] = values[i];
        }

        return last;
    }
}
