using System.CommandLine;
using System.CommandLine.Parsing;
using SeparableConv.Cli.Options;
using SeparableConv.Networks.Separating;

namespace SeparableConv.Cli.Commands;

/// <summary><c>sepconv separate</c>: takes a trained network's standard convolutions apart.</summary>
internal sealed class SeparateCommand
{
    public const string Name = "separate";

    public static readonly string[] Examples =
    [
        "sepconv separate resnet8.tflite --dry-run",
        "sepconv separate clothes.onnx -o smaller.onnx --macs 0.25 --calibrate photos/ --report smaller.html",
        "sepconv separate clothes.onnx -o smaller.onnx --latency 0.5 --data fashion-mnist/ --validation 10000 --fine-tune 2",
        "sepconv separate clothes.onnx -o smaller.onnx --max-accuracy-drop 0.5 --data fashion-mnist/ --validation 10000",
    ];

    private const double UsualShare = 1.0 / 3;
    private const int UsualSamples = 4000;
    private const double UsualRate = 0.001;
    private const int UsualBatch = 32;
    private const double WarmUp = 0.05;
    private const double UsualTemperature = 4;
    private const string Extension = ".onnx";

    private static readonly (string Word, SeparationMethod Method)[] Methods =
    [
        ("auto", SeparationMethod.Auto),
        ("dp", SeparationMethod.DepthwisePointwise),
        ("pd", SeparationMethod.PointwiseDepthwise),
        ("spatial", SeparationMethod.Spatial),
        ("spatial+dp", SeparationMethod.SpatialDepthwise),
    ];

    private readonly Terminal _terminal;
    private readonly Argument<string> _model = ModelOptions.Model();
    private readonly Option<string?> _output = new("--output", "-o")
    {
        HelpName = "OUT.onnx",
        Description = "Where the new network goes; not needed with --dry-run.",
    };

    private readonly Option<SeparationMethod?> _method = OptionValues.Parsed<SeparationMethod?>(
        "--method",
        "NAME",
        "What layers become: auto (for each what loses least for its cost), dp (depthwise, then pointwise), pd (pointwise, then "
            + "depthwise), spatial (kH x 1, then 1 x kW), spatial+dp; auto by default.",
        text => Method(text));

    private readonly Option<bool> _uniform = new("--uniform")
    {
        Description = "As many depthwise kernels for every channel, for runtimes that are slow with Gather.",
    };

    private readonly Option<bool> _dense = new("--dense")
    {
        Description = "Take dense layers apart too, each into two.",
    };

