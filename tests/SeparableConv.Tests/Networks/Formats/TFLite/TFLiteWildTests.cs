using System.Text.Json;
using SeparableConv.Imaging;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Float models from public repositories agree with TensorFlow Lite.</summary>
public class TFLiteWildTests
{
    [Theory]
    [InlineData("7seg")]
    [InlineData("basicpitch_tfl")]
    [InlineData("dtln1_tfl")]
    [InlineData("face_full")]
    [InlineData("face_short")]
    [InlineData("mww_vad")]
    [InlineData("npm_jarvis_tfl")]
    [InlineData("str_ww")]
    [InlineData("yunet_f16")]
    [InlineData("yunet_f32")]
    [InlineData("dtln1_q_tfl", true)]
    public void Agrees(string name, bool dynamicRange = false)
    {
        using var test = JsonDocument.Parse(File.ReadAllText(TestFiles.Shared("wild", $"{name}_tflite", "case.json")));
        var network = TFLiteReader.Read(
            TestFiles.Shared("wild", "models", $"{name}.tflite"), new() { DynamicRange = dynamicRange });
        using var session = new InferenceSession(network, new() { Threads = 2 });
        foreach (var (input, i) in test.RootElement.GetProperty("inputs").EnumerateArray().Select((input, i) => (input, i)))
            Load(name, input).Data.CopyTo(session.InputBytes(i));
        session.Run();
        foreach (var (output, i) in test.RootElement.GetProperty("outputs").EnumerateArray().Select((output, i) => (output, i)))
        {
            var (expected, step) = (Load(name, output).ToDoubles(), output.GetProperty("step").GetInt32());
            var largest = output.GetProperty("largest").GetDouble();
            var actual = Operators.OperatorRun.Doubles(Data(session, i));
            for (var k = 0; k < expected.Length; k++)
                Assert.InRange(actual[k * step], expected[k] - (1e-3 * largest), expected[k] + (1e-3 * largest));
        }
    }

    private static NpyArray Load(string name, JsonElement tensor) =>
        NpyFile.Load(TestFiles.Shared("wild", $"{name}_tflite", tensor.GetProperty("file").GetString()!));

    private static TensorData Data(InferenceSession session, int output)
    {
        var data = TensorData.CreateZeros(session.Outputs[output].Type);
        session.OutputBytes(output).CopyTo(data.Bytes);
        return data;
    }
}
