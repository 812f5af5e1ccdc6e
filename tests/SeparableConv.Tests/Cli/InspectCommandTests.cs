using SeparableConv.Tests.Networks.Formats;

namespace SeparableConv.Tests.Cli;

public sealed class InspectCommandTests
{
    [Fact]
    public void Json_has_every_layer_and_the_totals()
    {
        using var folder = new TempFolder();
        OnnxWriter.Write(MobileNetV1.Create(0.25, 128), folder["v1.onnx"]);
        var json = CommandRun.Of("inspect", folder["v1.onnx"], "--json").Json();
        Assert.Equal(
            ["model", "name", "inputs", "outputs", "layers", "totals", "standardAsSeparable"], json.EnumerateObject().Select(p => p.Name));
        var network = MobileNetV1.Create(0.25, 128);
        var totals = json.GetProperty("totals");
        Assert.Equal(network.Macs, totals.GetProperty("macs").GetInt64());
        Assert.Equal(475_544, totals.GetProperty("parameters").GetInt64());
        Assert.InRange(
            totals.GetProperty("peakActivationBytes").GetInt64(),
            totals.GetProperty("peakActivationBytesBound").GetInt64(),
            long.MaxValue);

        var layers = json.GetProperty("layers").EnumerateArray().ToList();
        Assert.Equal(1, layers.Sum(layer => layer.GetProperty("share").GetDouble()), 1e-9);
        Assert.Equal(475_544, layers.Sum(layer => layer.GetProperty("parameters").GetInt64()));
        int Count(string kind) => layers.Count(layer => layer.GetProperty("kind").GetString() == kind);
        Assert.Equal((1, 13, 14), (Count("standard"), Count("depthwise"), Count("pointwise")));
        var first = layers.First(layer => layer.GetProperty("kind").GetString() == "standard");
        Assert.Equal("[1,128,128,3]", first.GetProperty("input").GetRawText());
        Assert.Equal("[1,64,64,8]", first.GetProperty("output").GetRawText());
        Assert.Equal(64 * 64 * 27 * 8, first.GetProperty("macs").GetInt64());
        Assert.Equal(64 * 64 * ((9 * 3) + (3 * 8)), first.GetProperty("separable").GetProperty("macs").GetInt64());
    }

    [Fact]
    public void A_standard_network_is_told_what_separable_convolutions_would_save()
    {
        using var folder = new TempFolder();
        OnnxWriter.Write(MobileNetV1.Create(0.25, 64, 10, Convolutions.Standard), folder["standard.onnx"]);
        var standard = CommandRun.Of("inspect", folder["standard.onnx"], "--json").Json().GetProperty("standardAsSeparable");
        Assert.Equal(14, standard.GetProperty("layers").GetInt32());
        Assert.Equal(
            standard.GetProperty("separable").GetProperty("macs").GetInt64() + 2560,
            standard.GetProperty("networkMacs").GetInt64());
        Assert.InRange(standard.GetProperty("ratio").GetDouble(), 6, 9);

        var text = CommandRun.Of("inspect", folder["standard.onnx"]);
        Assert.Contains("14 standard convolutions: ", text.Output);
        Assert.Contains("MACs of the whole network over those with separable convolutions", text.Output);
    }

