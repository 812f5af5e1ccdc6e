using System.Text.Json;
using SeparableConv.Imaging;
using SeparableConv.Tests.Imaging;

namespace SeparableConv.Tests.Cli;

public sealed class RunCommandTests
{
    private static readonly byte[] Pixels = [0, 1, 2, 127, 128, 129, 10, 20, 30, 253, 254, 255];

    [Fact]
    public void The_best_classes_of_a_picture_are_told()
    {
        using var folder = Prepared();
        var json = CommandRun.Of("run", folder["bytes.tflite"], folder["a.png"], "--top", "3", "--json").Json();
        var result = Assert.Single(json.GetProperty("results").EnumerateArray());
        Assert.Equal(folder["a.png"], result.GetProperty("input").GetString());
        Assert.Equal([(11, 255 / 128.0 - 1), (10, 254 / 128.0 - 1), (9, 253 / 128.0 - 1)], Top(result));
        Assert.False(result.GetProperty("top")[0].TryGetProperty("label", out _));
        Assert.Equal(
            5,
            CommandRun.Of("run", folder["bytes.tflite"], folder["a.png"], "--json")
                .Json().GetProperty("results")[0].GetProperty("top").GetArrayLength());
        Assert.Equal(
            12,
            CommandRun.Of("run", folder["bytes.tflite"], folder["a.png"], "--top", "99", "--json")
                .Json().GetProperty("results")[0].GetProperty("top").GetArrayLength());
    }

    [Fact]
    public void Classes_have_the_names_of_the_labels()
    {
        using var folder = Prepared();
        var json = CommandRun.Of("run", folder["bytes.tflite"], folder["a.png"], "--labels", folder["labels.txt"], "--json").Json();
        Assert.Equal("class eleven", json.GetProperty("results")[0].GetProperty("top")[0].GetProperty("label").GetString());
        var text = CommandRun.Of("run", folder["bytes.tflite"], folder["a.png"], "--labels", folder["labels.txt"], "--top", "1");
        Assert.Equal((0, ""), (text.Code, text.Error));
        Assert.Contains("pixels as they are", text.Output);
        Assert.Matches(@"class eleven +11 +0\.992188", text.Output);

        File.WriteAllLines(folder["short.txt"], File.ReadLines(folder["labels.txt"]).Skip(1));
        CommandRun.Of("run", folder["bytes.tflite"], folder["a.png"], "--labels", folder["short.txt"])
            .AssertFails(1, "11 lines", "12 classes");
        CommandRun.Of("run", folder["bytes.tflite"], folder["a.png"], "--labels", folder["none.txt"])
            .AssertFails(1, "none.txt", "not found");
        CommandRun.Of("run", folder["two.tflite"], folder["a.png"], "--labels", folder["labels.txt"]).AssertFails(1, "--labels", "a/b:0");
        CommandRun.Of("run", folder["two.tflite"], folder["a.png"], "--top", "2").AssertFails(1, "--top");
    }

    [Fact]
    public void Normalization_is_the_options_or_told()
    {
        using var folder = Prepared();
        var text = CommandRun.Of("run", folder["floats.tflite"], folder["a.png"]);
        Assert.Contains("(pixel - 127.5) / 127.5", text.Output);
        Assert.Equal(1, Score(CommandRun.Of("run", folder["floats.tflite"], folder["a.png"], "--json")));
        Assert.Equal(255, Score(CommandRun.Of("run", folder["floats.tflite"], folder["a.png"], "--std", "1", "--json")));
        Assert.Equal(25, Score(CommandRun.Of("run", folder["floats.tflite"], folder["a.png"], "--mean", "3,4,5", "--std", "10", "--json")));
        CommandRun.Of("run", folder["floats.tflite"], folder["a.png"], "--mean", "1,2").AssertFails(1, "--mean has 2 numbers");
        CommandRun.Of("run", folder["floats.tflite"], folder["a.npy"], "--mean", "1").AssertFails(1, "--mean", ".npy");
        CommandRun.Of("run", folder["floats.tflite"], folder["a.png"], "--mean", "x").AssertFails(2, "--mean");
        CommandRun.Of("run", folder["floats.tflite"], folder["a.png"], "--std", "1,0,1").AssertFails(2, "--std");
    }

