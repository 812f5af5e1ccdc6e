using System.Runtime.CompilerServices;
using SeparableConv.Imaging;

namespace SeparableConv.Tests.Cli;

/// <summary>The script at the root and what lies in samples/.</summary>
public sealed class LauncherTests
{
    private static string Root => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", ".."));

    [Fact]
    public async Task The_launcher_runs_through_a_link_from_anywhere()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || !File.Exists("/bin/sh"), "The launcher is a shell script.");
        Assert.SkipUnless(File.Exists(Path.Combine(Root, "sepconv")), $"The sources are no longer at {Root}.");
        using var folder = new TempFolder();
        File.CreateSymbolicLink(folder["first"], Path.Combine(Root, "sepconv"));
        File.CreateSymbolicLink(folder["second"], "first");
        var run = await CommandRun.StartAsync(folder["second"], [], "kernel", "3 6 9; 4 8 12; 5 10 15", "--json");
        Assert.Equal(0, run.Code);
        Assert.Contains("{\"column\":[3,4,5],\"row\":[1,2,3]}", run.Output);

        var failed = await CommandRun.StartAsync(folder["second"], [], "kernel", "no-such-kernel");
        failed.AssertFails(1, "no-such-kernel");
    }

    [Theory]
    [InlineData("error NU1101: Unable to find package Microsoft.NETCore.App.Crossgen2.linux-x64.", 0, "true false ")]
    [InlineData("error CS1002: ; expected", 1, "true ")]
    public async Task The_launcher_needs_no_compiler_ahead_of_time(string error, int code, string tries)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || !File.Exists("/bin/sh"), "The launcher is a shell script.");
        Assert.SkipUnless(File.Exists(Path.Combine(Root, "sepconv")), $"The sources are no longer at {Root}.");
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder["src/SeparableConv.Cli"]);
        Directory.CreateDirectory(folder["bin"]);
        File.Copy(Path.Combine(Root, "sepconv"), folder["sepconv"]);

        // Notes whether it was to compile ahead, and fails where it was.
        File.WriteAllText(folder["bin/dotnet"], $"""
            #!/bin/sh
            case "$*" in
                *ReadyToRun=true*) printf 'true ' >>'{folder["tries"]}'; echo '{error}'; exit 1 ;;
                *ReadyToRun=false*) printf 'false ' >>'{folder["tries"]}' ;;
                *) echo ran ;;
            esac
            """);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder["bin/dotnet"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var run = await CommandRun.StartAsync(
            "env", [], $"PATH={folder["bin"]}:{Environment.GetEnvironmentVariable("PATH")}", folder["sepconv"], "kernel");
        Assert.Equal((code, tries), (run.Code, File.ReadAllText(folder["tries"])));
        Assert.Equal(code == 0 ? "ran\n" : "", run.Output);
        Assert.Equal(code != 0, run.Error.Contains(error, StringComparison.Ordinal));
    }

    [Fact]
    public void Samples_are_there_and_can_be_filtered()
    {
        var samples = Path.Combine(Root, "samples");
        Assert.SkipUnless(Directory.Exists(samples), $"The sources are no longer at {Root}.");
        using var folder = new TempFolder();
        var picture = ImageFile.Load(Path.Combine(samples, "picture.png"));
        Assert.Equal((1200, 800, 3), (picture.Width, picture.Height, picture.Channels));
        foreach (var kernel in Directory.GetFiles(Path.Combine(samples, "kernels")))
            Assert.Equal(0, CommandRun.Of("filter", Path.Combine(samples, "picture.png"), "-o", folder["out.png"], "-k", kernel).Code);
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