    [Theory]
    [InlineData(4, "it would have 589 parameters", "one with 634 lost 4.1 points of accuracy", "1.4 with two")]
    [InlineData(16, "it would have 4,165 parameters", "one with 4,426 lost 2.6")]
    [InlineData(32)]
    public void A_network_that_is_too_small_to_separate_is_warned_of(int filters, params string[] pieces)
    {
        using var folder = new TempFolder();
        OnnxWriter.Write(SmallCnn.Create(new(28, 28, 3), filters, convolutions: Convolutions.Standard), folder["small.onnx"]);
        var run = CommandRun.Of("inspect", folder["small.onnx"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal(pieces.Length > 0, run.Output.Contains("warning: ", StringComparison.Ordinal));
        Assert.All(pieces, piece => Assert.Contains(piece, run.Output));
        var json = CommandRun.Of("inspect", folder["small.onnx"], "--json").Json().GetProperty("standardAsSeparable");
        Assert.Equal(pieces.Length > 0, json.TryGetProperty("warning", out _));
    }

    [Fact]
    public void What_only_prepares_weights_is_no_layer()
    {
        using var folder = new TempFolder();
        var q = new QdqBuilder(1, exact: true, signed: false);
        var x = q.Input("x", 1, 3, 8, 8);
        x = q.Through(q.Conv(x, 4, 3, kernel: 3), 1f / 8);
        OnnxWriter.Write(q.Read(x.X), folder["qdq.onnx"]);
        var layers = CommandRun.Of("inspect", folder["qdq.onnx"], "--json").Json().GetProperty("layers").EnumerateArray().ToList();
        var kinds = layers.Select(layer => layer.GetProperty("kind").GetString()).Where(kind => kind != "Transpose");
        Assert.Equal("Quantize Dequantize standard Quantize Dequantize", string.Join(" ", kinds));
        Assert.Equal(
            (3 * 3 * 3 * 4) + 4,
            layers.Single(layer => layer.GetProperty("kind").GetString() == "standard").GetProperty("parameters").GetInt64());
    }

    [Fact]
    public void Table_is_plain_aligned_lines_when_redirected()
    {
        using var folder = new TempFolder();
        OnnxWriter.Write(DsCnn.Create(), folder["kws.onnx"]);
        var run = CommandRun.Of("inspect", folder["kws.onnx"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        var lines = run.Output.Split('\n');
        var head = Assert.Single(lines, line => line.StartsWith("layer ", StringComparison.Ordinal));
        Assert.Equal(
            ["layer", "kind", "input", "output", "parameters", "MACs", "share"],
            head.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(
            lines, line => line.Contains(" dense ", StringComparison.Ordinal) && line.Contains(" 1x64  ") && line.Contains(" 768 "));
        Assert.Contains("24,908 parameters, 2,656,768 MACs: pointwise 77.09 %", run.Output);
        Assert.Contains("peak activation memory: ", run.Output);
        Assert.All(run.Output, c => Assert.InRange(c, '\n', '~'));
    }

    [Theory]
    [InlineData("mobilenet_v1_0.25_224_float.tflite", "depthwise", 13)]
    [InlineData("mobilenet_v1_0.25_224_uint8.tflite", "depthwise", 13)]
    [InlineData("person_detect_int8.tflite", "depthwise", 14)]
    [InlineData("kws_ref_model_int8.tflite", "pointwise", 4)]
    [InlineData("resnet8_int8.tflite", "standard", 7)]
    [InlineData("ultraface_slim_320.onnx", "depthwise", 19)]
    public void Layers_of_real_models_are_recognized(string name, string kind, int count)
    {
        var json = CommandRun.Of("inspect", TestFiles.Shared("models", name), "--json").Json();
        Assert.Equal(count, json.GetProperty("layers").EnumerateArray().Count(layer => layer.GetProperty("kind").GetString() == kind));
        Assert.All(
            CommandRun.Of("inspect", TestFiles.Shared("models", name)).Output.Split('\n'),
            line => Assert.InRange(line.Length, 0, 200));
        Assert.True(json.GetProperty("totals").GetProperty("macs").GetInt64() > 1_000_000);
        Assert.True(json.GetProperty("totals").GetProperty("parameters").GetInt64() > 10_000);
    }

    [Fact]
    public void What_is_no_model_is_refused()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["text.onnx"], "Not a model.");
        File.WriteAllBytes(folder["empty.tflite"], []);
        File.WriteAllBytes(folder["cut.tflite"], "\u0018\0\0\0TFL3"u8.ToArray());
        CommandRun.Of("inspect", folder["text.onnx"]).AssertFails(1, "'text.onnx' is neither an ONNX nor a TensorFlow Lite model");
        CommandRun.Of("inspect", folder["empty.tflite"]).AssertFails(1, "'empty.tflite'", "an empty file");
        CommandRun.Of("inspect", folder["cut.tflite"]).AssertFails(1, folder["cut.tflite"]);
        CommandRun.Of("inspect", folder.Path).AssertFails(1, folder.Path, "is a directory");
        CommandRun.Of("inspect", "").AssertFails(2, "empty");
        CommandRun.Of("inspect", folder["missing.onnx"]).AssertFails(1, "missing.onnx", "not found");
        CommandRun.Of("inspect", folder["text.onnx"], "--shape", "x=1x0").AssertFails(2, "--shape", "1x0");
        CommandRun.Of("inspect", folder["text.onnx"], "--shape", "1x3").AssertFails(2, "--shape", "NAME=1x3x224x224");
        CommandRun.Of("inspect").AssertFails(2, "See sepconv inspect --help.");
    }

    [Fact]
    public void Shapes_are_for_what_a_model_leaves_open()
    {
        using var folder = new TempFolder();
        OnnxWriter.Write(DsCnn.Create(), folder["kws.onnx"]);
        CommandRun.Of("inspect", folder["kws.onnx"], "--shape", "nothing=1x2").AssertFails(1, "nothing");
        CommandRun.Of("inspect", folder["kws.onnx"], "--shape", "input=1x2", "--shape", "input=1x3").AssertFails(1, "'input'", "once");
    }
}
