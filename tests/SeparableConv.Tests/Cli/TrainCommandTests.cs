using System.Text.Json;
using System.Xml.Linq;
using SeparableConv.Cli.Output;
using SeparableConv.Imaging;
using SeparableConv.Networks;
using SeparableConv.Training;

namespace SeparableConv.Tests.Cli;

public sealed class TrainCommandTests
{
    // Twelve classes: chance is a twelfth.
    private const string Data = "shapes:400:16";
    private const string Model = "cnn:separable:8";

    [Fact]
    public void A_training_learns_and_writes_its_files()
    {
        using var folder = new TempFolder();
        var json = Train(folder, "out.onnx", "--epochs", "8", "--validation", "0", "--json").Json();
        Assert.Equal("training", json.GetProperty("evaluated").GetString());
        Assert.Equal(400, json.GetProperty("pictures").GetInt32());
        Assert.True(json.GetProperty("accuracy").GetDouble() > 0.2, $"{json}");
        Assert.Equal(96, json.GetProperty("stepsDone").GetInt32());
        Assert.Equal(["out.labels.txt", "out.metrics.jsonl", "out.onnx", "out.report.html"], folder.Names);

        // The file has a softmax of its own, where the network that was trained has it within its last layer.
        var again = CommandRun.Of("eval", folder["out.onnx"], Data, "--json").Json();
        Assert.Equal(json.GetProperty("accuracy").GetDouble(), again.GetProperty("accuracy").GetDouble());
        Assert.Equal(json.GetProperty("loss").GetDouble(), again.GetProperty("loss").GetDouble(), 4);

        var classes = ClassLabels.Load(folder["out.labels.txt"]);
        Assert.Equal(12, classes.Count);
        var network = ModelFile.Load(folder["out.onnx"]);
        Assert.Equal("(1,16,16,3)", network.Inputs[0].Shape.ToString());
        Assert.Equal(12, network.Outputs[0].Shape[^1]);
        Assert.Equal(Numbers(json, "mean"), Normalization.Of(network)!.Mean.ToArray());
        Assert.Equal(Numbers(json, "std"), Normalization.Of(network)!.Deviation.ToArray());

        var lines = File.ReadAllLines(folder["out.metrics.jsonl"]).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal(9, lines.Length);
        Assert.Equal("8", lines[0].GetProperty("options").GetProperty("epochs").GetString());
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], lines[1..].Select(line => line.GetProperty("epoch").GetInt32()));
        Assert.True(lines[8].GetProperty("loss").GetDouble() < lines[1].GetProperty("loss").GetDouble());
    }

    [Fact]
    public void Redirected_output_has_a_line_an_epoch()
    {
        using var folder = new TempFolder();
        var run = Train(folder, "out.onnx", "--epochs", "2", "--validation", "40");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Matches(@"(?m)^epoch 1/2  loss \d\.\d{4}  accuracy \d+\.\d %  validation loss .* accuracy", run.Output);
        Assert.Matches("(?m)^epoch 2/2 ", run.Output);
        Assert.Contains("400 pictures of 16x16x3 in 12 classes, 40 of them to validate", run.Output);
        Assert.Contains(folder["out.report.html"], run.Output);
    }

    [Fact]
    public void Run_normalizes_as_the_model_says()
    {
        using var folder = new TempFolder();
        Assert.Equal(0, Train(folder, "out.onnx", "--steps", "2").Code);
        var pixels = new byte[16 * 16 * 3];
        PictureDataSet.Shapes(1, 16).Read(0, pixels);
        ImageFile.Save(Image.Create(16, 16, 3, pixels), folder["a.png"]);
        var run = CommandRun.Of("run", folder["out.onnx"], folder["a.png"], "--labels", folder["out.labels.txt"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("as the model's metadata says", run.Output);
        Assert.Contains("circle", run.Output);
        Assert.Contains("as --mean and --std say", CommandRun.Of("run", folder["out.onnx"], folder["a.png"], "--mean", "1").Output);
    }

    [Fact]
    public void A_resumed_training_gives_the_same_bits()
    {
        using var folder = new TempFolder();
        string[] options =
        [
            "--epochs", "3", "--augment", "flip,shift:2", "--optimizer", "nesterov", "--l1", "1e-4", "--lr", "0.05", "--ema", "0.9",
            "--checkpoint",
        ];
        var whole = Train(folder, "whole.onnx", [.. options, folder["whole.safetensors"]]);
        Assert.Equal((0, ""), (whole.Code, whole.Error));

        // What reads the lines goes away after the second epoch.
        using var output = new ClosingWriter("epoch 2/3");
        using var error = new StringWriter();
        var code = SeparableConv.Cli.Program.Run(
            ["train", Data, "--model", Model, "--batch", "33", "-o", folder["part.onnx"], .. options, folder["part.safetensors"]],
            new Terminal(output, error, () => Stream.Null, () => Stream.Null, IsInteractive: false));
        Assert.Equal(1, code);
        Assert.False(File.Exists(folder["part.onnx"]));
        Assert.True(File.Exists(folder["part.safetensors"]));

        var rest = Train(folder, "part.onnx", [.. options, folder["part.safetensors"], "--resume", "--threads", "1"]);
        Assert.Equal((0, ""), (rest.Code, rest.Error));
        Assert.DoesNotContain("epoch 2/3", rest.Output);
        Assert.Equal(File.ReadAllBytes(folder["whole.onnx"]), File.ReadAllBytes(folder["part.onnx"]));
        Assert.Equal(4, File.ReadAllLines(folder["part.metrics.jsonl"]).Length);

        Train(folder, "part.onnx", [.. options, folder["part.safetensors"], "--resume", "--seed", "5", "--json"])
            .AssertFails(1, "other settings");
    }

    [Fact]
    public void A_network_from_a_file_is_trained_on()
    {
        using var folder = new TempFolder();
        Assert.Equal(0, Train(folder, "before.onnx", "--steps", "2").Code);
        var json = CommandRun.Of(
            "train", "shapes:200", "--model", folder["before.onnx"], "-o", folder["after.onnx"], "--steps", "2", "--json").Json();
        Assert.Equal(Normalization.Of(ModelFile.Load(folder["before.onnx"]))!.Mean.ToArray(), Numbers(json, "mean"));

        OnnxWriter.Write(SmallCnn.Create(new(16, 16, 3), 4, classes: 7), folder["seven.onnx"]);
        CommandRun.Of("train", "shapes:200", "--model", folder["seven.onnx"], "-o", folder["x.onnx"])
            .AssertFails(1, "7 classes", "have 12", "--model");
        CommandRun.Of("train", "shapes:200", "--model", folder["before.onnx"], "-o", folder["before.onnx"])
            .AssertFails(1, "overwritten");
    }

    [Fact]
    public void A_teacher_is_learned_from()
    {
        using var folder = new TempFolder();
        Assert.Equal(0, Train(folder, "teacher.onnx", "--steps", "6").Code);
        string[] options = ["--model", "cnn:separable:4", "--teacher", folder["teacher.onnx"], "--steps", "4", "--batch", "33"];
        var run = CommandRun.Of(["train", "shapes:400", .. options, "-o", folder["a.onnx"]]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Matches("(?m)^teacher .*teacher.onnx: weight 1, temperature 2$", run.Output);

        // Drawn in the teacher's size, and normalized as it was.
        var (teacher, student) = (ModelFile.Load(folder["teacher.onnx"]), ModelFile.Load(folder["a.onnx"]));
        Assert.Equal(teacher.Inputs[0].Shape, student.Inputs[0].Shape);
        Assert.Equal(Normalization.Of(teacher)!.Mean.ToArray(), Normalization.Of(student)!.Mean.ToArray());

        string[] part = ["--teacher-weight", "0.5", "--temperature", "4", "--smoothing", "0.1", "--checkpoint", folder["c.safetensors"]];
        var json = CommandRun.Of(["train", "shapes:400", .. options, .. part, "-o", folder["b.onnx"], "--json"]).Json();
        Assert.Equal("0.5", json.GetProperty("options").GetProperty("teacher-weight").GetString());
        Assert.Equal("4", json.GetProperty("options").GetProperty("temperature").GetString());
        Assert.NotEqual(File.ReadAllBytes(folder["a.onnx"]), File.ReadAllBytes(folder["b.onnx"]));
        part[3] = "3";
        CommandRun.Of(["train", "shapes:400", .. options, .. part, "-o", folder["b.onnx"], "--resume", "--json"])
            .AssertFails(1, "other settings");
    }

    [Fact]
    public void A_teacher_that_cannot_be_used_is_refused()
    {
        using var folder = new TempFolder();
        OnnxWriter.Write(SmallCnn.Create(new(16, 16, 3), 4, classes: 7), folder["seven.onnx"]);
        OnnxWriter.Write(SmallCnn.Create(new(20, 20, 3), 4, classes: 12), folder["large.onnx"]);
        File.WriteAllText(folder["text.onnx"], "no network");
        Train(folder, "out.onnx", "--teacher", folder["none.onnx"]).AssertFails(1, "none.onnx", "not found");
        Train(folder, "out.onnx", "--teacher", folder["text.onnx"]).AssertFails(1, "text.onnx");
        Train(folder, "out.onnx", "--teacher", folder.Path).AssertFails(1, "is a directory");
        Train(folder, "out.onnx", "--teacher", folder["seven.onnx"]).AssertFails(1, "seven.onnx", "7 classes", "have 12");
        Train(folder, "out.onnx", "--teacher", folder["large.onnx"], "--json").AssertFails(1, "teacher's input", "(33,20,20,3)");
        Train(folder, "large.onnx", "--teacher", folder["large.onnx"]).AssertFails(1, "overwritten");
        Train(folder, "out.onnx", "--teacher", "").AssertFails(2, "name of the teacher is empty");
        Train(folder, "out.onnx", "--teacher-weight", "0.5").AssertFails(2, "--teacher-weight changes nothing without --teacher");
        Train(folder, "out.onnx", "--temperature", "2").AssertFails(2, "--temperature changes nothing without --teacher");
        Train(folder, "out.onnx", "--teacher", "a.onnx", "--teacher-weight", "1.1").AssertFails(2, "'1.1' is above 1");
        Train(folder, "out.onnx", "--teacher", "a.onnx", "--temperature", "0").AssertFails(2, "above 0");
        Train(folder, "out.onnx", "--teacher", "a.onnx", "--smoothing", "0.1").AssertFails(2, "--smoothing", "--teacher-weight");
        CommandRun.Of("train", Data, "--compare", "--teacher", "a.onnx", "-o", folder["a.html"]).AssertFails(2, "leave --teacher out");
        Assert.Equal(["large.onnx", "seven.onnx", "text.onnx"], folder.Names);
    }

    [Fact]
    public void A_time_is_kept()
    {
        using var folder = new TempFolder();
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var json = Train(folder, "out.onnx", "--minutes", "0.05", "--json").Json();

        // Behind the time there is only what the machine is late with: compiling, a last validation, and the report.
        Assert.InRange(watch.Elapsed.TotalSeconds, 0.3, 10);
        Assert.True(json.GetProperty("stepsDone").GetInt64() > 1);
        Assert.False(json.GetProperty("options").TryGetProperty("epochs", out _));
    }

    [Fact]
    public void The_report_is_whole_and_needs_nothing_else()
    {
        using var folder = new TempFolder();
        Assert.Equal(0, Train(folder, "out.onnx", "--epochs", "2").Code);
        var text = File.ReadAllText(folder["out.report.html"]);
        var page = XDocument.Parse(text.Replace("<!DOCTYPE html>", "", StringComparison.Ordinal));
        Assert.DoesNotContain(page.Descendants(), e => e.Name.LocalName is "script" or "link" or "iframe" or "object");
        var sources = page.Descendants().Attributes().Where(a => a.Name.LocalName is "src" or "href").Select(a => a.Value).ToArray();
        Assert.NotEmpty(sources);
        Assert.All(sources, source => Assert.StartsWith("data:image/png;base64,", source));
        Assert.DoesNotContain("url(", text.Replace("url(#", "", StringComparison.Ordinal));
        var names = page.Descendants().Attributes("id").Select(a => a.Value).ToArray();
        Assert.Equal(names.Distinct(), names);
        Assert.Equal(2, page.Descendants().Count(e => e.Name.LocalName == "svg"));

        // The names of the classes, and a row a class.
        var confusion = page.Descendants("table").Single(table => (string?)table.Attribute("class") == "confusion");
        Assert.Equal(13, confusion.Elements("tr").Count());
        Assert.Contains(page.Descendants("td"), cell => cell.Value == "half disc");

        using var png = new MemoryStream(Convert.FromBase64String(sources[0].Split(',')[1]));
        Assert.Equal((16, 16, 3), (ImageFile.Load(png) is var image ? image.Width : 0, image.Height, image.Channels));
    }

    [Theory]
    [InlineData(2, "--model", "resnet", "cnn:residual")]
    [InlineData(2, "--optimizer", "adagrad", "adamw")]
    [InlineData(2, "--lr", "0", "above 0")]
    [InlineData(2, "--l1", "-1", "--l1")]
    [InlineData(2, "--schedule", "step", "step:N")]
    [InlineData(2, "--schedule", "onecycle:2", "--schedule")]
    [InlineData(2, "--augment", "flop", "flip")]
    [InlineData(2, "--smoothing", "1", "below 1")]
    [InlineData(2, "--validation", "1.5", "whole number")]
    [InlineData(2, "--size", "0x3", "HxW")]
    [InlineData(2, "--epochs", "0", "from 1 up")]
    [InlineData(1, "--validation", "400", "399")]
    [InlineData(1, "--checkpoint", "none/x.safetensors", "directory")]
    [InlineData(1, "--size", "8x9", "squares")]
    public void What_cannot_be_used_is_refused(int code, string option, string value, string piece)
    {
        using var folder = new TempFolder();
        var run = CommandRun.Of("train", Data, "-o", folder["out.onnx"], "--json", option, value);
        Assert.Equal(code, run.Code);
        Assert.Contains(piece, run.Error);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
        Assert.Empty(folder.Names);
    }

    [Fact]
    public void Options_and_places_must_suit_each_other()
    {
        using var folder = new TempFolder();
        Train(folder, "out.onnx", "--epochs", "1", "--minutes", "1").AssertFails(2, "one of them");
        Train(folder, "out.onnx", "--resume").AssertFails(2, "--checkpoint");
        Train(folder, "out.onnx", "--resume", "--checkpoint", folder["none.safetensors"]).AssertFails(1, "none.safetensors", "not found");
        Train(folder, "out.onnx", "--resume", "--checkpoint", "x.safetensors", "--minutes", "1").AssertFails(2, "--steps");
        Train(folder, "out.tflite").AssertFails(2, ".onnx");
        Train(folder, "none/out.onnx").AssertFails(1, "does not exist", "mkdir");
        CommandRun.Of("train", Data).AssertFails(2, "--output");
        CommandRun.Of("train", "shapes:x", "-o", "a.onnx").AssertFails(2, "whole number");
        CommandRun.Of("train", folder["none"], "-o", folder["a.onnx"]).AssertFails(1, "none");
        CommandRun.Of("train", folder.Path, "-o", folder["a.onnx"]).AssertFails(1, folder.Path);
        Assert.Empty(folder.Names);
    }

    [Fact]
    public void A_training_that_diverges_saves_nothing()
    {
        using var folder = new TempFolder();
        Train(folder, "out.onnx", "--epochs", "3", "--optimizer", "sgd", "--lr", "1e30", "--schedule", "constant", "--json")
            .AssertFails(1, "lower the learning rate");
        Assert.DoesNotContain("out.onnx", folder.Names);
    }

    private static CommandRun Train(TempFolder folder, string output, params string[] options) =>
        CommandRun.Of(["train", Data, "--model", Model, "--batch", "33", "-o", folder[output], .. options]);

    private static double[] Numbers(JsonElement json, string name) =>
        [.. json.GetProperty(name).EnumerateArray().Select(number => number.GetDouble())];

    /// <summary>Fails at a line, as a pipe does whose reader has gone.</summary>
    private sealed class ClosingWriter(string at) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            if (value?.StartsWith(at, StringComparison.Ordinal) == true)
                throw new IOException("Broken pipe");
            base.WriteLine(value);
        }
    }
}