    private readonly Option<double?> _macs = OptionValues.Parsed<double?>(
        "--macs", "R", "Keep this share of the multiply-accumulates; 0.333 by default.", text => Share(text));
    private readonly Option<double?> _parameters = OptionValues.Parsed<double?>(
        "--params", "R", "Keep this share of the parameters.", text => Share(text));
    private readonly Option<double?> _latency = OptionValues.Parsed<double?>(
        "--latency", "R", "Keep this share of the time, as it is measured on this machine.", text => Share(text));
    private readonly Option<double?> _error = OptionValues.Parsed<double?>(
        "--max-error", "E", "As small as this relative error of the scores allows, 0 to 1.", text => Share(text));
    private readonly Option<double?> _drop = OptionValues.Parsed<double?>(
        "--max-accuracy-drop", "P", "As small as this loss of accuracy allows, in points of a hundred; needs --data.",
        text => TrainingChoices.Positive(text));
    private readonly Option<DataSource?> _data = DataSource.Option(
        "--data", "Labelled pictures: judged by those of --validation, fitted and fine-tuned by the others.");
    private readonly Option<ValidationPart?> _validation = OptionValues.Parsed<ValidationPart?>(
        "--validation", "SHARE|COUNT",
        "Pictures of --data to judge by: a share of every class, or the last COUNT; 0.1 by default.",
        ValidationPart.Parse);
    private readonly Option<DataSource?> _calibrate = DataSource.Option(
        "--calibrate", "Pictures to fit the layers by; labels are not needed. Those of --data by default, and none without it.");
    private readonly Option<int?> _samples = OptionValues.WholeNumber(
        "--samples", "N", $"How many of these pictures; {UsualSamples} by default.", least: 1);
    private readonly Option<int?> _epochs = OptionValues.WholeNumber(
        "--fine-tune", "EPOCHS", "Train the result on, the original as its teacher; 0 by default.", least: 0);
    private readonly Option<double?> _rate = OptionValues.Parsed<double?>(
        "--lr", "R", $"The highest learning rate of --fine-tune; {UsualRate} by default.", text => TrainingChoices.Positive(text));
    private readonly Option<double?> _weight = OptionValues.Parsed<double?>(
        "--teacher-weight", "W", "The original's share of the loss of --fine-tune, up to 1; the rest is that of the labels; 1 by default.",
        text => Share(text));
    private readonly Option<PictureAugmentation?> _augment = OptionValues.Parsed<PictureAugmentation?>(
        "--augment", "STEPS", "What --fine-tune does to pictures, as in train; nothing by default.", PictureAugmentation.Parse);
    private readonly Option<double[]?> _mean = OptionValues.Parsed<double[]?>(
        "--mean", "M[,M,M]", "Taken from every sample of 0 to 255, as in eval.", OptionValues.Numbers);
    private readonly Option<double[]?> _deviation = OptionValues.Parsed<double[]?>(
        "--std", "S[,S,S]", "What every sample less the mean is divided by; 1 where only --mean is given.", RunCommand.ParseDeviation);
    private readonly Option<NamedShape[]> _shapes = ModelOptions.Shapes();
    private readonly Option<string?> _report = new("--report")
    {
        HelpName = "OUT.html",
        Description = "Write a page with the spectra of the layers, error against cost, and examples.",
    };

    private readonly Option<int?> _threads = OptionValues.WholeNumber("--threads", "N", "Threads; all processors by default.", least: 1);
    private readonly Option<int?> _seed = OptionValues.WholeNumber("--seed", "N", "All that is random follows from it; 0 by default.", 0);
    private readonly Option<bool> _strict = new("--strict") { Description = "Refuse a folder with a picture that cannot be read." };
    private readonly Option<bool> _dry = new("--dry-run") { Description = "Show what would be won, and write no network." };
    private readonly Option<bool> _json = new("--json") { Description = "Print JSON." };

    private SeparateCommand(Terminal terminal) => _terminal = terminal;

    /// <summary>Builds the command.</summary>
    public static Command Create(Terminal terminal)
    {
        var self = new SeparateCommand(terminal);
        var command = new Command(Name, "Take a trained network's standard convolutions apart into separable ones.")
        {
            self._model, self._output, self._method, self._uniform, self._dense, self._macs, self._parameters, self._latency, self._error,
            self._drop, self._data, self._validation, self._calibrate, self._samples, self._epochs, self._rate, self._weight, self._augment,
            self._mean, self._deviation, self._shapes, self._report, self._threads, self._seed, self._strict, self._dry, self._json,
        };
        command.Validators.Add(self.CheckCombination);
        command.SetAction(self.Run);
        return command;
    }

    /// <summary>The word for a method.</summary>
    public static string Word(SeparationMethod method) => Array.Find(Methods, one => one.Method == method).Word;

    private static SeparationMethod Method(string text)
    {
        var at = Array.FindIndex(Methods, one => one.Word == text.ToLowerInvariant());
        return at >= 0
            ? Methods[at].Method
            : throw new FormatException($"'{text}' is no method; use {string.Join(", ", Methods.Select(one => one.Word))}.");
    }

    private static double Share(string text) => OptionValues.Number(text, 0) is > 0 and <= 1 and var number
        ? number
        : throw new FormatException($"'{text}' is not above 0 and up to 1.");

