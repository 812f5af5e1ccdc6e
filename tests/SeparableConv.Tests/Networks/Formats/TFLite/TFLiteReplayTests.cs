using System.Text.Json;
using SeparableConv.Imaging;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>
/// Quantized models from public repositories, layer by layer: other engines round in their own ways, and differ by a step or more at the
/// end of many layers. So each layer's bytes are computed again from its own inputs, by the reference's integers.
/// </summary>
public sealed class TFLiteReplayTests(ITestOutputHelper log)
{
    // Of each layer some outputs, spread over all of it.
    private const int Places = 300;

    [Fact]
    public void Every_layer_rounds_as_the_reference_does()
    {
        var (layers, wrong) = (0, new List<string>());
        foreach (var folder in Directory.GetDirectories(TestFiles.Shared("wild"), "*_tflite").Order(StringComparer.Ordinal))
        {
            using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "case.json")));
            var model = json.RootElement.GetProperty("model").GetString()!;
            if (json.RootElement.GetProperty("outputs").GetArrayLength() == 0 || Load(model) is not { } network)
                continue;
            var inputs = json.RootElement.GetProperty("inputs").EnumerateArray().Select(input => input.GetProperty("file").GetString()!)
                .Select((file, i) => Tensor(network.Inputs[i].Type, Path.Combine(folder, file))).ToArray();
            var values = Evaluator.Run(network, inputs);
            foreach (var node in network.Nodes)
            {
                if (Layer(node, values) is not { } reference)
                    continue;
                layers++;
                var output = Evaluator.Of(values, node.Outputs[0]);
                var step = Math.Max(1, output.Bytes.Length / Places);
                for (var at = 0; at < output.Bytes.Length; at += step)
                {
                    if (reference(at) != Number(output, at))
                    {
                        wrong.Add($"{model}: {node.Name} ({node.Operator.Kind}) is {Number(output, at)} at {at}, expected {reference(at)}");
                        break;
                    }
                }
            }

            // And the whole, compiled, is what its layers are.
            using var session = new InferenceSession(network);
            for (var i = 0; i < inputs.Length; i++)
                inputs[i].Bytes.CopyTo(session.InputBytes(i));
            session.Run();
            for (var i = 0; i < network.Outputs.Count; i++)
            {
                var plain = Evaluator.Of(values, network.Outputs[i]);
                if (plain.Type.Element.IsByte() && !session.OutputBytes(i).SequenceEqual(plain.Bytes))
                    wrong.Add($"{model}: output {i} of the compiled network differs from its layers run one by one");
            }
        }

        log.WriteLine($"{layers} layers");
        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
        Assert.True(layers > 400, $"{layers} layers were found.");
    }

    private static Network? Load(string model)
    {
        try
        {
            return ModelFile.Load(TestFiles.Shared("wild", "models", model));
        }
        catch (NetworkException)
        {
            return null;
        }
    }

    private static TensorData Tensor(TensorType type, string path)
    {
        var data = TensorData.CreateZeros(type);
        NpyFile.Load(path).Data.CopyTo(data.Bytes);
        return data;
    }

    // The reference of a layer's output at an index; null for nodes that are no layers of bytes.
    private static Func<int, int>? Layer(Node node, Dictionary<Value, TensorData> values)
    {
        TensorData In(int index) => Evaluator.Of(values, node.Inputs[index]!);
        switch (node.Operator)
        {
            case QuantizedLayerOperator { Rounding: Requantization.FixedPoint } op:
                var (x, weights) = (In(0), In(1));
                var bias = node.Inputs.Count > 2 && node.Inputs[2] is not null ? In(2).Span<int>().ToArray() : null;
                var (g, isDepthwise) = (op is QuantizedConvOperator conv ? conv.Geometry(x.Type, weights.Type) : (ConvGeometry?)null,
                    op is QuantizedDepthwiseConv2DOperator);
                var channels = node.Outputs[0].Shape[^1];
                return at =>
                {
                    var filter = at % channels;
                    var sum = (bias?[filter] ?? 0) + (g is { } geometry
                        ? ConvSum(x, weights, geometry, at / channels, filter, isDepthwise)
                        : DenseSum(x, weights, at / channels, filter));
                    var scales = weights.Type.Quantization!.Scales;
                    var scale = scales[scales.Length == 1 ? 0 : filter];
                    var factor = g is null && scales.Length == 1
                        ? (double)(x.Type.Quantization!.Scale * scale) / op.Output.Scale
                        : (double)x.Type.Quantization!.Scale * scale / op.Output.Scale;
                    return Math.Clamp(TFLiteReference.Rescale(sum, factor) + op.Output.ZeroPoint, op.ClampMin, op.ClampMax);
                };
            default:
                return null;
        }
    }

    private static int ConvSum(TensorData x, TensorData weights, ConvGeometry g, int pixel, int filter, bool isDepthwise)
    {
        var (outX, outY, image) = (pixel % g.Columns.Out, pixel / g.Columns.Out % g.Rows.Out, pixel / g.Columns.Out / g.Rows.Out);
        var (perGroup, sum) = (g.OutChannels / g.Groups, 0);
        var (taken, first) = isDepthwise
            ? (1, filter / (g.OutChannels / g.InChannels))
            : (g.InChannels / g.Groups, filter / perGroup * (g.InChannels / g.Groups));
        for (var ky = 0; ky < g.Rows.Kernel; ky++)
        {
            for (var kx = 0; kx < g.Columns.Kernel; kx++)
            {
                var y = (outY * g.Rows.Stride) + (ky * g.Rows.Dilation) - g.Rows.PadBefore;
                var at = (outX * g.Columns.Stride) + (kx * g.Columns.Dilation) - g.Columns.PadBefore;
                if (y < 0 || y >= g.Rows.In || at < 0 || at >= g.Columns.In)
                    continue;
                for (var c = 0; c < taken; c++)
                {
                    var input = Less(x, (((((image * g.Rows.In) + y) * g.Columns.In) + at) * g.InChannels) + first + c, 0);
                    var tap = (ky * g.Columns.Kernel) + kx;
                    var weight = isDepthwise ? (tap * g.OutChannels) + filter : (((tap * taken) + c) * g.OutChannels) + filter;
                    sum += input * Less(weights, weight, filter);
                }
            }
        }

        return sum;
    }

    private static int DenseSum(TensorData x, TensorData weights, int row, int filter)
    {
        var (inputs, sum) = (weights.Type.Shape[0], 0);
        for (var i = 0; i < inputs; i++)
            sum += Less(x, (row * inputs) + i, 0) * Less(weights, (i * weights.Type.Shape[1]) + filter, filter);
        return sum;
    }

    private static int Less(TensorData data, int at, int channel)
    {
        var points = data.Type.Quantization!.ZeroPoints;
        return Number(data, at) - points[points.Length == 1 ? 0 : channel];
    }

    private static int Number(TensorData data, int at) =>
        data.Type.Element == ElementType.Int8 ? (sbyte)data.Bytes[at] : data.Bytes[at];
}
