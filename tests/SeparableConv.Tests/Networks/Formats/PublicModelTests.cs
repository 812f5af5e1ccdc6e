using System.Text.Json;
using SeparableConv.Imaging;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Models from public repositories, with inputs and the outputs of another engine.</summary>
public sealed class PublicModelTests(ITestOutputHelper log)
{
    private const double Tolerance = 1e-3;

    // What is out of scope, and the word of the refusal that says why.
    private static readonly Dictionary<string, string> Refused = new()
    {
        ["coinbook.onnx"] = "LSTM",
        ["dtln_ns.tflite"] = "UNIDIRECTIONAL_SEQUENCE_LSTM",
        ["espcn_sub_quant.onnx"] = "onnx.brevitas.Quant",
        ["kw_scram.tflite"] = "SVDF",
        ["posenet_dec.tflite"] = "PosenetDecoderOp",
        ["silero.onnx"] = "LSTM",
        ["silero16k_op15.onnx"] = "LSTM",
        ["silero_half.onnx"] = "LSTM",
        ["silero_openvino.onnx"] = "LSTM",
        ["yamnet_tfl.tflite"] = "RFFT2D",
        ["yamnet_wavin_q.tflite"] = "RFFT2D",
    };

    [Fact]
    public void Every_model_agrees_or_is_refused_for_what_is_out_of_scope()
    {
        var (agreed, wrong) = (0, new List<string>());
        foreach (var folder in Directory.GetDirectories(TestFiles.Shared("wild")).Order(StringComparer.Ordinal))
        {
            if (!File.Exists(Path.Combine(folder, "case.json")))
                continue;
            using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "case.json")));
            var model = json.RootElement.GetProperty("model").GetString()!;
            try
            {
                if (Difference(json.RootElement, folder, TestFiles.Shared("wild", "models", model)) is { } difference)
                    wrong.Add($"{model}: {difference}");
                else if (Refused.ContainsKey(model))
                    wrong.Add($"{model} agrees, but is listed as refused");
                else
                    agreed++;
            }
            catch (NetworkException e)
            {
                if (Refused.GetValueOrDefault(model) is not { } reason || !e.Message.Contains(reason, StringComparison.Ordinal))
                    wrong.Add($"{model}: {e.Message}");
            }
        }

        log.WriteLine($"{agreed} agree, {Refused.Count} are refused");
        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
        Assert.True(agreed >= 48, $"{agreed} models agree.");
    }

    private static string? Difference(JsonElement wanted, string folder, string model)
    {
        var tensors = wanted.GetProperty("inputs").EnumerateArray().ToDictionary(
            input => input.GetProperty("name").GetString()!,
            input => NpyFile.Load(Path.Combine(folder, input.GetProperty("file").GetString()!)));
        var network = ModelFile.Load(
            model, tensors.ToDictionary(pair => pair.Key, pair => new TensorShape(pair.Value.Shape)));
        using var session = new InferenceSession(network);
        for (var i = 0; i < network.Inputs.Count; i++)
            tensors[network.Inputs[i].Name].Data.CopyTo(session.InputBytes(i));
        session.Run();

        var outputs = wanted.GetProperty("outputs").EnumerateArray().ToArray();
        for (var i = 0; i < outputs.Length; i++)
        {
            var name = outputs[i].GetProperty("name").GetString();
            var index = network.Outputs.ToList().FindIndex(output => output.Name == name);
            if (index < 0)
                return $"there is no output '{name}'";
            int[] shape = [.. outputs[i].GetProperty("shape").EnumerateArray().Select(length => length.GetInt32())];
            if (session.OutputType(index).Shape != new TensorShape(shape))
                return $"output '{name}' is {session.OutputType(index)}, expected ({string.Join(',', shape)})";

            // Bytes are compared as they are, floats as far as the other engine's arithmetic goes.
            var type = session.OutputType(index);
            var expected = NpyFile.Load(Path.Combine(folder, outputs[i].GetProperty("file").GetString()!)).ToDoubles();
            var numbers = new double[type.Shape.ElementCount];
            (type with { Quantization = null }).ReadNumbers(session.OutputBytes(index), numbers);
            var step = outputs[i].GetProperty("step").GetInt32();
            var most = type.Element.IsFloat() ? Tolerance * outputs[i].GetProperty("largest").GetDouble() : 0;
            for (var k = 0; k < expected.Length; k++)
            {
                if (!(Math.Abs(numbers[k * step] - expected[k]) <= most))
                    return FormattableString.Invariant($"output '{name}' is {numbers[k * step]} at {k * step}, expected {expected[k]}");
            }
        }

        return null;
    }
}
