using System.CommandLine;
using SeparableConv.Cli.Options;

namespace SeparableConv.Cli.Commands;

/// <summary><c>sepconv eval</c>: how well a network tells the classes of labelled pictures apart.</summary>
internal sealed class EvalCommand
{
    public const string Name = "eval";

    public static readonly string[] Examples =
    [
        "sepconv eval shapes.onnx shapes:1000:32:1",
        "sepconv eval clothes.onnx fashion-mnist/t10k-images-idx3-ubyte.gz --json",
        "sepconv eval mobilenet_v2.onnx photos/ --mean 127.5 --std 127.5",
    ];

    private readonly Terminal _terminal;
    private readonly Argument<string> _model = ModelOptions.Model();
    private readonly Argument<DataSource> _data = DataSource.Argument();
    private readonly Option<double[]?> _mean = OptionValues.Parsed<double[]?>(
        "--mean",
        "M[,M,M]",
        "Taken from every sample of 0 to 255, one number or one a channel; without --mean and --std what the model's metadata says, or "
            + "what is usual for its input, as in run.",
        OptionValues.Numbers);

    private readonly Option<double[]?> _deviation = OptionValues.Parsed<double[]?>(
        "--std", "S[,S,S]", "What every sample less the mean is divided by; 1 where only --mean is given.", RunCommand.ParseDeviation);

    private readonly Option<NamedShape[]> _shapes = ModelOptions.Shapes();
    private readonly Option<int?> _threads = OptionValues.WholeNumber(
        "--threads", "N", "Threads; all processors by default. Results do not depend on it.", least: 1);
    private readonly Option<bool> _strict = new("--strict") { Description = "Refuse a folder with a picture that cannot be read." };
    private readonly Option<bool> _json = new("--json") { Description = "Print JSON." };

    private EvalCommand(Terminal terminal) => _terminal = terminal;

    /// <summary>Builds the command.</summary>
    public static Command Create(Terminal terminal)
    {
        var self = new EvalCommand(terminal);
        var command = new Command(Name, "Test a network on labelled pictures: accuracy, loss, and what is taken for what.")
        {
            self._model, self._data, self._mean, self._deviation, self._shapes, self._threads, self._strict, self._json,
        };
        command.SetAction(self.Run);
        return command;
    }

    private void Run(ParseResult parsed)
    {
        var (path, source) = (parsed.GetRequiredValue(_model), parsed.GetRequiredValue(_data));
        var network = ModelOptions.Load(path, parsed.GetValue(_shapes));
        var layout = ModelChoice.Layout(network);
        var input = network.Inputs[0];
        if (input.Type.Element != ElementType.Float32)
        {
            throw new InputException(
                $"The input '{input.Name}' takes {input.Type}; only networks of float32 are evaluated: run gives the classes of single "
                + "pictures.");
        }

        var pixels = PixelNumbers.For(
            input,
            parsed.GetResult(_mean) is null ? null : parsed.GetValue(_mean),
            parsed.GetResult(_deviation) is null ? null : parsed.GetValue(_deviation),
            Normalization.Of(network));
        var data = source.Load(layout, parsed.GetValue(_strict));
        var evaluation = Evaluation.Run(
            network, data, pixels.Transform.Normalization, parsed.GetValue(_threads) ?? new CompileOptions().Threads);
        var report = new EvalReport(path, source.Text, data, pixels, evaluation);
        if (parsed.GetValue(_json))
            Json.Print(_terminal.Output, report.Write);
        else
            report.Print(_terminal);
    }
}
