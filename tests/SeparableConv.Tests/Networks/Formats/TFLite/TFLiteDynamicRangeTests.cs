using System.Runtime.InteropServices;
using SeparableConv.Networks.Formats.TFLite;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Layers of floats with int8 weights as TensorFlow Lite's dynamic-range kernels compute them, against plain loops.</summary>
public class TFLiteDynamicRangeTests
{
    [Theory]
    [InlineData("CONV_2D", 1, 4)]
    [InlineData("CONV_2D", 4, 4)]
    [InlineData("CONV_2D", 1, 6, 2)]
    [InlineData("DEPTHWISE_CONV_2D", 1, 8)]
    [InlineData("DEPTHWISE_CONV_2D", 8, 8)]
    [InlineData("FULLY_CONNECTED", 1, 3)]
    [InlineData("FULLY_CONNECTED", 1, 3, 1, true)]
    [InlineData("FULLY_CONNECTED", 300, 300, 1, true)]
    public void Layers(string code, int scaleCount, int filters, int groups = 1, bool asymmetric = false)
    {
        for (var seed = 0; seed < 6; seed++)
        {
            var random = new Random(seed);
            var (isDense, isDepthwise) = (code == "FULLY_CONNECTED", code == "DEPTHWISE_CONV_2D");
            var (side, kernel, channels) = isDense ? (1, 1, 9) : (5, 3, 4);
            groups = isDepthwise ? channels : groups;
            var depth = isDense ? channels : channels / groups;
            int[] shape = isDense ? [3, channels] : [3, side, side, channels];
            var x = Array.ConvertAll(RandomData.Floats(shape.Aggregate(1, (a, b) => a * b), seed), f => (4 * f) + (seed % 3));

            // One image or row of zeros.
            x.AsSpan(0, x.Length / 3).Clear();
            var weights = new sbyte[kernel * kernel * depth * filters];
            random.NextBytes(MemoryMarshal.AsBytes(weights.AsSpan()));
            var bias = RandomData.Floats(filters, seed + 1);
            var scales = Enumerable.Range(0, scaleCount).Select(_ => (0.005f + (random.NextSingle() * 0.01f), 0)).ToArray();
            var activation = seed % 3;
            var file = new TFLiteFile { Inputs = [0], Outputs = [3] };
            file.Tensor(ElementType.Float32, shape);
            int[] weightShape = isDense ? [filters, channels]
                : isDepthwise ? [1, kernel, kernel, filters]
                : [filters, kernel, kernel, depth];
            file.Constant(weights, weightShape, isDepthwise ? 3 : 0, scales);
            file.Constant(bias, [filters]);
            file.Tensor(ElementType.Float32, isDense ? [3, filters] : [3, side, side, filters]);
            FlatRecord options = isDense ? new() { [0] = (byte)activation, [3] = (byte)(asymmetric ? 1 : 0) }
                : isDepthwise ? new() { [0] = (byte)0, [1] = 1, [2] = 1, [3] = filters / channels, [4] = (byte)activation }
                : new() { [0] = (byte)0, [1] = 1, [2] = 1, [3] = (byte)activation };
            file.Operator(Enum.Parse<BuiltinOperator>(code), [0, 1, 2], [3], isDense ? 8 : isDepthwise ? 2 : 1, options);

            var isSymmetric = isDense ? !asymmetric : !isDepthwise && groups == 1 && scaleCount == 1;
            var y = Run(file, x);
            var images = x.Chunk(x.Length / 3).Select(image => isSymmetric ? Symmetric(image) : Asymmetric(image)).ToArray();
            for (var i = 0; i < y.Length; i++)
            {
                var (o, outX, outY, n) = (i % filters, i / filters % side, i / filters / side % side, i / filters / side / side);
                var sum = 0;
                for (var t = 0; t < kernel * kernel; t++)
                {
                    var (row, column) = (outY - (kernel / 2) + (t / kernel), outX - (kernel / 2) + (t % kernel));
                    if (row < 0 || row >= side || column < 0 || column >= side)
                        continue;
                    for (var c = 0; c < depth; c++)
                    {
                        var channel = (o / (filters / groups) * depth) + c;
                        var q = images[n].Bytes[(((row * side) + column) * channels) + channel] - images[n].Zero;
                        sum += q * weights[isDepthwise ? (t * filters) + o : (((o * kernel * kernel) + t) * depth) + c];
                    }
                }

                var real = (sum * (images[n].Scale * scales[scaleCount == 1 ? 0 : o].Item1)) + bias[o];
                Assert.Equal(activation switch { 1 => Math.Max(0, real), 2 => Math.Clamp(real, -1, 1), _ => real }, y[i]);
            }
        }
    }

    [Fact]
    public void Without_the_option_weights_become_floats()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
        file.Tensor(ElementType.Float32, [1, 2]);
        file.Constant(new sbyte[] { 10, -20 }, [1, 2], (0.5f, 0));
        file.Tensor(ElementType.Float32, [1, 1]);
        file.Operator(BuiltinOperator.FULLY_CONNECTED, [0, 1, -1], [2], 8, []);
        using var session = new InferenceSession(file.Read());
        MemoryMarshal.AsBytes<float>([1f, 0.001f]).CopyTo(session.InputBytes(0));
        session.Run();
        Assert.Equal(4.99f, MemoryMarshal.Cast<byte, float>(session.OutputBytes(0))[0]);
        Assert.Equal(5f, Run(file, [1, 0.001f])[0]);
    }

    private static float[] Run(TFLiteFile file, float[] x)
    {
        var network = file.Read(new() { DynamicRange = true });
        var results = new List<float[]>();
        foreach (var (threads, optimize) in new[] { (1, true), (3, true), (2, false) })
        {
            using var session = new InferenceSession(network, new() { Threads = threads, Optimize = optimize });
            MemoryMarshal.AsBytes<float>(x).CopyTo(session.InputBytes(0));
            session.Run();
            results.Add(MemoryMarshal.Cast<byte, float>(session.OutputBytes(0)).ToArray());
            Assert.Equal(results[0], results[^1]);
        }

        return results[0];
    }

    private static (int[] Bytes, float Scale, int Zero) Symmetric(float[] image)
    {
        var range = image.Max(Math.Abs);
        if (range == 0)
            return (new int[image.Length], 1, 0);
        var inverse = 127 / range;
        var bytes = image.Select(v => (int)Math.Clamp(MathF.Round(v * inverse, MidpointRounding.AwayFromZero), -127, 127));
        return ([.. bytes], range / 127, 0);
    }

    private static (int[] Bytes, float Scale, int Zero) Asymmetric(float[] image)
    {
        var (least, most) = ((double)Math.Min(0, image.Min()), (double)Math.Max(0, image.Max()));
        if (least == most)
            return (new int[image.Length], 1, 0);
        var scale = (most - least) / 255;
        var point = 128 + Math.Abs(least / scale) < 127 + Math.Abs(most / scale) ? -128 - (least / scale) : 127 - (most / scale);
        var zero = (int)Math.Clamp(Math.Round(point, MidpointRounding.AwayFromZero), -128, 127);
        var inverse = 1 / (float)scale;
        var bytes = image.Select(v => (int)Math.Clamp(MathF.Round(zero + (v * inverse), MidpointRounding.AwayFromZero), -128, 127));
        return ([.. bytes], (float)scale, zero);
    }
}