    [Fact]
    public void A_tensor_is_taken_as_it_is()
    {
        using var folder = Prepared();
        Assert.Equal(-12.5, Score(CommandRun.Of("run", folder["floats.tflite"], folder["a.npy"], "--json")));
        NpyFile.Save(folder["flat.npy"], NpyArray.Create<float>(new float[12], 2, 6));
        NpyFile.Save(folder["double.npy"], NpyArray.Create<double>(new double[12], 2, 2, 3));
        NpyFile.Save(folder["whole.npy"], NpyArray.Create<float>(new float[12], 1, 2, 2, 3));
        CommandRun.Of("run", folder["floats.tflite"], folder["flat.npy"]).AssertFails(1, "flat.npy", "float32 (2,6)", "float32 (1,2,2,3)");
        CommandRun.Of("run", folder["floats.tflite"], folder["double.npy"])
            .AssertFails(1, "double.npy", "float64 (2,2,3)", "float32 (1,2,2,3)");
        Assert.Equal(0, CommandRun.Of("run", folder["floats.tflite"], folder["whole.npy"]).Code);
        File.WriteAllBytes(folder["cut.npy"], File.ReadAllBytes(folder["whole.npy"])[..^4]);
        CommandRun.Of("run", folder["floats.tflite"], folder["cut.npy"]).AssertFails(1, "cut.npy", "cut off");
    }

    [Fact]
    public void Inputs_are_given_by_name()
    {
        using var folder = Prepared();
        string[] both = ["--input", $"t1={folder["r.npy"]}", "--input", $"t0={folder["l.npy"]}"];
        Assert.Equal(
            [(1, 20.0), (0, 10.0), (3, 4.0), (2, 3.0)],
            Top(CommandRun.Of(["run", folder["join.tflite"], .. both, "--json"]).Json().GetProperty("results")[0]));
        var one = CommandRun.Of("run", folder["join.tflite"], folder["r.npy"], "--input", $"t0={folder["l.npy"]}", "--json").Json();
        Assert.Equal([(1, 20.0), (0, 10.0), (3, 4.0), (2, 3.0)], Top(one.GetProperty("results")[0]));
        CommandRun.Of("run", folder["join.tflite"], "--input", $"t0={folder["l.npy"]}").AssertFails(1, "'t1'", "float32 (1,2)");
        CommandRun.Of("run", folder["join.tflite"], folder["l.npy"]).AssertFails(1, "2 inputs", "'t0'", "'t1'");
        CommandRun.Of(["run", folder["join.tflite"], folder["l.npy"], .. both]).AssertFails(1, "left for a picture");
        CommandRun.Of("run", folder["join.tflite"], "--input", $"t7={folder["l.npy"]}").AssertFails(1, "no input 't7'", "'t0'");
        CommandRun.Of("run", folder["join.tflite"], "--input", $"t0={folder["missing.npy"]}").AssertFails(1, "missing.npy", "not found");
        CommandRun.Of("run", folder["join.tflite"], "--input", $"t0={folder["a.npy"]}").AssertFails(1, "a.npy", "(2,2,3)");
        CommandRun.Of("run", folder["join.tflite"], "--input", "t0").AssertFails(2, "--input", "NAME=FILE.npy");
        CommandRun.Of("run", folder["join.tflite"], "--input", "t0=a.npy", "--input", "t0=b.npy").AssertFails(2, "2 times");
    }

    [Fact]
    public void Other_networks_tell_what_came_out()
    {
        using var folder = Prepared();
        var run = CommandRun.Of("run", folder["two.tflite"], folder["a.png"], "--mean", "0", "--std", "1", "--json").Json();
        var outputs = run.GetProperty("results")[0].GetProperty("outputs");
        Assert.Equal(2, outputs.GetArrayLength());
        Assert.Equal("a/b:0", outputs[0].GetProperty("name").GetString());
        Assert.Equal("float32", outputs[0].GetProperty("type").GetString());
        Assert.Equal([2, 6], outputs[0].GetProperty("shape").EnumerateArray().Select(e => e.GetInt32()));
        Assert.Equal((0.0, 255.0), (outputs[0].GetProperty("min").GetDouble(), outputs[0].GetProperty("max").GetDouble()));
        Assert.Equal(Pixels.Average(p => (double)p), outputs[0].GetProperty("mean").GetDouble(), 9);
        Assert.Matches(
            @"a/b:0 .*float32 .*\(2,6\) .*0 .*255 .*100\.75",
            CommandRun.Of("run", folder["two.tflite"], folder["a.png"], "--mean", "0").Output);
    }

