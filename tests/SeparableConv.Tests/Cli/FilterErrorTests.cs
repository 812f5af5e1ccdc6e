using SeparableConv.Imaging;
using SeparableConv.Tests.Imaging;

namespace SeparableConv.Tests.Cli;

public sealed class FilterErrorTests
{
    [Fact]
    public void Files_that_are_no_pictures_are_refused_and_leave_nothing()
    {
        using var folder = new TempFolder();
        ImageFile.Save(TestImages.Noise<byte>(50, 40, 3), folder["whole.png"]);
        var whole = File.ReadAllBytes(folder["whole.png"]);
        File.WriteAllText(folder["text.png"], "hello");
        File.WriteAllBytes(folder["empty.png"], []);
        File.WriteAllBytes(folder["cut.png"], whole[..(whole.Length / 2)]);
        File.WriteAllBytes(folder["flipped.png"], [.. whole[..200], (byte)~whole[200], .. whole[201..]]);
        File.WriteAllBytes(folder["bomb.png"], new PngBuilder().Header(97_000_000, 1_000_000_000).Data(0).End());
        NpyFile.Save(folder["vector.npy"], NpyArray.Create<float>(new float[8], 8));
        NpyFile.Save(folder["five.npy"], NpyArray.Create<byte>(new byte[5], 1, 1, 5));
        NpyFile.Save(folder["long.npy"], NpyArray.Create<long>([1, 2, 3, long.MaxValue], 2, 2));
        var names = folder.Names;
        foreach (var name in names.Where(n => n != "whole.png"))
            CommandRun.Of("filter", folder[name], "-o", folder["out.png"], "-k", "box").AssertFails(1, name);
        CommandRun.Of("filter", folder["missing.png"], "-o", folder["out.png"], "-k", "box").AssertFails(1, "missing.png", "not found");
        CommandRun.Of("filter", folder.Path, "-o", folder["out.png"], "-k", "box").AssertFails(1, "directory");
        Assert.Equal(names, folder.Names);
    }

    [Fact]
    public void The_limit_of_pixels_is_an_option()
    {
        using var folder = new TempFolder();
        ImageFile.Save(TestImages.Noise<byte>(50, 40, 1), folder["in.png"]);
        CommandRun.Of("filter", folder["in.png"], "-o", folder["out.png"], "-k", "box", "--max-pixels", "1999")
            .AssertFails(1, "50x40", "1999");
        Assert.Equal(0, CommandRun.Of("filter", folder["in.png"], "-o", folder["out.png"], "-k", "box", "--max-pixels", "2000").Code);
        CommandRun.Of("cost", folder["in.png"], "--kernel", "3", "--filters", "2", "--max-pixels", "1999").AssertFails(1, "1999");
    }

    [Fact]
    public void Places_that_cannot_be_written_are_refused()
    {
        using var folder = new TempFolder();
        ImageFile.Save(TestImages.Noise<byte>(5, 4, 1), folder["in.png"]);
        CommandRun.Of("filter", folder["in.png"], "-o", folder["nowhere/out.png"], "-k", "box").AssertFails(1, "does not exist", "mkdir");
        CommandRun.Of("filter", folder["in.png"], "-o", folder["out.xyz"], "-k", "box").AssertFails(1, "out.xyz", ".png");
        CommandRun.Of("filter", folder["in.png"], "-o", folder["out"], "-k", "box").AssertFails(1, "names no format");
        CommandRun.Of("filter", folder["in.png"], "-o", folder["in.png/deeper/"], "-k", "box").AssertFails(1, "in.png");
        Assert.Equal(["in.png"], folder.Names);
    }

    [Fact]
    public void A_directory_without_permission_is_refused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Permissions of directories are tested on Linux.");
        using var folder = new TempFolder();
        ImageFile.Save(TestImages.Noise<byte>(5, 4, 1), folder["in.png"]);

