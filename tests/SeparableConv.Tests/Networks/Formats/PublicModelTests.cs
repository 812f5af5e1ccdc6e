using System.Runtime.InteropServices;
using System.Text.Json;
using SeparableConv.Imaging;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Models from public repositories, with inputs and the outputs of another engine.</summary>
public sealed class PublicModelTests(ITestOutputHelper log)
{
    private const double Tolerance = 1e-3;
    private const string MelSpectrogram = "npm_melspec_tfl.tflite";

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

        // Its other engine had one sample to run it on, which is no window; the test below gives it more.
        [MelSpectrogram] = "kernel width 512 is larger than input width 1",
    };

    // Models of bytes, which the other engine rounds in its own way, a step here and there; behind many layers that is more, and where
    // layers normalize by what they compute it is much. So much is the root of the mean square of the differences, beside that of the
    // numbers. TFLiteReplayTests hold every layer to the reference's rounding.
    private static readonly Dictionary<string, double> Rounded = new()
    {
        ["animegan_int.tflite"] = 0.3,
        ["automl_label.tflite"] = 0.01,
        ["blazepose_int.tflite"] = 0.35,
        ["dbface_int.tflite"] = 0.2,
        ["facemesh_int.tflite"] = 0.1,
        ["hand3d_int.tflite"] = 0.07,
        ["mww_alexa_v2.tflite"] = 0.1,
        ["mww_vad.tflite"] = 0.1,
        ["stm_mbv1_int8.tflite"] = 0.01,
        ["styletr_q.tflite"] = 0.1,
        ["yunet_fullint.tflite"] = 0.02,
        ["yunet_int.tflite"] = 0.05,
        ["yunet_wq.tflite"] = 0.005,
    };

    // Weights of bytes and activations of floats, which the other engine brings to bytes in each run.
    private static readonly string[] DynamicRange = ["dtln1_q_tfl.tflite", "yunet_wq.tflite"];

    [Fact]
    public void Every_model_agrees_or_is_refused_for_what_is_out_of_scope()
    {
        var (agreed, wrong) = (0, new List<string>());
        var files = Directory.GetFiles(TestFiles.Shared("wild"), "case.json", SearchOption.AllDirectories);
        foreach (var file in files.Order(StringComparer.Ordinal))
        {
            var folder = Path.GetDirectoryName(file)!;
            using var json = JsonDocument.Parse(File.ReadAllText(file));
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

    [Fact]
    public void One_model_in_two_formats_gives_the_same()
    {
        var shape = new TensorShape(1, 1760);
        var samples = RandomData.Floats(1760, 3);
        var results = new List<float[]>();
        foreach (var model in new[] { MelSpectrogram, "npm_melspec.onnx" })
        {
            using var session = new InferenceSession(
                ModelFile.Load(TestFiles.Shared("wild", "models", model), new ModelReadOptions { ShapeOf = _ => shape }));
            samples.CopyTo(MemoryMarshal.Cast<byte, float>(session.InputBytes(0)));
            session.Run();
            results.Add(MemoryMarshal.Cast<byte, float>(session.OutputBytes(0)).ToArray());
        }

        Assert.Equal(8 * 32, results[0].Length);
        for (var i = 0; i < results[0].Length; i++)
            Assert.InRange(results[0][i], results[1][i] - 0.01f, results[1][i] + 0.01f);
    }

    private static string? Difference(JsonElement wanted, string folder, string model)
    {
        var tensors = wanted.GetProperty("inputs").EnumerateArray().ToDictionary(
            input => input.GetProperty("name").GetString()!,
            input => NpyFile.Load(Path.Combine(folder, input.GetProperty("file").GetString()!)));
        var name = Path.GetFileName(model);
        var network = ModelFile.Load(model, new ModelReadOptions
        {
            Shapes = tensors.ToDictionary(pair => pair.Key, pair => new TensorShape(pair.Value.Shape)),
            DynamicRange = DynamicRange.Contains(name),
        });
        using var session = new InferenceSession(network);
        for (var i = 0; i < network.Inputs.Count; i++)
            tensors[network.Inputs[i].Name].Data.CopyTo(session.InputBytes(i));
        session.Run();

        var outputs = wanted.GetProperty("outputs").EnumerateArray().ToArray();
        for (var i = 0; i < outputs.Length; i++)
        {
            var wantedName = outputs[i].GetProperty("name").GetString();
            var index = network.Outputs.ToList().FindIndex(output => output.Name == wantedName);
            if (index < 0)
                return $"there is no output '{wantedName}'";
            int[] shape = [.. outputs[i].GetProperty("shape").EnumerateArray().Select(length => length.GetInt32())];
            if (session.OutputType(index).Shape != new TensorShape(shape))
                return $"output '{wantedName}' is {session.OutputType(index)}, expected ({string.Join(',', shape)})";

            // Bytes are compared as they are, floats as far as the other engine's arithmetic goes.
            var type = session.OutputType(index);
            var expected = NpyFile.Load(Path.Combine(folder, outputs[i].GetProperty("file").GetString()!)).ToDoubles();
            var numbers = new double[type.Shape.ElementCount];
            (type with { Quantization = null }).ReadNumbers(session.OutputBytes(index), numbers);
            var step = outputs[i].GetProperty("step").GetInt32();
            var actual = expected.Select((_, k) => numbers[k * step]).ToArray();
            var largest = outputs[i].GetProperty("largest").GetDouble();
            var difference = Rounded.TryGetValue(name, out var share)
                ? DifferenceOnTheWhole(expected, actual, share)
                : DifferenceOfOne(expected, actual, type.Element.IsFloat() ? Tolerance * largest : 0);
            if (difference is not null)
                return $"output '{wantedName}' {difference}";
        }

        return null;
    }

    private static string? DifferenceOfOne(double[] expected, double[] actual, double most)
    {
        for (var k = 0; k < expected.Length; k++)
        {
            if (!(Math.Abs(actual[k] - expected[k]) <= most))
                return FormattableString.Invariant($"is {actual[k]} at {k}, expected {expected[k]}");
        }

        return null;
    }

    private static string? DifferenceOnTheWhole(double[] expected, double[] actual, double most)
    {
        var squares = expected.Zip(actual, (a, b) => (a - b) * (a - b)).Sum();
        var share = Math.Sqrt(squares / Math.Max(double.Epsilon, expected.Sum(number => number * number)));
        return share <= most ? null : FormattableString.Invariant($"differs by {share} on the whole; at most {most} is expected");
    }
}