    [Fact]
    public void Outputs_are_written_with_their_type_and_shape()
    {
        using var folder = Prepared();
        var json = CommandRun.Of(
            "run", folder["two.tflite"], folder["a.png"], "--std", "1", "--output", folder["out/deep"], "--json").Json();
        string[] files = [folder["out/deep/a_b_0.npy"], folder["out/deep/a_b_0_1.npy"]];
        Assert.Equal(files, json.GetProperty("results")[0].GetProperty("files").EnumerateArray().Select(e => e.GetString()!));
        Assert.Equal([2, 6], NpyFile.Load(files[0]).Shape.ToArray());
        Assert.Equal([12], NpyFile.Load(files[1]).Shape.ToArray());
        Assert.Equal(Array.ConvertAll(Pixels, p => (float)p), NpyFile.Load(files[1]).As<float>().ToArray());

        Assert.Equal(0, CommandRun.Of("run", folder["bytes.tflite"], folder["a.png"], "-o", folder["one.npy"]).Code);
        Assert.Equal([1, 12], NpyFile.Load(folder["one.npy"]).Shape.ToArray());
        Assert.Equal(Pixels, NpyFile.Load(folder["one.npy"]).As<byte>().ToArray());

        var stream = CommandRun.Of("run", folder["bytes.tflite"], folder["a.png"], "-o", "-");
        Assert.Equal((0, ""), (stream.Code, stream.Output));
        Assert.Equal(File.ReadAllBytes(folder["one.npy"]), stream.Bytes);
        Assert.Contains("class", stream.Error);
    }

    [Fact]
    public void What_cannot_be_written_leaves_nothing()
    {
        using var folder = Prepared();
        File.WriteAllText(folder["file"], "old");
        var names = folder.Names;
        CommandRun.Of("run", folder["two.tflite"], folder["a.png"], "-o", folder["one.npy"]).AssertFails(1, "2 outputs", "directory");
        CommandRun.Of("run", folder["two.tflite"], folder["a.png"], "-o", "-").AssertFails(1, "2 outputs", "standard output");
        CommandRun.Of("run", folder["bytes.tflite"], folder["a.png"], "-o", folder["no/one.npy"]).AssertFails(1, "does not exist");
        CommandRun.Of("run", folder["bytes.tflite"], folder["a.png"], "-o", folder["file"]).AssertFails(1, "is a file");
        CommandRun.Of("run", folder["bytes.tflite"], folder["a.png"], "-o", folder["file/deeper"]).AssertFails(1, "file");
        CommandRun.Of("run", folder["bytes.tflite"], folder["missing.png"], "-o", folder["out"]).AssertFails(1, "missing.png");
        CommandRun.Of("run", folder["floats.tflite"], folder["bytes.npy"], "-o", folder["out/"]).AssertFails(1, "bytes.npy");
        Assert.Equal(names, folder.Names);
        Assert.False(Directory.Exists(folder["out"]));

        // The second output's name is taken by a directory: the first one goes again.
        Directory.CreateDirectory(folder["out/a_b_0_1.npy"]);
        CommandRun.Of("run", folder["two.tflite"], folder["a.png"], "-o", folder["out"]).AssertFails(1, "a_b_0_1.npy");
        Assert.Empty(Directory.GetFiles(folder["out"]));
    }

