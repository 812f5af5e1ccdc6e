using System.CommandLine;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SeparableConv.Cli.Commands;

/// <summary><c>sepconv info</c>: what this machine is, and what is used of it.</summary>
internal sealed class InfoCommand
{
    public const string Name = "info";

    public static readonly string[] Examples =
    [
        "sepconv info",
        "sepconv info --json",
    ];

    private readonly Terminal _terminal;
    private readonly Option<bool> _json = new("--json") { Description = "Print JSON." };

    private InfoCommand(Terminal terminal) => _terminal = terminal;

    /// <summary>Builds the command.</summary>
    public static Command Create(Terminal terminal)
    {
        var self = new InfoCommand(terminal);
        var command = new Command(
            Name, "Show the processor, the vectors and int8 instructions in use, threads, runtime and picture codecs.")
        {
            self._json,
        };
        command.SetAction(self.Run);
        return command;
    }

    private void Run(ParseResult parsed)
    {
        if (parsed.GetValue(_json))
            PrintJson(_terminal.Output);
        else
            Print(_terminal.Output);
    }

    private static void Print(TextWriter output)
    {
        Line(output, "processor", MachineInfo.ProcessorName);
        var processors = MachineInfo.LogicalProcessors == 1 ? "processor" : "processors";
        Line(output, "threads", $"{MachineInfo.DefaultThreads} by default, on {MachineInfo.LogicalProcessors} logical {processors}");
        Line(output, "vectors", MachineInfo.VectorBits == 32 ? "none: one float at a time" : $"{MachineInfo.VectorBits} bits");
        Line(output, "int8", Words(MachineInfo.Int8Path));
        if (MachineInfo.Int8Obstacle is { } limit)
            Line(output, "", $"not faster because: {limit}");
        var compilation = RuntimeFeature.IsDynamicCodeCompiled ? "compiling at run time" : "compiled ahead of time";
        Line(output, "runtime", $"{RuntimeInformation.FrameworkDescription}, {compilation}");
        Line(output, "system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}");
        Line(output, "pictures", "PNG and .npy, built in");
        Line(output, "", ImageCodecs.LibvipsVersion is { } version
            ? $"JPEG, WebP, TIFF and others, as far as libvips {version} was built with them"
            : ImageCodecs.LibvipsProblem!);
    }

    private static void PrintJson(TextWriter output) => Json.Print(output, json =>
    {
        json.WriteStartObject();
        json.WriteString("processor", MachineInfo.ProcessorName);
        json.WriteNumber("logicalProcessors", MachineInfo.LogicalProcessors);
        json.WriteNumber("threads", MachineInfo.DefaultThreads);
        json.WriteNumber("vectorBits", MachineInfo.VectorBits);
        json.WriteStartObject("int8");
        json.WriteString("path", Key(MachineInfo.Int8Path));
        json.WriteNumber("vectorBits", MachineInfo.Int8VectorBits);
        json.WriteString("limit", MachineInfo.Int8Obstacle);
        json.WriteEndObject();
        json.WriteString("runtime", RuntimeInformation.FrameworkDescription);
        json.WriteBoolean("compilesAtRunTime", RuntimeFeature.IsDynamicCodeCompiled);
        json.WriteString("system", RuntimeInformation.OSDescription);
        json.WriteString("architecture", RuntimeInformation.ProcessArchitecture.ToString());
        json.WriteStartObject("codecs");
        json.WriteString("png", "built in");
        json.WriteString("npy", "built in");
        json.WriteString("libvips", ImageCodecs.LibvipsVersion);
        json.WriteString("problem", ImageCodecs.LibvipsProblem);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    private static void Line(TextWriter output, string label, string text) => output.WriteLine(label.PadRight(12) + text);

    private static string Words(Int8Path path) => path switch
    {
        Int8Path.Avx512Vnni => "AVX512-VNNI: four products of bytes a lane, 512 bits, by instructions written at run time",
        Int8Path.AvxVnni => $"AVX-VNNI: four products of bytes a lane, {Bits()} bits",
        Int8Path.ShortPairs => $"two products of 16-bit numbers a lane, {Bits()} bits",
        _ => "one product at a time",
    };

    private static string Key(Int8Path path) => path switch
    {
        Int8Path.Avx512Vnni => "avx512-vnni",
        Int8Path.AvxVnni => "avx-vnni",
        Int8Path.ShortPairs => "short-pairs",
        _ => "scalar",
    };

    private static string Bits() => MachineInfo.Int8VectorBits.ToString(CultureInfo.InvariantCulture);
}