        // Nobody may make files there, root included.
        CommandRun.Of("filter", folder["in.png"], "-o", "/proc/out.png", "-k", "box").AssertFails(1, "/proc/out.png");
    }

    [Fact]
    public void A_failure_leaves_the_old_file_as_it_was()
    {
        using var folder = new TempFolder();
        ImageFile.Save(TestImages.Noise<float>(5, 4, 1), folder["in.npy"]);
        File.WriteAllText(folder["out.png"], "old");
        CommandRun.Of("filter", folder["in.npy"], "-o", folder["out.png"], "-k", "box").AssertFails(1, "out.png", ".npy");
        Assert.Equal("old", File.ReadAllText(folder["out.png"]));
        Assert.Equal(["in.npy", "out.png"], folder.Names);
    }

    [Fact]
    public void Settings_that_do_not_suit_the_picture_are_refused()
    {
        using var folder = new TempFolder();
        ImageFile.Save(TestImages.Noise<byte>(5, 4, 1), folder["in.png"]);
        Refused("rank 2", "-k", "laplacian", "--plan", "separable");
        Refused("ranks 1 to 3", "-k", "laplacian", "--plan", "rank:4");
        Refused("from 0 to 255", "-k", "box", "--border", "constant:256");
        Refused("No kernel is called", "-k", "boxx");
        Refused("not found", "-k", "missing.json");
        Refused("from 1 to 1024", "-k", "box", "--threads", "100000");
        Refused("float32", "-k", "box", "--scale", "1e300");
        Refused("float32", "-k", "1e300 1e300; 1e300 1e300");

        void Refused(string piece, params string[] options) =>
            CommandRun.Of(["filter", folder["in.png"], "-o", folder["out.png"], .. options]).AssertFails(1, piece);
    }

    [Theory]
    [InlineData("--plan", "rank:0")]
    [InlineData("--plan", "fast")]
    [InlineData("--border", "mirror")]
    [InlineData("--border", "constant:x")]
    [InlineData("--border", "wrap:3")]
    [InlineData("--scale", "big")]
    [InlineData("--scale", "1,5")]
    [InlineData("--offset", "inf")]
    [InlineData("--threads", "0")]
    [InlineData("--repeat", "0")]
    [InlineData("--repeat", "2.5")]
    [InlineData("--max-error", "-1")]
    [InlineData("--max-pixels", "0")]
    [InlineData("--max-pixels", "many")]
    [InlineData("--format", "p/ng")]
    [InlineData("--frmat", "png")]
    public void Malformed_options_are_wrong_usage(string option, string value) =>
        CommandRun.Of("filter", "in.png", "-o", "out/", "-k", "box", option, value).AssertFails(2, option, "See sepconv filter --help.");

    [Fact]
    public void Options_that_contradict_each_other_are_wrong_usage()
    {
        CommandRun.Of("filter", "-", "-o", "out/", "-k", "box").AssertFails(2, "Standard input");
        CommandRun.Of("filter", "-", "-o", "out.png", "-k", "-").AssertFails(2, "kernel");
        CommandRun.Of("filter", "in.png", "-o", "out.png", "-k", "box", "--format", "npy").AssertFails(2, "--format");
        CommandRun.Of("filter", "in.png", "-o", "-", "-k", "box", "--format", "jpg").AssertFails(2, "png or npy");
        CommandRun.Of("filter", "in.png", "-k", "box").AssertFails(2, "--output");
        CommandRun.Of("filter", "in.png", "-o", "", "-k", "box").AssertFails(2, "empty");
        CommandRun.Of("filter", "", "-o", "out.png", "-k", "box").AssertFails(2, "empty");
        CommandRun.Of("filter", "in.png", "-o", "out.png").AssertFails(2, "--kernel");
        CommandRun.Of("filter", "-o", "out.png", "-k", "box").AssertFails(2, "filter");
        CommandRun.Of("filtr").AssertFails(2, "filtr");
        CommandRun.Of("kernel", "--jsn").AssertFails(2, "--jsn");
        CommandRun.Of("cost", "--jsn", "--kernel", "3", "--filters", "2").AssertFails(2, "--jsn");
        CommandRun.Of("cost", "12x12x3", "13x13x3", "--kernel", "3", "--filters", "2").AssertFails(2, "13x13x3");
        CommandRun.Of().AssertFails(2, "sepconv --help");
    }
}
