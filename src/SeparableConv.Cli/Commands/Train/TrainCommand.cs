using System.CommandLine;
using System.CommandLine.Parsing;
using SeparableConv.Cli.Options;

namespace SeparableConv.Cli.Commands;

/// <summary><c>sepconv train</c>: trains a network on labelled pictures.</summary>
internal sealed class TrainCommand
{
    public const string Name = "train";

    public static readonly string[] Examples =
    [
        "sepconv train shapes -o shapes.onnx --minutes 1",
        "sepconv train fashion-mnist/ --model cnn:residual -o clothes.onnx --epochs 20 --augment flip,shift:2 --validation 10000",
        "sepconv train photos/ --model mobilenet-v2:0.5 --size 96x96 -o photos.onnx --checkpoint photos.safetensors",
        "sepconv train photos/ --model mobilenet-v2:0.5 --size 96x96 -o photos.onnx --checkpoint photos.safetensors --resume",
        "sepconv train photos/ --model mobilenet-v2:0.35 --teacher photos.onnx -o small.onnx --teacher-weight 0.9 --temperature 4",
        "sepconv train fashion-mnist/ --compare --widths 2,4,8,16 --seeds 3 --epochs 5 -o compare.html",
        "sepconv train photos/ --model before.onnx -o after.onnx --optimizer nesterov --lr 0.01 --schedule cosine:0.05",
    ];

    private const string UsualModel = "cnn:separable";
    private const string UsualOptimizer = "adamw";
    private const string UsualSchedule = "onecycle";
    private const double UsualRate = 0.01;
    private const string Extension = ".onnx";

    private readonly Terminal _terminal;
    private readonly Argument<DataSource> _data = DataSource.Argument();
    private readonly Option<ModelChoice?> _model = OptionValues.Parsed<ModelChoice?>(
        "--model",
        "NETWORK",
        $"What is trained: {ModelChoice.Form}; W times the width, F filters; {UsualModel} by default. A FILE (.onnx, "
            + ".tflite) is trained on, the others are built for the data.",
        ModelChoice.Parse);

    private readonly Option<string> _output = new("--output", "-o")
    {
        HelpName = "OUT.onnx",
        Required = true,
        Description = "Where the trained network goes; beside it OUT.labels.txt, OUT.metrics.jsonl and OUT.report.html. With --compare "
            + "the report, OUT.html, beside it OUT.runs.jsonl.",
    };

    private readonly Option<int?> _epochs = OptionValues.WholeNumber(
        "--epochs", "N", "How often all pictures are gone through; 10 by default.", least: 1);
    private readonly Option<int?> _steps = OptionValues.WholeNumber(
        "--steps", "N", "Steps of the whole training, in place of --epochs: what --minutes chose, to train the same again.", least: 1);
    private readonly Option<double?> _minutes = OptionValues.Parsed<double?>(
        "--minutes", "M", "The time for all of it, in place of --epochs: the speed is measured, and steps are planned for it.",
        text => TrainingChoices.Positive(text));
    private readonly Option<int?> _batch = OptionValues.WholeNumber("--batch", "N", "Pictures in a step; 64 by default.", least: 1);
    private readonly Option<string?> _optimizer = OptionValues.Parsed<string?>(
        "--optimizer", "NAME", $"{string.Join(", ", TrainingChoices.Optimizers)}; {UsualOptimizer} by default.",
        TrainingChoices.OptimizerName);
    private readonly Option<double?> _rate = OptionValues.Parsed<double?>(
        "--lr", "R", $"The learning rate; {UsualRate} by default, and the optimizer's own (sgd 0.1, adam 0.001) where that is named.",
        text => TrainingChoices.Positive(text));
    private readonly Option<double?> _decay = OptionValues.Number(
        "--weight-decay", "D", "How fast weights shrink; 0.01 for adamw and 0 for others by default.", least: 0);
    private readonly Option<double?> _l1 = OptionValues.Number(
        "--l1", "L", "Draws small weights to 0: L times their sign is added to their gradients; 0, for none, by default.", least: 0);
    private readonly Option<string?> _schedule = OptionValues.Parsed<string?>(
        "--schedule", "TEXT", $"constant, step:EPOCHS[:FACTOR], cosine[:WARMUP] or onecycle[:RISE]; {UsualSchedule} by default.", text =>
        {
            TrainingChoices.Schedule(text);
            return text;
        });
    private readonly Option<PictureAugmentation?> _augment = OptionValues.Parsed<PictureAugmentation?>(
        "--augment", "STEPS", "flip, shift:P, crop:A, cutout:S, jitter:V, mixup:A with commas between; none by default.",
        PictureAugmentation.Parse);
    private readonly Option<double?> _smoothing = OptionValues.Parsed<double?>(
        "--smoothing", "S", "The share of the target that is spread over all classes; 0 by default.", text => TrainingChoices.Share(text));
    private readonly Option<double?> _clip = OptionValues.Number(
        "--clip", "N", "The largest norm of all gradients together; 0, for any, by default.", least: 0);
    private readonly Option<double?> _average = OptionValues.Parsed<double?>(
        "--ema", "D", "Keep a moving average of the weights, D of it stays a step (0.999), and save that; 0, for none, by default.",
        text => TrainingChoices.Share(text));
    private readonly Option<int?> _seed = OptionValues.WholeNumber("--seed", "N", "All that is random follows from it; 0 by default.", 0);
    private readonly Option<int?> _threads = OptionValues.WholeNumber(
        "--threads", "N", "Threads; all processors by default. Results do not depend on it.", least: 1);
    private readonly Option<string?> _checkpoint = new("--checkpoint")
    {
        HelpName = "FILE.safetensors",
        Description = "Keep the training there after every epoch, and when Ctrl-C ends it.",
    };

