using SeparableConv.Imaging;
using SeparableConv.Networks;

namespace SeparableConv.Tests.Cli;

public sealed class EvalCommandTests
{
    private static readonly string[] Colors = ["1 red", "2 green", "3 blue"];

    [Fact]
    public void A_perfect_network_is_found_perfect()
    {
        using var folder = Prepared();
        var json = CommandRun.Of("eval", folder["colors.onnx"], folder["data"], "--json").Json();
        Assert.Equal(12, json.GetProperty("pictures").GetInt32());
        Assert.Equal(1, json.GetProperty("accuracy").GetDouble());
        Assert.Equal(1, json.GetProperty("top5").GetDouble());
        Assert.Equal(3, json.GetProperty("classes").GetArrayLength());
        foreach (var entry in json.GetProperty("classes").EnumerateArray())
        {
            Assert.Equal((1, 1, 4), (entry.GetProperty("precision").GetDouble(), entry.GetProperty("recall").GetDouble(),
                entry.GetProperty("count").GetInt32()));
        }

        for (var label = 0; label < 3; label++)
            Assert.Equal(4, json.GetProperty("confusion")[label][label].GetInt32());
    }

    [Fact]
    public void The_loss_is_that_of_the_probabilities()
    {
        // Scores are the mean of a channel: of pictures of one pure colour 1 for its class and 0 for the others.
        using var folder = Prepared();
        var loss = Math.Log(Math.E + 2) - 1;
        var json = CommandRun.Of("eval", folder["colors.onnx"], folder["data"], "--json").Json();
        Assert.Equal(loss, json.GetProperty("loss").GetDouble(), 5);
        json = CommandRun.Of("eval", folder["softmax.onnx"], folder["data"], "--json").Json();
        Assert.Equal(loss, json.GetProperty("loss").GetDouble(), 5);

        // The metadata's mean 0 and deviation 255, or what is asked for.
        Assert.Equal([255], json.GetProperty("std").EnumerateArray().Select(number => number.GetDouble()));
        json = CommandRun.Of("eval", folder["softmax.onnx"], folder["data"], "--std", "25.5", "--json").Json();
        Assert.Equal(Math.Log(Math.Exp(10) + 2) - 10, json.GetProperty("loss").GetDouble(), 5);
    }

    [Fact]
    public void Text_has_a_row_a_class_and_the_confusion()
    {
        using var folder = Prepared();
        File.Move(Path.Combine(folder["data"], "3 blue", "0.png"), Path.Combine(folder["data"], "1 red", "9.png"));
        File.WriteAllText(Path.Combine(folder["data"], "3 blue", "broken.png"), "no picture");
        var run = CommandRun.Of("eval", folder["colors.onnx"], folder["data"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("as the model's metadata says", run.Output);
        Assert.Contains("accuracy   91.7 %", run.Output);
        Assert.Matches(@"1 red +1\.000 +0\.800 +5", run.Output);
        Assert.Matches(@"3 blue +0\.750 +1\.000 +3", run.Output);
        Assert.Matches(@"1 red +0 +4 +\. +1", run.Output);
        Assert.Contains("1 file", run.Output);
        CommandRun.Of("eval", folder["colors.onnx"], folder["data"], "--strict").AssertFails(1, "broken.png");
    }

    [Fact]
    public void What_cannot_be_used_is_refused()
    {
        using var folder = Prepared();
        CommandRun.Of("eval", folder["colors.onnx"]).AssertFails(2, "argument");
        CommandRun.Of("eval", folder["colors.onnx"], folder["data"], "--std", "0").AssertFails(2, "--std");
        CommandRun.Of("eval", folder["colors.onnx"], folder["data"], "--mean", "1,2").AssertFails(1, "--mean has 2 numbers");
        CommandRun.Of("eval", folder["none.onnx"], folder["data"]).AssertFails(1, "none.onnx", "not found");
        CommandRun.Of("eval", folder["colors.onnx"], folder["none"]).AssertFails(1, "none");
        CommandRun.Of("eval", folder["colors.onnx"], "shapes:24").AssertFails(1, "4x4");
        OnnxWriter.Write(SmallCnn.Create(new(8, 8, 3), 4, classes: 3), folder["three.onnx"]);
        CommandRun.Of("eval", folder["three.onnx"], "shapes:24").AssertFails(1, "12 classes", "3)");
        RunModels.SaveClassifier(folder["bytes.tflite"], ElementType.UInt8, [1, 2, 2, 3], (1 / 128f, 128));
        CommandRun.Of("eval", folder["bytes.tflite"], folder["data"]).AssertFails(1, "float32");
    }

    // Pictures of one colour, and networks whose scores are the means of the channels, in the order of the folders.
    private static TempFolder Prepared()
    {
        var folder = new TempFolder();
        for (var c = 0; c < 3; c++)
        {
            var classFolder = Directory.CreateDirectory(Path.Combine(folder["data"], Colors[c]));
            var pixels = Enumerable.Range(0, 4 * 4 * 3).Select(i => i % 3 == c ? byte.MaxValue : byte.MinValue).ToArray();
            for (var i = 0; i < 4; i++)
                ImageFile.Save(Image.Create(4, 4, 3, pixels), Path.Combine(classFolder.FullName, $"{i}.png"));
        }

        foreach (var (file, isSoftmax) in ((string, bool)[])[("colors.onnx", false), ("softmax.onnx", true)])
        {
            var net = new NetworkBuilder();
            var means = net.GlobalAveragePooling2D(net.Input(new(4, 4, 3)));
            var network = net.Build(isSoftmax ? net.Softmax(means) : means);
            OnnxWriter.Write(network.WithMetadata(new Normalization([0], [255]).ToMetadata()), folder[file]);
        }

        return folder;
    }
}
