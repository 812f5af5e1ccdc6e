using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using SeparableConv.Cli.Output;
using SeparableConv.Imaging;
using SeparableConv.Loops;
using SeparableConv.Tests.Cli;

namespace SeparableConv.Tests.Readme;

/// <summary>The trained network in samples/: it reproduces, and is as good as the README says.</summary>
public sealed partial class SampleTests
{
    // Networks are run with other last bits on other vectors, and a picture in a thousand may lie that close between two classes.
    private const double AccuracyTolerance = 0.002;

    // Vectors of 128 bits (AVX2 switched off) move the first epoch's loss by 0.00003, none by 0.00002; another seed by 0.0036.
    private const double LossTolerance = 0.001;

    private static string Readme { get; } = File.ReadAllText(Path.Combine(ReadmeTests.Root, "README.md"));

    [Fact]
    public void The_sample_network_is_as_good_as_the_README_says()
    {
        var command = EvalCommand().Match(Readme).Groups[1].Value.Split(' ');
        var json = CommandRun.Of("eval", Sample("shapes.onnx"), command[^1], "--json").Json();
        var said = double.Parse(Accuracy().Match(Readme).Groups[1].Value, CultureInfo.InvariantCulture) / 100;
        Assert.InRange(json.GetProperty("accuracy").GetDouble(), said - AccuracyTolerance, said + AccuracyTolerance);
    }

    [Fact]
    public void The_sample_network_tells_the_sample_picture()
    {
        var run = CommandRun.Of(
            "run", Sample("shapes.onnx"), Sample("star.png"), "--labels", Sample("shapes.labels.txt"), "--top", "1");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Matches(@"star +9 +0\.99", run.Output);
    }

    /// <summary>
    /// The whole training takes a minute or more; this one is ended after its first epoch. On the vectors that the sample was trained with
    /// the loss must be the same to the last bit, which it is only where every step of that epoch was.
    /// </summary>
    [Fact]
    public void The_sample_s_training_begins_as_its_metrics_say()
    {
        using var folder = new TempFolder();
        var command = TrainCommand().Match(Readme).Groups[1].Value.Split(' ');
        command[Array.IndexOf(command, "-o") + 1] = folder["again.onnx"];
        using var output = new OneEpoch();
        using var error = new StringWriter();
        SeparableConv.Cli.Program.Run(
            command, new Terminal(output, error, () => Stream.Null, () => Stream.Null, IsInteractive: false));

        var (expected, actual) = (Metrics(Sample("shapes.metrics.jsonl")), Metrics(folder["again.metrics.jsonl"]));
        Assert.Equal(2, actual.Length);
        Assert.Equal(Options(expected[0]), Options(actual[0]));
        foreach (var name in (string[])["parameters", "steps", "mean", "std"])
            Assert.Equal(expected[0].GetProperty(name).GetRawText(), actual[0].GetProperty(name).GetRawText());

        var (loss, again) = (expected[1].GetProperty("loss").GetDouble(), actual[1].GetProperty("loss").GetDouble());
        Assert.InRange(again, loss - LossTolerance, loss + LossTolerance);
        if (SimdWidths.Best is SimdWidth.V256 or SimdWidth.V512 && OperatingSystem.IsLinux())
        {
            Assert.True(
                loss == again,
                $"The first epoch's loss is {again:R} but that of samples/shapes.metrics.jsonl {loss:R}: the arithmetic of training is "
                + "another one. Train the sample anew with the README's command, keep its files in samples/, and draw the README's "
                + "pictures with samples/DrawTraining.");
        }
    }

    [Fact]
    public async Task The_README_s_pictures_are_those_of_the_sample()
    {
        using var folder = new TempFolder();
        var run = await CommandRun.StartAsync(
            "dotnet",
            [],
            "exec",
            Path.Combine(AppContext.BaseDirectory, "DrawTraining.dll"),
            Sample("shapes.metrics.jsonl"),
            folder["training.svg"],
            folder["shapes.png"],
            folder["star.png"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        var images = Path.Combine(ReadmeTests.Root, "docs", "images");
        Assert.Equal(File.ReadAllText(Path.Combine(images, "training.svg")), File.ReadAllText(folder["training.svg"]));
        Assert.Equal(Pixels(Path.Combine(images, "shapes.png")), Pixels(folder["shapes.png"]));
        Assert.Equal(Pixels(Sample("star.png")), Pixels(folder["star.png"]));
    }

    private static string Sample(string name) => Path.Combine(ReadmeTests.Root, "samples", name);

    private static JsonElement[] Metrics(string path) => [.. File.ReadAllLines(path).Select(line => JsonDocument.Parse(line).RootElement)];

    private static byte[] Pixels(string path)
    {
        var image = (Image<byte>)ImageFile.Load(path);
        return [.. Enumerable.Range(0, image.Height).SelectMany(y => image.Row(y).ToArray())];
    }

    // All but the threads, on which nothing depends.
    private static Dictionary<string, string?> Options(JsonElement run) => run.GetProperty("options").EnumerateObject()
        .Where(option => option.Name != "threads").ToDictionary(option => option.Name, option => option.Value.GetString());

    [GeneratedRegex(@"^ *\./sepconv (train .* --epochs .*)$", RegexOptions.Multiline)]
    private static partial Regex TrainCommand();

    [GeneratedRegex(@"^ *\./sepconv (eval samples/shapes\.onnx \S+)$", RegexOptions.Multiline)]
    private static partial Regex EvalCommand();

    [GeneratedRegex(@"(\d+\.\d) % of 1,200")]
    private static partial Regex Accuracy();

    /// <summary>Fails after the first epoch's line, as a pipe does whose reader has gone: that ends the training.</summary>
    private sealed class OneEpoch : StringWriter
    {
        public override void WriteLine(string? value)
        {
            if (value?.StartsWith("epoch 1/", StringComparison.Ordinal) == true)
                throw new IOException("Broken pipe");
            base.WriteLine(value);
        }
    }
}
