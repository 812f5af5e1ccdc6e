using System.Text.Json;
using System.Text.Json.Nodes;
using SeparableConv.Imaging;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Cli;

public sealed class InfoCommandTests
{
    private static readonly (string Name, bool Value)[] SwitchedOff = [("SeparableConv.MachineCode", false)];

    [Fact]
    public void Json_tells_the_machine_and_what_is_used_of_it()
    {
        var json = CommandRun.Of("info", "--json").Json();
        Assert.Equal(
            [
                "processor", "logicalProcessors", "threads", "vectorBits", "int8",
                "runtime", "compilesAtRunTime", "system", "architecture", "codecs",
            ],
            json.EnumerateObject().Select(p => p.Name));
        Assert.NotEqual("", json.GetProperty("processor").GetString());
        Assert.Equal(Environment.ProcessorCount, json.GetProperty("logicalProcessors").GetInt32());
        Assert.Equal(ExecutionOptions.Default.Threads, json.GetProperty("threads").GetInt32());
        Assert.Equal((int)SimdWidths.Best * 32, json.GetProperty("vectorBits").GetInt32());
        Assert.StartsWith(".NET 10.", json.GetProperty("runtime").GetString());
        Assert.True(json.GetProperty("compilesAtRunTime").GetBoolean());
        Assert.Equal("built in", json.GetProperty("codecs").GetProperty("png").GetString());
    }

    [Fact]
    public void The_int8_path_is_the_one_that_layers_take()
    {
        var int8 = CommandRun.Of("info", "--json").Json().GetProperty("int8");
        var (lanes, width) = ByteInstructions.Machine.Choose(SimdWidths.Best);
        Assert.Equal((int)width * 32, int8.GetProperty("vectorBits").GetInt32());
        var expected = (lanes, width) switch
        {
            (LaneKind.ByteQuad, SimdWidth.V512) => "avx512-vnni",
            (LaneKind.ByteQuad, _) => "avx-vnni",
            (_, SimdWidth.Scalar) => "scalar",
            _ => "short-pairs",
        };
        Assert.Equal(expected, int8.GetProperty("path").GetString());
        Assert.Equal(expected == "avx512-vnni", int8.GetProperty("limit").ValueKind == JsonValueKind.Null);
    }

    [Fact]
    public void A_missing_libvips_is_said_with_how_to_install_it()
    {
        var codecs = CommandRun.Of("info", "--json").Json().GetProperty("codecs");
        if (ImageCodecs.LibvipsProblem is null)
        {
            Assert.Matches(@"^8\.\d+\.\d+$", codecs.GetProperty("libvips").GetString());
            Assert.Equal(JsonValueKind.Null, codecs.GetProperty("problem").ValueKind);
        }
        else
        {
            Assert.Equal(JsonValueKind.Null, codecs.GetProperty("libvips").ValueKind);
            Assert.Contains("libvips42", codecs.GetProperty("problem").GetString());
        }
    }

    [Fact]
    public void Text_for_people_has_it_all()
    {
        var run = CommandRun.Of("info");
        Assert.Equal((0, ""), (run.Code, run.Error));
        var threads = $"{MachineInfo.DefaultThreads} by default";
        string[] pieces = [MachineInfo.ProcessorName, threads, "int8", ".NET 10.", "PNG and .npy", "libvips"];
        foreach (var piece in pieces)
            Assert.Contains(piece, run.Output);
        if (MachineInfo.Int8Obstacle is { } limit)
            Assert.Contains(limit, run.Output);
    }

    [Fact]
    public void Arguments_are_wrong_usage() => CommandRun.Of("info", "everything").AssertFails(2, "everything", "--help");

    /// <summary>The switch of a program's configuration: no machine code, the reason said, and the same bytes out of a network.</summary>
    [Fact]
    public async Task A_switch_turns_machine_code_off()
    {
        using var folder = new TempFolder();
        var info = JsonDocument.Parse((await RunWithAsync(folder, SwitchedOff, "info", "--json")).Output).RootElement.GetProperty("int8");
        Assert.NotEqual("avx512-vnni", info.GetProperty("path").GetString());
        if (ByteQuadCode.IsSupported)
            Assert.Contains("SeparableConv.MachineCode", info.GetProperty("limit").GetString());

        var model = TestFiles.Shared("models", "person_detect_int8.tflite");
        var signed = Array.ConvertAll(File.ReadAllBytes(TestFiles.Shared("inputs", "person.rgb")), b => (sbyte)b);
        NpyFile.Save(folder["x.npy"], NpyArray.Create<sbyte>(signed, 1, 96, 96, 1));
        Assert.Equal(0, CommandRun.Of("run", model, folder["x.npy"], "--output", folder["on"]).Code);
        Assert.Equal(0, (await RunWithAsync(folder, SwitchedOff, "run", model, folder["x.npy"], "--output", folder["off"])).Code);
        var expected = Assert.Single(Directory.GetFiles(folder["on"]));
        Assert.Equal(File.ReadAllBytes(expected), File.ReadAllBytes(Assert.Single(Directory.GetFiles(folder["off"]))));
    }

    /// <summary>A runtime that compiles nothing at run time, as NativeAOT's: no machine code unless the switch asks for it.</summary>
    [Fact]
    public async Task Machine_code_follows_the_runtime_unless_it_is_asked_for()
    {
        Assert.SkipUnless(ByteQuadCode.IsSupported, "There is no machine code here: " + ByteQuadCode.Shared.Missing);
        using var folder = new TempFolder();
        var ahead = (Name: "System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported", Value: false);
        var info = JsonDocument.Parse((await RunWithAsync(folder, [ahead], "info", "--json")).Output).RootElement;
        Assert.False(info.GetProperty("compilesAtRunTime").GetBoolean());
        Assert.NotEqual("avx512-vnni", info.GetProperty("int8").GetProperty("path").GetString());
        Assert.Contains("ahead of time", info.GetProperty("int8").GetProperty("limit").GetString());

        var asked = await RunWithAsync(folder, [ahead, ("SeparableConv.MachineCode", true)], "info", "--json");
        info = JsonDocument.Parse(asked.Output).RootElement;
        Assert.Equal("avx512-vnni", info.GetProperty("int8").GetProperty("path").GetString());
    }

    // The program with its configuration and some switches.
    private static Task<CommandRun> RunWithAsync(TempFolder folder, (string Name, bool Value)[] switches, params string[] args)
    {
        var configuration = JsonNode.Parse(File.ReadAllText(Path.ChangeExtension(CommandRun.Program, ".runtimeconfig.json")))!;
        foreach (var (name, value) in switches)
            configuration["runtimeOptions"]!["configProperties"]![name] = value;
        var path = folder["switched.runtimeconfig.json"];
        File.WriteAllText(path, configuration.ToJsonString());
        return CommandRun.StartAsync("dotnet", [], ["exec", "--runtimeconfig", path, CommandRun.Program, .. args]);
    }
}