    private void CheckCombination(CommandResult result)
    {
        Option[] goals = [_macs, _parameters, _latency, _error, _drop];
        if (goals.Count(option => result.GetResult(option) is not null) > 1)
            result.AddError("--macs, --params, --latency, --max-error and --max-accuracy-drop each say how small; give one of them.");
        var isDry = result.GetResult(_dry) is { Implicit: false };
        if (result.GetResult(_output) is not { Tokens: [var output] })
        {
            if (!isDry)
                result.AddError("Nothing says where the network goes; give --output OUT.onnx, or --dry-run to write none.");
        }
        else if (isDry)
        {
            result.AddError("--dry-run writes no network; leave --output out.");
        }
        else if (!output.Value.EndsWith(Extension, StringComparison.OrdinalIgnoreCase))
        {
            result.AddError($"The network is saved as ONNX, and '{output.Value}' does not end in {Extension}; give --output OUT.onnx.");
        }

        var hasData = result.GetResult(_data) is not null;
        if (result.GetResult(_drop) is not null && !hasData)
            result.AddError("--max-accuracy-drop measures accuracy; give labelled pictures with --data.");
        if (result.GetResult(_validation) is not null && !hasData)
            result.AddError("--validation is a part of --data; give it too.");
        if (result.GetResult(_epochs) is { Tokens: [not { Value: "0" }] } && !hasData && result.GetResult(_calibrate) is null)
            result.AddError("--fine-tune needs pictures; give --data or --calibrate.");
        if (result.GetResult(_report) is { Tokens: [{ Value: "" }] })
            result.AddError("The name of the report is empty.");
    }

    private void Run(ParseResult parsed)
    {
        (Option<double?> Option, SeparationGoal Goal)[] goals =
        [
            (_parameters, SeparationGoal.Parameters),
            (_latency, SeparationGoal.Latency),
            (_error, SeparationGoal.Error),
            (_drop, SeparationGoal.Loss),
            (_macs, SeparationGoal.Macs),
        ];
        var given = Array.Find(goals, one => parsed.GetValue(one.Option) is not null || one.Goal == SeparationGoal.Macs);
        var threads = parsed.GetValue(_threads) ?? new CompileOptions().Threads;
        var (seed, epochs) = (parsed.GetValue(_seed) ?? 0, parsed.GetValue(_epochs) ?? 0);
        new SeparateRun(_terminal, new(
            parsed.GetRequiredValue(_model),
            parsed.GetValue(_shapes),
            parsed.GetValue(_output),
            parsed.GetValue(_report),
            parsed.GetValue(_method) ?? SeparationMethod.Auto,
            parsed.GetValue(_uniform),
            parsed.GetValue(_dense),
            given.Goal,
            parsed.GetValue(given.Option) ?? UsualShare,
            parsed.GetValue(_data),
            parsed.GetValue(_validation) ?? ValidationPart.Usual,
            parsed.GetValue(_calibrate),
            parsed.GetValue(_samples) ?? UsualSamples,
            epochs,
            new TrainingOptions
            {
                Epochs = Math.Max(1, epochs),
                BatchSize = UsualBatch,
                Optimizer = Optimizer.AdamW(parsed.GetValue(_rate) ?? UsualRate),
                Schedule = LearningRateSchedule.Cosine(WarmUp),
                Augmentation = parsed.GetValue(_augment) ?? PictureAugmentation.None,
                Seed = seed,
                Threads = threads,
            },
            teacher => new(teacher) { Temperature = UsualTemperature, Weight = parsed.GetValue(_weight) ?? 1 },
            parsed.GetResult(_mean) is null ? null : parsed.GetValue(_mean),
            parsed.GetResult(_deviation) is null ? null : parsed.GetValue(_deviation),
            threads,
            seed,
            parsed.GetValue(_strict),
            parsed.GetValue(_json))).Run();
    }
}