    [Fact]
    public void Many_inputs_run_one_after_another()
    {
        using var folder = Prepared();
        ImageFile.Save(TestImages.Noise<byte>(9, 5, 1), folder["b.png"]);
        string[] inputs = [folder["a.png"], folder["b.png"], folder["bytes.npy"]];
        var json = CommandRun.Of(["run", folder["bytes.tflite"], .. inputs, "-o", folder["out"], "--json"]).Json();
        Assert.Equal(inputs, json.GetProperty("results").EnumerateArray().Select(r => r.GetProperty("input").GetString()!));
        Assert.Equal(Pixels, NpyFile.Load(folder["out/a/t2.npy"]).As<byte>().ToArray());
        Assert.True(File.Exists(folder["out/b/t2.npy"]));
        Assert.Equal(12, NpyFile.Load(folder["out/bytes/t2.npy"]).Count);

        var lines = CommandRun.Of(["run", folder["bytes.tflite"], .. inputs, "--top", "1"]).Output.TrimEnd().Split('\n');
        Assert.Equal(3, lines.Count(line => line.Contains(": class ", StringComparison.Ordinal)));
        Assert.Contains(lines, line => line.StartsWith(folder["a.png"] + ": class 11 0.992188", StringComparison.Ordinal));

        var failing = CommandRun.Of(
            "run", folder["bytes.tflite"], folder["a.png"], folder["labels.txt"], folder["missing.png"], folder["b.png"], "--json");
        Assert.Equal(1, failing.Code);
        Assert.Equal(2, JsonDocument.Parse(failing.Output).RootElement.GetProperty("results").GetArrayLength());
        var errors = failing.Error.TrimEnd().Split('\n');
        Assert.Equal(3, errors.Length);
        Assert.Contains("labels.txt", errors[0]);
        Assert.Contains("missing.png", errors[1]);
        Assert.Contains("2 of 4 inputs failed", errors[2]);

        Directory.CreateDirectory(folder["other"]);
        File.Copy(folder["a.png"], folder["other/a.png"]);
        CommandRun.Of("run", folder["bytes.tflite"], folder["a.png"], folder["other/a.png"], "-o", folder["x"])
            .AssertFails(1, "both go to");
        CommandRun.Of("run", folder["bytes.tflite"], folder["a.png"], folder["b.png"], "-o", folder["one.npy"]).AssertFails(2, "directory");
    }

    [Fact]
    public void Repeats_and_layers_are_timed()
    {
        using var folder = Prepared();
        var json = CommandRun.Of(
            "run", folder["join.tflite"], folder["r.npy"], "--input", $"t0={folder["l.npy"]}",
            "--repeat", "5", "--profile", "--threads", "1", "--json").Json();
        var times = json.GetProperty("results")[0].GetProperty("milliseconds");
        Assert.InRange(times.GetProperty("min").GetDouble(), 0, times.GetProperty("median").GetDouble());
        var layer = Assert.Single(json.GetProperty("profile").EnumerateArray());
        Assert.Equal(1, layer.GetProperty("share").GetDouble());
        var text = CommandRun.Of(
            "run", folder["join.tflite"], folder["r.npy"], "--input", $"t0={folder["l.npy"]}", "--repeat", "5", "--profile");
        Assert.Contains("(median of 5; fastest", text.Output);
        Assert.Contains("100.0 %", text.Output);
        Assert.False(
            CommandRun.Of("run", folder["bytes.tflite"], folder["a.png"], "--json")
                .Json().GetProperty("results")[0].TryGetProperty("milliseconds", out _));
    }

    [Fact]
    public void Standard_input_is_a_picture()
    {
        using var folder = Prepared();
        var run = CommandRun.WithInput(
            File.ReadAllBytes(folder["a.png"]), "run", folder["bytes.tflite"], "-", "--top", "1", "--json").Json();
        Assert.Equal([(11, 255 / 128.0 - 1)], Top(run.GetProperty("results")[0]));
        CommandRun.Of("run", folder["bytes.tflite"], "-", folder["a.png"]).AssertFails(2, "Standard input");
    }

    [Fact]
    public void What_is_read_is_not_overwritten()
    {
        using var folder = Prepared();
        var before = File.ReadAllBytes(folder["bytes.npy"]);
        CommandRun.Of("run", folder["bytes.tflite"], folder["bytes.npy"], "-o", folder["bytes.npy"])
            .AssertFails(1, "bytes.npy", "overwritten", "another name");
        CommandRun.Of("run", folder["bytes.tflite"], "--input", $"t0={folder["bytes.npy"]}", "-o", folder["bytes.npy"])
            .AssertFails(1, "overwritten");
        Assert.Equal(before, File.ReadAllBytes(folder["bytes.npy"]));
    }

