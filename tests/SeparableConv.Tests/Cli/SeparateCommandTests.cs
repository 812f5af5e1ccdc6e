using System.Diagnostics;
using System.Text.Json;
using SeparableConv.Networks;

namespace SeparableConv.Tests.Cli;

public sealed class SeparateCommandTests
{
    private const string Data = "shapes:240:20:3";

    [Fact]
    public void A_network_becomes_smaller_and_the_report_says_how()
    {
        using var folder = Prepared();
        var run = CommandRun.Of(
            "separate", folder["net.onnx"], "-o", folder["out.onnx"], "--macs", "0.6", "--data", Data, "--validation", "60", "--samples",
            "120", "--report", folder["out.html"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("fitting block2_conv", run.Output);
        Assert.Contains("block1_conv", run.Output);
        Assert.Matches(@"MACs +[\d,]+ -> [\d,]+, (5|60)", run.Output);
        Assert.Matches(@"accuracy +[\d.]+ % -> [\d.]+ %, 60 pictures", run.Output);
        var (before, after) = (OnnxReader.Read(folder["net.onnx"]), OnnxReader.Read(folder["out.onnx"]));
        Assert.True(after.Macs <= 0.6 * before.Macs);
        Assert.Equal(before.Metadata, after.Metadata);
        Assert.Equal(0, CommandRun.Of("eval", folder["out.onnx"], Data, "--json").Code);
        var page = File.ReadAllText(folder["out.html"]);
        System.Xml.Linq.XDocument.Parse(page.Replace("<!DOCTYPE html>", "", StringComparison.Ordinal));
        Assert.Contains("Singular values", page);
        Assert.Contains("data:image/png", page);
        Assert.DoesNotContain("http://", page.Replace("http://www.w3.org", "", StringComparison.Ordinal));
    }

    [Fact]
    public void Json_has_layers_totals_accuracy_and_the_curve()
    {
        using var folder = Prepared();
        var json = CommandRun.Of(
            "separate", folder["net.onnx"], "--dry-run", "--method", "dp", "--params", "0.6", "--data", Data, "--validation", "60",
            "--samples", "100", "--json").Json();
        Assert.Equal("dp", json.GetProperty("method").GetString());
        Assert.Equal(3, json.GetProperty("layers").GetArrayLength());
        Assert.All(
            json.GetProperty("layers").EnumerateArray(), layer => Assert.True(layer.GetProperty("method").GetString() is null or "dp"));
        var parameters = json.GetProperty("totals").GetProperty("parameters");
        Assert.True(parameters.GetProperty("after").GetDouble() <= 0.6 * parameters.GetProperty("before").GetDouble());
        Assert.Equal(60, json.GetProperty("accuracy").GetProperty("pictures").GetInt32());
        Assert.True(json.GetProperty("curve").GetArrayLength() > 3);
        Assert.Equal(100, json.GetProperty("calibrated").GetInt32());
        Assert.Equal(JsonValueKind.Null, json.GetProperty("output").ValueKind);
        Assert.Equal(["net.onnx"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Fine_tuning_goes_on_from_the_fit_without_labels_too()
    {
        using var folder = Prepared();
        var run = CommandRun.Of(
            "separate", folder["net.onnx"], "-o", folder["out.onnx"], "--method", "dp", "--macs", "0.6", "--data", Data, "--validation",
            "60", "--samples", "120", "--fine-tune", "1");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("epoch 1/1", run.Output);
        Assert.Contains("-> fine-tuned", run.Output);
        Directory.CreateDirectory(folder["pictures"]);
        var drawn = SeparableConv.Training.PictureDataSet.Shapes(70, 20);
        var pixels = new byte[drawn.PictureBytes];
        for (var i = 0; i < drawn.Count; i++)
        {
            drawn.Read(i, pixels);
            SeparableConv.Imaging.ImageFile.Save(
                SeparableConv.Imaging.Image.Create(drawn.Width, drawn.Height, drawn.Channels, pixels.ToArray()),
                Path.Combine(folder["pictures"], $"{i}.png"));
        }

        run = CommandRun.Of(
            "separate", folder["net.onnx"], "-o", folder["out.onnx"], "--macs", "0.6", "--calibrate", folder["pictures"], "--fine-tune",
            "1");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.DoesNotContain("accuracy   ", run.Output);
    }

    [Fact]
    public void A_loss_of_accuracy_is_a_bound()
    {
        using var folder = Prepared();
        var json = CommandRun.Of(
            "separate", folder["net.onnx"], "-o", folder["out.onnx"], "--max-accuracy-drop", "5", "--data", Data, "--validation", "100",
            "--samples", "100", "--json").Json();
        var accuracy = json.GetProperty("accuracy");
        Assert.True(accuracy.GetProperty("before").GetDouble() - accuracy.GetProperty("after").GetDouble() <= 0.05 + 1e-9);
    }

    [Theory]
    [InlineData(2, "give --output OUT.onnx")]
    [InlineData(2, "leave --output out", "--dry-run", "-o", "x.onnx")]
    [InlineData(2, "does not end in .onnx", "-o", "x.tflite")]
    [InlineData(2, "give one of them", "--dry-run", "--macs", "0.5", "--latency", "0.5")]
    [InlineData(2, "not above 0 and up to 1", "--dry-run", "--macs", "1.5")]
    [InlineData(2, "is no method", "--dry-run", "--method", "tucker")]
    [InlineData(2, "give labelled pictures with --data", "--dry-run", "--max-accuracy-drop", "1")]
    [InlineData(2, "give it too", "--dry-run", "--validation", "10")]
    [InlineData(2, "--fine-tune needs pictures", "--dry-run", "--fine-tune", "1")]
    [InlineData(1, "was not found", "--dry-run", "--data", "/nowhere/at/all")]
    [InlineData(1, "its directory does not exist", "-o", "/nowhere/at/all/x.onnx")]
    public void What_does_not_fit_is_one_clear_line(int code, string message, params string[] options)
    {
        using var folder = Prepared();
        CommandRun.Of(["separate", folder["net.onnx"], .. options]).AssertFails(code, message);
        Assert.Equal(["net.onnx"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_share_that_is_too_small_is_told_with_the_least()
    {
        using var folder = Prepared();
        var run = CommandRun.Of("separate", folder["net.onnx"], "-o", folder["out.onnx"], "--macs", "0.001");
        Assert.Equal(1, run.Code);
        Assert.Matches(@"cannot be brought to 0\.1 % of its multiply-accumulates: .* [\d.]+ % is the least; ask for more\.\n$", run.Error);
        Assert.False(File.Exists(folder["out.onnx"]));
    }

    [Fact]
    public void What_cannot_be_taken_apart_is_told_and_nothing_is_written()
    {
        using var folder = new TempFolder();
        OnnxWriter.Write(MobileNetlike(), folder["net.onnx"]);
        CommandRun.Of("separate", folder["net.onnx"], "-o", folder["out.onnx"]).AssertFails(1, "None of the network's 2 convolutions");
        File.WriteAllText(folder["broken.onnx"], "no network");
        CommandRun.Of("separate", folder["broken.onnx"], "-o", folder["out.onnx"]).AssertFails(1, "broken.onnx");
        Assert.False(File.Exists(folder["out.onnx"]));

        static Network MobileNetlike()
        {
            var net = new NetworkBuilder();
            var x = net.DepthwiseConv2D(net.Input(new(8, 8, 3)), 3);
            return net.Build(net.Conv2D(x, 8, 1));
        }
    }

    [Fact]
    public async Task However_it_is_killed_the_file_is_whole_or_not_there()
    {
        using var folder = Prepared();
        string[] arguments = ["separate", folder["net.onnx"], "-o", folder["out.onnx"], "--macs", "0.6", "--data", "shapes:120:20"];
        Assert.Equal(0, CommandRun.Of(arguments).Code);
        var whole = File.ReadAllBytes(folder["out.onnx"]);
        var random = new Random(3);
        for (var kill = 0; kill < 6; kill++)
        {
            File.Delete(folder["out.onnx"]);
            var start = new ProcessStartInfo("dotnet", ["exec", CommandRun.Program, .. arguments]) { RedirectStandardOutput = true };
            using var process = Process.Start(start)!;
            var end = kill % 2 == 0 ? "measuring" : "fitting block1";
            while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
            {
                if (line.StartsWith(end, StringComparison.Ordinal))
                    break;
            }

            await Task.Delay(random.Next(300), TestContext.Current.CancellationToken);
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            if (File.Exists(folder["out.onnx"]))
                Assert.Equal(whole, File.ReadAllBytes(folder["out.onnx"]));
        }

        // What was left beside it goes with the next run.
        Assert.Equal(0, CommandRun.Of(arguments).Code);
        Assert.Equal(["net.onnx", "out.onnx"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order());
    }

    private static TempFolder Prepared()
    {
        var folder = new TempFolder();
        var network = SmallCnn.Create(new(20, 20, 3), 8, 12, Convolutions.Standard, seed: 3);
        OnnxWriter.Write(network.WithMetadata(new Normalization([127.5], [64]).ToMetadata()), folder["net.onnx"]);
        return folder;
    }
}
