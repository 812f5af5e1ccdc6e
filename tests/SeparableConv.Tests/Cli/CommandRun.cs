using System.Diagnostics;
using System.Text.Json;
using SeparableConv.Cli.Output;

namespace SeparableConv.Tests.Cli;

/// <summary>One run of the command line and what it left.</summary>
/// <param name="Code">The exit code.</param>
/// <param name="Output">Standard output as text.</param>
/// <param name="Error">Standard error as text.</param>
/// <param name="Bytes">Standard output as bytes, where a picture was written to it.</param>
internal sealed record CommandRun(int Code, string Output, string Error, byte[] Bytes)
{
    /// <summary>The built program.</summary>
    public static string Program => Path.Combine(AppContext.BaseDirectory, "sepconv.dll");

    /// <summary>Runs in this process.</summary>
    public static CommandRun Of(params string[] args) => WithInput([], args);

    /// <summary>Runs in this process with something on standard input.</summary>
    public static CommandRun WithInput(byte[] input, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var bytes = new MemoryStream();
        var terminal = new Terminal(output, error, () => new MemoryStream(input), () => bytes, IsInteractive: false);
        var code = SeparableConv.Cli.Program.Run(args, terminal);
        return new CommandRun(code, output.ToString(), error.ToString(), bytes.ToArray());
    }

    /// <summary>Starts the built program.</summary>
    public static Task<CommandRun> StartAsync(byte[] input, params string[] args) =>
        StartAsync("dotnet", input, ["exec", Program, .. args]);

    /// <summary>Starts any program.</summary>
    public static async Task<CommandRun> StartAsync(string file, byte[] input, params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo(file, args)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        var bytes = new MemoryStream();
        var output = process.StandardOutput.BaseStream.CopyToAsync(bytes, TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.StandardInput.BaseStream.WriteAsync(input, TestContext.Current.CancellationToken);
        process.StandardInput.Close();
        await output;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new CommandRun(process.ExitCode, System.Text.Encoding.UTF8.GetString(bytes.ToArray()), await error, bytes.ToArray());
    }

    /// <summary>The output as JSON, after checking that the command succeeded in silence and printed one line.</summary>
    public JsonElement Json()
    {
        Assert.Equal("", Error);
        Assert.Equal(0, Code);
        Assert.Equal(Output.Length - Environment.NewLine.Length, Output.IndexOf(Environment.NewLine, StringComparison.Ordinal));
        return JsonDocument.Parse(Output).RootElement;
    }

    /// <summary>Checks that the command failed with one line for people, and that the line has these pieces.</summary>
    public CommandRun AssertFails(int code, params string[] pieces)
    {
        Assert.Equal(code, Code);
        Assert.Equal("", Output);
        Assert.Empty(Bytes);
        Assert.StartsWith("sepconv: ", Error);
        Assert.EndsWith(Environment.NewLine, Error);
        Assert.Single(Error.TrimEnd().Split('\n'));
        Assert.DoesNotContain("   at ", Error);
        Assert.DoesNotContain("(Parameter", Error);
        foreach (var piece in pieces)
            Assert.Contains(piece, Error);
        return this;
    }
}
