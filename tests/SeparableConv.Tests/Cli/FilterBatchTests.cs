using SeparableConv.Imaging;
using SeparableConv.Tests.Imaging;

namespace SeparableConv.Tests.Cli;

public sealed class FilterBatchTests
{
    [Fact]
    public void Many_pictures_go_to_a_directory_which_is_made()
    {
        using var folder = new TempFolder();
        Picture(folder["a.png"], 20, 10);
        Picture(folder["b.png"], 20, 10);
        Picture(folder["c.png"], 7, 30);
        var run = CommandRun.Of("filter", folder["a.png"], folder["b.png"], folder["c.png"], "-o", folder["deep/out/"], "-k", "gauss:5");
        Assert.Equal((0, ""), (run.Code, run.Error));
        var lines = run.Output.TrimEnd().Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.All(lines, line => Assert.Contains(": separable, 10 multiplications (dense 25)", line));
        foreach (var name in folder.Names)
        {
            Assert.Equal(0, CommandRun.Of("filter", folder[name], "-o", folder["one.png"], "-k", "gauss:5").Code);
            TestImages.AssertSame(ImageFile.Load(folder["one.png"]), ImageFile.Load(folder[$"deep/out/{name}"]));
        }
    }

    [Fact]
    public void Json_of_a_batch_is_an_array()
    {
        using var folder = new TempFolder();
        Picture(folder["a.png"], 20, 10);
        Picture(folder["b.png"], 20, 10);
        var json = CommandRun.Of(
            "filter", folder["a.png"], folder["b.png"], "-o", folder["out/"], "-k", "box", "--format", "npy", "--json").Json();
        Assert.Equal([folder["out/a.npy"], folder["out/b.npy"]], json.EnumerateArray().Select(e => e.GetProperty("output").GetString()!));
        Assert.Equal(10, ImageFile.Load(folder["out/b.npy"]).Height);

        var one = CommandRun.Of("filter", folder["a.png"], "-o", folder["out"], "-k", "box", "--json").Json();
        Assert.Equal(folder["out/a.png"], Assert.Single(one.EnumerateArray()).GetProperty("output").GetString());
    }

    [Fact]
    public void Pictures_that_fail_are_told_and_the_others_go_on()
    {
        using var folder = new TempFolder();
        Picture(folder["a.png"], 20, 10);
        File.WriteAllText(folder["b.png"], "no picture");
        Picture(folder["c.png"], 20, 10);
        var run = CommandRun.Of(
            "filter", folder["a.png"], folder["b.png"], folder["missing.png"], folder["c.png"], "-o", folder["out/"], "-k", "box");
        Assert.Equal(1, run.Code);
        Assert.Equal(2, run.Output.TrimEnd().Split('\n').Length);
        var errors = run.Error.TrimEnd().Split('\n');
        Assert.Equal(3, errors.Length);
        Assert.Contains("b.png", errors[0]);
        Assert.Contains("missing.png", errors[1]);
        Assert.Contains("2 of 4 pictures failed", errors[2]);
        Assert.Equal(["a.png", "c.png"], new DirectoryInfo(folder["out"]).GetFiles().Select(f => f.Name).Order());
    }

    [Fact]
    public void Two_pictures_never_become_one_file()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder["other"]);
        Picture(folder["a.png"], 20, 10);
        Picture(folder["other/a.png"], 20, 10);
        CommandRun.Of("filter", folder["a.png"], folder["other/a.png"], "-o", folder["out/"], "-k", "box").AssertFails(1, "both become");
        CommandRun.Of("filter", folder["a.png"], folder["other/a.png"], "-o", folder["out.png"], "-k", "box").AssertFails(2, "directory");
        Assert.False(Directory.Exists(folder["out"]));
    }

    private static void Picture(string path, int width, int height) => ImageFile.Save(TestImages.Smooth<byte>(width, height, 3), path);
}