    private readonly Option<bool> _resume = new("--resume")
    {
        Description = "Go on from --checkpoint, with the same options; with --compare from OUT.runs.jsonl.",
    };

    private readonly Option<ValidationPart?> _validation = OptionValues.Parsed<ValidationPart?>(
        "--validation", "SHARE|COUNT",
        "Pictures to test on and not to learn from: a share of every class, or the last COUNT; 0.1 by default, 0 for none.",
        ValidationPart.Parse);
    private readonly Option<Size2D?> _size = OptionValues.Parsed<Size2D?>(
        "--size", "HxW", "What pictures of folders are resized to; the first one's size by default.", text => OptionValues.Size(text));
    private readonly Option<bool> _strict = new("--strict") { Description = "Refuse a folder with a picture that cannot be read." };
    private readonly Option<bool> _json = new("--json") { Description = "Print the final figures as JSON, and nothing else." };
    private readonly TeacherOptions _teaching = new();
    private readonly ComparisonOptions _comparison = new();

    private TrainCommand(Terminal terminal) => _terminal = terminal;

    /// <summary>Builds the command.</summary>
    public static Command Create(Terminal terminal)
    {
        var self = new TrainCommand(terminal);
        var command = new Command(Name, "Train a network on labelled pictures, and save it as ONNX with a report.")
        {
            self._data, self._model, self._output, self._epochs, self._steps, self._minutes, self._batch, self._optimizer, self._rate,
            self._decay, self._l1, self._schedule, self._augment, self._smoothing, self._clip, self._average, self._seed, self._threads,
            self._checkpoint, self._resume, self._validation, self._size, self._strict, self._json,
        };
        foreach (var option in self._teaching.All.Concat(self._comparison.All))
            command.Add(option);
        command.Validators.Add(self.CheckCombination);
        command.SetAction(self.Run);
        return command;
    }

    private void CheckCombination(CommandResult result)
    {
        Option[] lengths = [_epochs, _steps, _minutes];
        if (lengths.Count(option => result.GetResult(option) is not null) > 1)
            result.AddError("--epochs, --steps and --minutes each say how long the training is; give one of them.");
        var isComparison = _comparison.AreGiven(result);
        _comparison.Check(result, _output, _model, _checkpoint);
        _teaching.Check(result, isComparison, _smoothing);
        if (!isComparison && result.GetResult(_output) is { Tokens: [var output] }
            && !output.Value.EndsWith(Extension, StringComparison.OrdinalIgnoreCase))
            result.AddError($"The network is saved as ONNX, and '{output.Value}' does not end in {Extension}; give --output OUT.onnx.");
        if (result.GetResult(_checkpoint) is { Tokens: [{ Value: "" }] })
            result.AddError("The name of the checkpoint is empty.");
        if (isComparison)
            return;
        if (result.GetResult(_resume) is { Implicit: false } && result.GetResult(_checkpoint) is null)
            result.AddError("--resume goes on from a checkpoint; say which with --checkpoint FILE.safetensors.");
        if (result.GetResult(_resume) is { Implicit: false } && result.GetResult(_minutes) is not null)
            result.AddError("A training that is gone on with has its steps already; give --steps as was printed in place of --minutes.");
    }

    private void Run(ParseResult parsed)
    {
        var optimizer = parsed.GetValue(_optimizer);
        var schedule = parsed.GetValue(_schedule) ?? UsualSchedule;
        var usual = new TrainingOptions();
        var options = usual with
        {
            Epochs = parsed.GetValue(_epochs) ?? usual.Epochs,
            Steps = parsed.GetValue(_steps),
            BatchSize = parsed.GetValue(_batch) ?? usual.BatchSize,
            Optimizer = TrainingChoices.Optimizer(
                optimizer ?? UsualOptimizer,
                parsed.GetValue(_rate) ?? (optimizer is null ? UsualRate : null),
                parsed.GetValue(_decay),
                parsed.GetValue(_l1) ?? 0),
            Schedule = TrainingChoices.Schedule(schedule),
            Augmentation = parsed.GetValue(_augment) ?? PictureAugmentation.None,
            LabelSmoothing = parsed.GetValue(_smoothing) ?? 0,
            ClipNorm = parsed.GetValue(_clip) ?? 0,
            AverageDecay = parsed.GetValue(_average) ?? 0,
            Seed = parsed.GetValue(_seed) ?? 0,
            Threads = parsed.GetValue(_threads) ?? usual.Threads,
        };
        var settings = new TrainSettings(
            parsed.GetRequiredValue(_data),
            parsed.GetValue(_model) ?? ModelChoice.Parse(UsualModel),
            parsed.GetRequiredValue(_output),
            parsed.GetValue(_validation) ?? ValidationPart.Usual,
            parsed.GetValue(_size),
            parsed.GetValue(_strict),
            optimizer ?? UsualOptimizer,
            schedule,
            _teaching.Read(parsed),
            options,
            parsed.GetValue(_minutes),
            parsed.GetValue(_checkpoint),
            parsed.GetValue(_resume),
            parsed.GetValue(_json));
        if (_comparison.AreGiven(parsed.CommandResult))
            new ComparisonRun(_terminal, _comparison.Read(parsed, settings)).Run();
        else
            new TrainRun(_terminal, settings).Run();
    }
}
