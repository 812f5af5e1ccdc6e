using System.Diagnostics;
using System.Text.Json.Nodes;

namespace SeparableConv.Tests.Cli;

/// <summary>The built program as it trains: killed without a warning, interrupted, out of room, and each time started again.</summary>
[Collection(QuietCollection.Name)]
public sealed class EndedTrainingTests
{
    private const int Kills = 20;

    // More than so many trainings can make before they are killed.
    private const int Epochs = 45;
    private const string Checkpoint = "kept.safetensors";
    private static readonly string[] s_files = [Checkpoint, "out.labels.txt", "out.metrics.jsonl", "out.onnx", "out.report.html"];

    // What is random, and what is kept beside the weights, must all be found again.
    private static readonly string[] s_random = ["--augment", "flip,shift:2,mixup:0.2", "--ema", "0.9"];

    [Fact]
    public async Task A_training_killed_twenty_times_ends_with_the_bytes_of_an_undisturbed_one()
    {
        using var whole = new TempFolder();
        Assert.Equal((0, ""), await RunAsync(whole, Epochs, threads: 1));
        using var folder = new TempFolder();
        var random = new Random(20);
        for (var kill = 0; kill < Kills; kill++)
        {
            using var process = Start(folder, Epochs, threads: random.Next(3) switch { 0 => 1, 1 => 2, _ => 7 });
            await ((kill % 3) switch
            {
                0 => Task.Delay(random.Next(500), TestContext.Current.CancellationToken),
                1 => InAStepAsync(process, random.Next(1, 3), random.Next(100)),
                _ => AtACheckpointAsync(process, folder, random),
            });
            Assert.False(process.HasExited, "The training has ended before it was killed.");
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            CheckWhatIsLeft(folder);
        }

        // The last one goes on from what the others have kept.
        using var last = Start(folder, Epochs, threads: 2);
        var output = await last.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await last.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, last.ExitCode);
        Assert.Matches("going on from step [1-9]", output);
        Assert.DoesNotContain("epoch 1/", output);
        CheckTheSame(whole, folder);
    }

    [Fact]
    public async Task A_training_interrupted_in_the_midst_of_epochs_has_the_figures_of_an_undisturbed_one()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are sent with kill.");
        string[] small = ["--batch", "2"];

        // The signal comes before the last, however late it is.
        const int Many = 40;
        using var whole = new TempFolder();
        Assert.Equal((0, ""), await RunAsync(whole, Many, threads: 2, small));
        using var folder = new TempFolder();
        var random = new Random(6);
        for (var interruption = 0; interruption < 4; interruption++)
        {
            using var process = Start(folder, Many, threads: 1 + random.Next(2), small);
            await InAStepAsync(process, random.Next(2), random.Next(40));
            var (signal, code) = interruption % 2 == 0 && !IgnoresCtrlC() ? ("-INT", 130) : ("-TERM", 143);
            Process.Start("kill", [signal, $"{process.Id}"]).WaitForExit();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(code, process.ExitCode);
            Assert.DoesNotContain(folder.Names, name => name.StartsWith('.'));
        }

        Assert.Equal((0, ""), await RunAsync(folder, Many, threads: 2, small));
        CheckTheSame(whole, folder);
    }

    // Of a real limit: kilobytes that no file may be larger than. The second one is between checkpoint and report.
    [Theory]
    [InlineData(8, Checkpoint)]
    [InlineData(32, "out.report.html")]
    public async Task A_disk_that_is_full_loses_nothing_that_was_kept(int room, string fails)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || !File.Exists("/bin/bash"), "The shell limits how large files may be.");
        using var whole = new TempFolder();
        Assert.Equal((0, ""), await RunAsync(whole, epochs: 10, threads: 2));
        using var folder = new TempFolder();
        using (var process = Start(folder, 10, threads: 2))
        {
            await InAStepAsync(process, epochs: 1, delay: 0);
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        // What is too large fails as on a full disk, since the signal that ends a process there is ignored. The runtime has memory that it
        // makes of a file, unless it is told not to.
        var kept = File.ReadAllBytes(folder[Checkpoint]);
        var run = await CommandRun.StartAsync(
            "bash",
            [],
            [
                "-c", "trap '' XFSZ; ulimit -f $0; DOTNET_EnableWriteXorExecute=0 exec \"$@\"", $"{room}",
                "dotnet", .. Arguments(folder, 10, 2), "--json",
            ]);
        run.AssertFails(1, folder[fails]);
        Assert.DoesNotContain(folder.Names, name => name.StartsWith('.'));
        Assert.DoesNotContain("out.report.html", folder.Names);
        Assert.Equal(fails == Checkpoint, kept.AsSpan().SequenceEqual(File.ReadAllBytes(folder[Checkpoint])));

        Assert.Equal((0, ""), await RunAsync(folder, 10, threads: 1));
        CheckTheSame(whole, folder);
    }

    [Fact]
    public async Task Threads_change_no_byte_of_what_is_saved()
    {
        using var alone = new TempFolder();
        Assert.Equal((0, ""), await RunAsync(alone, epochs: 3, threads: 1));
        foreach (var threads in new[] { 2, 7 })
        {
            using var folder = new TempFolder();
            Assert.Equal((0, ""), await RunAsync(folder, 3, threads));
            CheckTheSame(alone, folder);
        }
    }

    private static string[] Arguments(TempFolder folder, int epochs, int threads, params string[] more) =>
    [
        "exec", CommandRun.Program, "train", "shapes:112:16", "-o", folder["out.onnx"], "--model", "cnn:separable:4", "--validation", "16",
        .. s_random, .. more.Length > 0 ? more : ["--batch", "16"], "--epochs", $"{epochs}", "--threads", $"{threads}",
        "--checkpoint", folder[Checkpoint], .. File.Exists(folder[Checkpoint]) ? ["--resume"] : (string[])[],
    ];

    // What a shell runs in the background ignores Ctrl-C's signal, and so does all that it starts.
    private static bool IgnoresCtrlC()
    {
        const string Mask = "SigIgn:";
        const int CtrlC = 1 << 1;
        const string Status = "/proc/self/status";
        return File.Exists(Status)
            && File.ReadLines(Status).FirstOrDefault(line => line.StartsWith(Mask, StringComparison.Ordinal)) is { } ignored
            && (Convert.ToUInt64(ignored[Mask.Length..].Trim(), 16) & CtrlC) != 0;
    }

    private static Process Start(TempFolder folder, int epochs, int threads, params string[] more) => Process.Start(
        new ProcessStartInfo("dotnet", Arguments(folder, epochs, threads, more))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    private static async Task<(int Code, string Error)> RunAsync(TempFolder folder, int epochs, int threads, params string[] more)
    {
        var run = await CommandRun.StartAsync("dotnet", [], Arguments(folder, epochs, threads, more));
        return (run.Code, run.Error);
    }

    // Behind an epoch's line its checkpoint is kept: each of these kills leaves the training further than it was.
    private static async Task InAStepAsync(Process process, int epochs, int delay)
    {
        for (var isTraining = false; epochs > 0 || !isTraining;)
        {
            var line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
            Assert.NotNull(line);
            isTraining |= line.StartsWith("steps ", StringComparison.Ordinal);
            epochs -= line.StartsWith("epoch ", StringComparison.Ordinal) ? 1 : 0;
        }

        await Task.Delay(delay, TestContext.Current.CancellationToken);
    }

    // While the new checkpoint lies beside its place, or just behind that.
    private static async Task AtACheckpointAsync(Process process, TempFolder folder, Random random)
    {
        var before = folder.Names;
        while (!process.HasExited && !folder.Names.Except(before).Any(name => name.StartsWith(".kept.", StringComparison.Ordinal)))
            await Task.Delay(1, TestContext.Current.CancellationToken);
        await Task.Delay(random.Next(3), TestContext.Current.CancellationToken);
    }

    private static void CheckWhatIsLeft(TempFolder folder)
    {
        // One file is written at a time, and every start removes what the kill before it has left.
        Assert.InRange(folder.Names.Count(name => name.StartsWith('.')), 0, 1);
        Assert.All(folder.Names.Where(name => !name.StartsWith('.')), name => Assert.Contains(name, s_files[..^1]));
        Assert.DoesNotContain("out.onnx", folder.Names);
        if (File.Exists(folder[Checkpoint]))
            Assert.NotEmpty(SafetensorsFile.Load(folder[Checkpoint]).Tensors);
        if (File.Exists(folder["out.metrics.jsonl"]))
            Assert.NotEmpty(Figures(folder));
    }

    private static void CheckTheSame(TempFolder expected, TempFolder actual)
    {
        Assert.Equal(s_files, actual.Names);
        foreach (var file in new[] { Checkpoint, "out.onnx", "out.labels.txt" })
            Assert.True(File.ReadAllBytes(expected[file]).AsSpan().SequenceEqual(File.ReadAllBytes(actual[file])), $"{file} is another.");
        Assert.Equal(Figures(expected), Figures(actual));
    }

    // The figures of all epochs, without the time that they took.
    private static string[] Figures(TempFolder folder) => [.. File.ReadAllLines(folder["out.metrics.jsonl"]).Skip(1).Select(line =>
    {
        var figures = JsonNode.Parse(line)!.AsObject();
        Assert.True(figures.Remove("seconds"));
        return figures.ToJsonString();
    })];
}
