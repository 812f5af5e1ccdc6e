using System.CommandLine;
using SeparableConv.Cli.Options;

namespace SeparableConv.Cli.Commands;

/// <summary><c>sepconv inspect</c>: what a network is made of and what it costs.</summary>
internal sealed class InspectCommand
{
    public const string Name = "inspect";

    public static readonly string[] Examples =
    [
        "sepconv inspect mobilenet_v1.tflite",
        "sepconv inspect model.onnx --json",
        "sepconv inspect model.onnx --shape input=1x3x224x224",
    ];

    private readonly Terminal _terminal;
    private readonly Argument<string> _model = ModelOptions.Model();
    private readonly Option<NamedShape[]> _shapes = ModelOptions.Shapes();
    private readonly Option<bool> _json = new("--json") { Description = "Print JSON." };

    private InspectCommand(Terminal terminal) => _terminal = terminal;

    /// <summary>Builds the command.</summary>
    public static Command Create(Terminal terminal)
    {
        var self = new InspectCommand(terminal);
        var command = new Command(
            Name, "List a network's layers (ONNX, TensorFlow Lite): kind, shapes, parameters, multiply-accumulates; and its memory.")
        {
            self._model, self._shapes, self._json,
        };
        command.SetAction(self.Run);
        return command;
    }

    private void Run(ParseResult parsed)
    {
        var path = parsed.GetRequiredValue(_model);
        var report = new InspectReport(path, ModelOptions.Load(path, parsed.GetValue(_shapes)));
        if (parsed.GetValue(_json))
            report.PrintJson(_terminal.Output);
        else
            report.Print(_terminal);
    }
}
