using System.Diagnostics;
using System.Text.Json;
using SeparableConv.Imaging;
using SeparableConv.Tests.Imaging;

namespace SeparableConv.Tests.Cli;

/// <summary>The built program from outside: what only a process shows.</summary>
public sealed class ProcessTests
{
    private static readonly string[] Commands = ["cost", "kernel", "filter", "inspect", "run", "info"];

    [Fact]
    public async Task Version_is_a_number()
    {
        var run = await CommandRun.StartAsync([], "--version");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Matches(@"^\d+\.\d+\.\d+\r?\n$", run.Output);
    }

    [Fact]
    public async Task Help_has_examples_that_work_and_every_named_kernel()
    {
        var root = await CommandRun.StartAsync([], "--help");
        Assert.Equal((0, ""), (root.Code, root.Error));
        Assert.All(Commands, command => Assert.Contains($"  {command} ", root.Output));
        foreach (var command in Commands)
        {
            var help = CommandRun.Of(command, "--help");
            Assert.Equal((0, ""), (help.Code, help.Error));
            Assert.Contains("--json", help.Output);
            var examples = help.Output[help.Output.IndexOf("Examples:", StringComparison.Ordinal)..];
            Assert.Contains($"  sepconv {command} ", examples);
            if (command is "kernel" or "filter")
                Assert.All(KernelCatalog.Definitions, kernel => Assert.Contains(kernel.Syntax, help.Output));
        }
    }

    [Fact]
    public async Task Errors_are_one_line_and_a_code()
    {
        (await CommandRun.StartAsync([], "kernel", "no-such-kernel")).AssertFails(1, "no-such-kernel");
        (await CommandRun.StartAsync([], "cost", "12x12x3", "--kernel", "x", "--filters", "2")).AssertFails(2, "--help");
        (await CommandRun.StartAsync([], "filter", "missing.png", "-o", "out.png", "-k", "box")).AssertFails(1, "missing.png");
    }

    [Fact]
    public async Task Json_goes_to_standard_output_alone()
    {
        var run = await CommandRun.StartAsync([], "cost", "12x12x3", "--kernel", "5x5", "--filters", "256", "--json");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal(53_952, JsonDocument.Parse(run.Output).RootElement.GetProperty("separable").GetProperty("multiplications").GetInt32());
    }

    [Fact]
    public async Task A_picture_goes_through_a_pipe()
    {
        using var folder = new TempFolder();
        ImageFile.Save(TestImages.Smooth<byte>(40, 30, 3), folder["in.png"]);
        Assert.Equal(0, CommandRun.Of("filter", folder["in.png"], "-o", folder["out.png"], "-k", "gauss").Code);
        var run = await CommandRun.StartAsync(
            await File.ReadAllBytesAsync(folder["in.png"], TestContext.Current.CancellationToken), "filter", "-", "-o", "-", "-k", "gauss");
        Assert.Equal(0, run.Code);
        Assert.Equal(await File.ReadAllBytesAsync(folder["out.png"], TestContext.Current.CancellationToken), run.Bytes);
    }

    [Fact]
    public async Task An_interrupted_run_leaves_no_part_of_a_file()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are sent with kill.");
        using var folder = new TempFolder();
        ImageFile.Save(TestImages.Noise<ushort>(2500, 2000, 3), folder["in.npy"]);
        foreach (var delay in new[] { 150, 300, 450 })
        {
            using var process = Process.Start(new ProcessStartInfo(
                "dotnet", ["exec", CommandRun.Program, "filter", folder["in.npy"], "-o", folder["out.png"], "-k", "gauss"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            await Task.Delay(delay, TestContext.Current.CancellationToken);
            Process.Start("kill", ["-TERM", $"{process.Id}"]).WaitForExit();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Contains(process.ExitCode, new[] { 0, 143 });
            Assert.All(folder.Names, name => Assert.Contains(name, new[] { "in.npy", "out.png" }));
            if (File.Exists(folder["out.png"]))
                Assert.Equal(2500, ImageFile.Load(folder["out.png"]).Width);
            File.Delete(folder["out.png"]);
        }
    }
}