    [Fact]
    public void A_tensor_of_another_type_and_shape_is_told_to_be_another_inputs()
    {
        using var folder = Prepared();
        NpyFile.Save(folder["other.npy"], NpyArray.Create<double>(new double[6], 6));
        CommandRun.Of("run", folder["bytes.tflite"], folder["other.npy"])
            .AssertFails(1, "float64 (6)", "uint8 (1,2,2,3)", "another input or network");
    }

    [Fact]
    public void Models_that_are_none_are_refused_in_one_line()
    {
        using var folder = Prepared();
        var whole = File.ReadAllBytes(folder["bytes.tflite"]);
        File.WriteAllBytes(folder["cut.tflite"], whole[..(whole.Length / 2)]);
        File.WriteAllBytes(folder["empty.tflite"], []);
        CommandRun.Of("run", folder["missing.tflite"], folder["a.png"]).AssertFails(1, "missing.tflite", "not found");
        CommandRun.Of("run", folder["cut.tflite"], folder["a.png"]).AssertFails(1, "cut.tflite");
        CommandRun.Of("run", folder["empty.tflite"], folder["a.png"]).AssertFails(1, "empty.tflite");
        CommandRun.Of("run", folder["a.png"], folder["a.png"]).AssertFails(1, "a.png");
        CommandRun.Of("run", folder.Path, folder["a.png"]).AssertFails(1, folder.Path, "is a directory");
        CommandRun.Of("run", folder["bytes.tflite"], folder["a.png"], "--shape", "nothing=1x2x2x3").AssertFails(1, "nothing");
    }

    [Theory]
    [InlineData("--top", "0")]
    [InlineData("--repeat", "0")]
    [InlineData("--threads", "0")]
    [InlineData("--mean", "1,,2")]
    [InlineData("--std", "0")]
    [InlineData("--shape", "1x2x3")]
    [InlineData("--shape", "x=1x0x3")]
    [InlineData("--input", "=a.npy")]
    [InlineData("--labls", "a.txt")]
    public void Malformed_options_are_wrong_usage(string option, string value) =>
        CommandRun.Of("run", "model.onnx", "a.png", option, value).AssertFails(2, option, "See sepconv run --help.");

    [Fact]
    public void Nothing_to_run_is_wrong_usage()
    {
        CommandRun.Of("run").AssertFails(2);
        CommandRun.Of("run", "model.onnx").AssertFails(2, "nothing to run");
        CommandRun.Of("run", "model.onnx", "").AssertFails(2, "empty");
        CommandRun.Of("run", "", "a.png").AssertFails(2, "empty");
        CommandRun.Of("run", "model.onnx", "a.png", "-o", "").AssertFails(2, "empty");
    }

    [Fact]
    public void Open_lengths_are_those_of_the_tensor_or_picture()
    {
        using var folder = Prepared();
        RunModels.SaveOpen(folder["open.onnx"]);
        NpyFile.Save(folder["three.npy"], NpyArray.Create<float>(new float[3 * 3 * 4 * 5], 3, 3, 4, 5));
        NpyFile.Save(folder["one.npy"], NpyArray.Create<float>(new float[3 * 2 * 2], 3, 2, 2));
        ImageFile.Save(Image.Create<byte>(5, 4, 3, new byte[60]), folder["b.png"]);
        Assert.Equal(["3,3,4,5"], Shapes(folder["three.npy"]));
        Assert.Equal(["1,3,2,2"], Shapes("--input", $"x={folder["one.npy"]}"));

        // Pictures of two sizes: a network for each; what cannot be read is passed over.
        File.WriteAllText(folder["broken.png"], "nothing");
        Assert.Equal(["1,3,2,2"], Shapes(folder["a.png"]));
        string[] images = [.. new[] { "broken.png", "a.png", "b.png", "a.png", "one.npy" }.Select(name => folder[name])];
        var several = CommandRun.Of(["run", folder["open.onnx"], .. images, "--json"]);
        Assert.Equal(1, several.Code);
        using var json = JsonDocument.Parse(several.Output);
        Assert.Equal(["1,3,2,2", "1,3,4,5", "1,3,2,2", "1,3,2,2"], ShapesIn(json.RootElement));

        // What is asked for comes before what is given.
        CommandRun.Of("run", folder["open.onnx"], folder["three.npy"], "--shape", "x=2x3x4x5")
            .AssertFails(1, "three.npy", "(3,3,4,5)", "(2,3,4,5)");

        string[] Shapes(params string[] arguments) =>
            ShapesIn(CommandRun.Of(["run", folder["open.onnx"], .. arguments, "--json"]).Json());

        static string[] ShapesIn(JsonElement json) =>
        [
            .. json.GetProperty("results").EnumerateArray()
                .Select(result => string.Join(',', result.GetProperty("outputs")[0].GetProperty("shape").EnumerateArray())),
        ];
    }

