using System.Globalization;
using SeparableConv.Imaging;

namespace SeparableConv.Tests.Cli;

/// <summary>The command on networks that others trained, beside what the reference makes of the same numbers.</summary>
public sealed class RunSharedModelTests
{
    private const string Quantized = "mobilenet_v1_0.25_224_uint8.tflite";
    private const string Float = "mobilenet_v1_0.25_224_float.tflite";

    [Theory]
    [InlineData(Quantized, "burger224", "934:.964844 948:.007812 924:.003906", 1e-6)]
    [InlineData(Quantized, "cat224", "286:.484375 282:.234375 283:.113281 238:.035156 246:.031250", 1e-6)]
    [InlineData(Quantized, "bird224", "20:.832031 17:.085938 18:.054688 19:.011719", 1e-6)]
    [InlineData(Quantized, "sunflower224", "986:.953125 310:.019531 109:.015625", 1e-6)]
    [InlineData(Float, "burger224", "934:.988386 948:.002383 932:.002089 993:.001779 935:.001578", 2e-5)]
    [InlineData(Float, "cat224", "286:.504325 282:.200817 283:.116313 238:.046867 254:.036035", 2e-5)]
    [InlineData(Float, "bird224", "20:.913723 17:.050581 18:.019015 19:.005631 14:.001544", 2e-5)]
    [InlineData(Float, "sunflower224", "986:.960613 310:.022485 109:.006492 394:.002037 89:.000843", 2e-5)]
    public void ImageNet_pictures_get_the_references_scores(string model, string picture, string expected, double tolerance)
    {
        using var folder = new TempFolder();
        var pixels = File.ReadAllBytes(TestFiles.Shared("inputs", picture + ".rgb"));
        ImageFile.Save(Image.Create(224, 224, 3, pixels), folder["picture.png"]);
        if (model == Quantized)
            NpyFile.Save(folder["tensor.npy"], NpyArray.Create<byte>(pixels, 1, 224, 224, 3));
        else
            NpyFile.Save(folder["tensor.npy"], NpyArray.Create<float>(Array.ConvertAll(pixels, p => (p * 2 / 255f) - 1), 224, 224, 3));

        var best = Parsed(expected);
        var json = CommandRun.Of(
            "run", TestFiles.Shared("models", model), folder["picture.png"], folder["tensor.npy"],
            "--labels", TestFiles.Shared("models", "imagenet_labels_1001.txt"), "--top", $"{best.Length}", "--json").Json();
        Assert.Equal(2, json.GetProperty("results").GetArrayLength());
        foreach (var result in json.GetProperty("results").EnumerateArray())
        {
            var top = result.GetProperty("top");
            for (var i = 0; i < best.Length; i++)
            {
                Assert.Equal(best[i].Index, top[i].GetProperty("index").GetInt32());
                Assert.InRange(top[i].GetProperty("score").GetDouble(), best[i].Score - tolerance, best[i].Score + tolerance);
            }
        }

        if (picture == "cat224")
            Assert.Equal("Egyptian cat", json.GetProperty("results")[0].GetProperty("top")[0].GetProperty("label").GetString());
    }

    [Theory]
    [InlineData("person", "1:.941406 0:.058594")]
    [InlineData("no_person", "0:.722656 1:.277344")]
    public void Gray_signed_pictures_get_the_references_scores(string picture, string expected)
    {
        using var folder = new TempFolder();
        var signed = Array.ConvertAll(File.ReadAllBytes(TestFiles.Shared("inputs", picture + ".rgb")), b => (sbyte)b);
        NpyFile.Save(folder["tensor.npy"], NpyArray.Create<sbyte>(signed, 1, 96, 96, 1));
        ImageFile.Save(Image.Create(96, 96, 1, Array.ConvertAll(signed, s => (byte)(s + 128))), folder["picture.png"]);
        var json = CommandRun.Of(
            "run", TestFiles.Shared("models", "person_detect_int8.tflite"), folder["tensor.npy"], folder["picture.png"], "--json").Json();
        foreach (var result in json.GetProperty("results").EnumerateArray())
            Assert.Equal(
                Parsed(expected),
                result.GetProperty("top").EnumerateArray()
                    .Select(e => (e.GetProperty("index").GetInt32(), Math.Round(e.GetProperty("score").GetDouble(), 6))));
    }

    [Fact]
    public void Labels_without_the_background_class_are_refused()
    {
        using var folder = new TempFolder();
        File.WriteAllLines(folder["labels.txt"], File.ReadLines(TestFiles.Shared("models", "imagenet_labels_1001.txt")).Skip(1));
        CommandRun.Of(
            "run", TestFiles.Shared("models", Quantized), TestFiles.Shared("images", "chelsea.png"), "--labels", folder["labels.txt"])
            .AssertFails(1, "1000 lines", "1001 classes");
    }

    [Fact]
    public void A_photograph_of_another_size_is_recognized()
    {
        var json = CommandRun.Of(
            "run", TestFiles.Shared("models", Quantized), TestFiles.Shared("images", "chelsea.png"),
            "--labels", TestFiles.Shared("models", "imagenet_labels_1001.txt"), "--json").Json();
        Assert.Contains("cat", json.GetProperty("results")[0].GetProperty("top")[0].GetProperty("label").GetString());
    }

    [Fact]
    public void A_detector_tells_its_outputs()
    {
        using var folder = new TempFolder();
        var run = CommandRun.Of(
            "run", TestFiles.Shared("models", "ultraface_slim_320.onnx"), TestFiles.Shared("images", "astronaut.png"),
            "--mean", "127", "--std", "128", "--output", folder["out"], "--json").Json();
        var result = run.GetProperty("results")[0];
        Assert.Equal(2, result.GetProperty("outputs").GetArrayLength());
        foreach (var (output, file) in result.GetProperty("outputs").EnumerateArray().Zip(result.GetProperty("files").EnumerateArray()))
        {
            var array = NpyFile.Load(file.GetString()!);
            Assert.Equal(output.GetProperty("shape").EnumerateArray().Select(e => e.GetInt32()), array.Shape.ToArray());
            Assert.Equal(output.GetProperty("max").GetDouble(), array.ToDoubles().Max());
        }

        // A face in the middle of the picture: the second score of some box is near 1.
        Assert.InRange(result.GetProperty("outputs")[0].GetProperty("max").GetDouble(), 0.9, 1);
    }

    [Fact]
    public void Broken_models_are_refused_in_one_line()
    {
        foreach (var file in Directory.GetFiles(TestFiles.Shared("bad-models")).Where(file => Path.GetFileName(file) != "pc_conv.bin"))
            CommandRun.Of("run", file, TestFiles.Shared("images", "chelsea.png")).AssertFails(1);
    }

    private static (int Index, double Score)[] Parsed(string text) => [.. text.Split(' ').Select(pair =>
    {
        var parts = pair.Split(':');
        return (int.Parse(parts[0], CultureInfo.InvariantCulture), double.Parse(parts[1], CultureInfo.InvariantCulture));
    })];
}