    [Fact]
    public void Tensors_that_decide_on_shapes_are_known_at_load()
    {
        using var folder = Prepared();
        RunModels.SaveReshape(folder["reshape.onnx"]);
        NpyFile.Save(folder["x.npy"], NpyArray.Create<float>([1, 2, 3, 4, 5, 6], 6));
        NpyFile.Save(folder["shape.npy"], NpyArray.Create<long>([3, -1], 2));
        var json = CommandRun.Of(
            "run",
            folder["reshape.onnx"],
            "--input",
            $"x={folder["x.npy"]}",
            "--input",
            $"shape={folder["shape.npy"]}",
            "--output",
            folder["out"],
            "--json").Json();
        Assert.Equal([3, 2], NpyFile.Load(Path.Combine(folder["out"], "y.npy")).Shape.ToArray());
        Assert.Equal("[3,2]", json.GetProperty("results")[0].GetProperty("outputs")[0].GetProperty("shape").GetRawText());
    }

    [Fact]
    public void Outputs_whose_shapes_a_run_decides_are_told_as_they_are()
    {
        using var folder = Prepared();
        RunModels.SaveNonZero(folder["found.onnx"]);
        NpyFile.Save(folder["x.npy"], NpyArray.Create<float>([0, 2, 0, 4, 5, 0], 2, 3));
        var text = CommandRun.Of("run", folder["found.onnx"], folder["x.npy"], "--output", folder["y.npy"]);
        Assert.Equal((0, ""), (text.Code, text.Error));
        Assert.Matches(@"y +int64 +\(2,3\)", text.Output);
        var found = NpyFile.Load(folder["y.npy"]);
        Assert.Equal([2, 3], found.Shape.ToArray());
        Assert.Equal([0, 1, 1, 1, 0, 1], found.As<long>().ToArray());
        Assert.Contains("output  y: int64 (?)", CommandRun.Of("inspect", folder["found.onnx"]).Output, StringComparison.Ordinal);
        Assert.Equal(
            JsonValueKind.Null,
            CommandRun.Of("inspect", folder["found.onnx"], "--json").Json().GetProperty("outputs")[0].GetProperty("shape").ValueKind);
    }

    private static TempFolder Prepared()
    {
        var folder = new TempFolder();
        RunModels.SaveClassifier(folder["bytes.tflite"], ElementType.UInt8, [1, 2, 2, 3], (1 / 128f, 128));
        RunModels.SaveClassifier(folder["floats.tflite"], ElementType.Float32, [1, 2, 2, 3]);
        RunModels.SaveJoiner(folder["join.tflite"]);
        RunModels.SaveTwoOutputs(folder["two.tflite"]);
        ImageFile.Save(Image.Create(2, 2, 3, Pixels), folder["a.png"]);
        NpyFile.Save(folder["a.npy"], NpyArray.Create<float>([-20, -19, -18, -17, -16, -15, -14, -13, -12.5f, -21, -22, -23], 2, 2, 3));
        NpyFile.Save(folder["bytes.npy"], NpyArray.Create<byte>(Pixels, 2, 2, 3));
        NpyFile.Save(folder["l.npy"], NpyArray.Create<float>([10, 20], 2));
        NpyFile.Save(folder["r.npy"], NpyArray.Create<float>([3, 4], 1, 2));
        File.WriteAllLines(folder["labels.txt"], [.. Enumerable.Range(0, 11).Select(i => $"class {i}"), "class eleven"]);
        return folder;
    }

    private static double Score(CommandRun run) => Top(run.Json().GetProperty("results")[0])[0].Score;

    private static (int Index, double Score)[] Top(JsonElement result) =>
        [
            .. result.GetProperty("top").EnumerateArray()
                .Select(e => (e.GetProperty("index").GetInt32(), e.GetProperty("score").GetDouble())),
        ];
}
