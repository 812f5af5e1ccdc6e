using System.CommandLine;
using System.CommandLine.Parsing;
using SeparableConv.Cli.Options;

namespace SeparableConv.Cli.Commands;

/// <summary><c>sepconv run</c>: runs a network on pictures and tensors.</summary>
internal sealed class RunCommand
{
    public const string Name = "run";

    public static readonly string[] Examples =
    [
        "sepconv run mobilenet_v1.tflite cat.jpg --labels labels.txt --top 3",
        "sepconv run model.onnx photos/*.jpg --labels labels.txt --json",
        "sepconv run model.onnx picture.png --mean 127 --std 128 --output outputs/",
        "sepconv run model.onnx picture.png --mean 123.675,116.28,103.53 --std 58.395,57.12,57.375",
        "sepconv run model.onnx tensor.npy --shape input=1x3x320x320 --output result.npy",
        "sepconv run two-inputs.onnx --input left=l.npy --input right=r.npy --output outputs/",
        "sepconv run model.tflite cat.jpg --threads 1 --repeat 100 --profile",
    ];

    private readonly Terminal _terminal;
    private readonly Argument<string> _model = ModelOptions.Model();
    private readonly Argument<string[]> _images = new("IMAGE")
    {
        Description = "Pictures, resized to the network's size (bilinear, antialiased) and normalized; or .npy tensors in the network's "
            + "own type, shape and layout. - is standard input.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<string?> _labels = new("--labels")
    {
        HelpName = "F",
        Description = "The names of the classes, one a line, as many as the network has classes.",
    };

    private readonly Option<int?> _top = OptionValues.WholeNumber(
        "--top", "K", $"How many of the best classes to tell; {RunSettings.DefaultTop} by default.", least: 1);
    private readonly Option<NamedFile[]> _named = OptionValues.Several(
        "--input", "NAME=FILE.npy", "A tensor for one input of a network that has several; may be repeated.", ParseNamedFile);

    private readonly Option<string?> _output = new("--output", "-o")
    {
        HelpName = "DIR|FILE.npy",
        Description = "Write outputs as .npy: NAME.npy each in a directory (made where missing; of several inputs each has a folder "
            + "there), one output to a file, or - for standard output.",
    };

    private readonly Option<double[]?> _mean = OptionValues.Parsed<double[]?>(
        "--mean",
        "M[,M,M]",
        "Taken from every sample of 0 to 255, one number or one a channel. Without --mean and --std a model whose metadata has them "
            + "(as of sepconv train) is believed, a quantized input gets the pixels "
            + "as they are, a float input with channels first and in colour (ONNX) ImageNet's 123.675,116.28,103.53 and "
            + "58.395,57.12,57.375, and any other float input 127.5 and 127.5.",
        OptionValues.Numbers);

    private readonly Option<double[]?> _deviation = OptionValues.Parsed<double[]?>(
        "--std", "S[,S,S]", "What every sample less the mean is divided by; 1 where only --mean is given.", ParseDeviation);

    private readonly Option<NamedShape[]> _shapes = ModelOptions.Shapes();
    private readonly Option<int?> _threads = OptionValues.WholeNumber(
        "--threads", "N", "Threads; all processors by default. Results do not depend on it.", least: 1);
    private readonly Option<int?> _repeat = OptionValues.WholeNumber(
        "--repeat", "N", "Run each input N times more after a warm-up and tell the fastest and the median time.", least: 1);
    private readonly Option<bool> _dynamicRange = new("--dynamic-range")
    {
        Description = "Compute TensorFlow Lite layers that have int8 weights and float activations in 8-bit integers, as its own "
            + "dynamic-range kernels do; otherwise they are computed in floats.",
    };

    private readonly Option<bool> _profile = new("--profile") { Description = "Tell each layer's time, GFLOP/s and share." };
    private readonly Option<long?> _maxPixels = PictureOptions.MaxPixels();
    private readonly Option<bool> _strict = PictureOptions.Strict();
    private readonly Option<bool> _json = new("--json") { Description = "Print JSON." };

    private RunCommand(Terminal terminal) => _terminal = terminal;

    /// <summary>Builds the command.</summary>
    public static Command Create(Terminal terminal)
    {
        var self = new RunCommand(terminal);
        self._images.Validators.Add(OptionValues.RefuseUnknownOptions);
        var command = new Command(
            Name, "Run a network (ONNX, TensorFlow Lite) on pictures or tensors: the best classes, or what comes out.")
        {
            self._model, self._images, self._labels, self._top, self._named, self._output, self._mean, self._deviation, self._shapes,
            self._threads, self._repeat, self._profile, self._dynamicRange, self._maxPixels, self._strict, self._json,
        };
        command.Validators.Add(self.CheckCombination);
        command.SetAction(self.Run);
        return command;
    }

    private static NamedFile ParseNamedFile(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && equals < text.Length - 1
            ? new NamedFile(text[..equals], text[(equals + 1)..])
            : throw new FormatException($"'{text}' names no input and file; write NAME=FILE.npy.");
    }

    internal static double[] ParseDeviation(string text)
    {
        var deviation = OptionValues.Numbers(text);
        return Array.IndexOf(deviation, 0) < 0 ? deviation : throw new FormatException($"'{text}' has a 0, and samples are divided by it.");
    }

    // What the parser cannot know of the options together.
    private void CheckCombination(CommandResult result)
    {
        var images = result.GetResult(_images)?.Tokens ?? [];
        var named = result.GetResult(_named)?.Tokens ?? [];
        if (images.Count == 0 && named.Count == 0)
            result.AddError("There is nothing to run the network on; give a picture, a .npy tensor, or --input for every input.");
        if (images.Any(t => t.Value.Length == 0) || result.GetResult(_output) is { Tokens: [{ Value: "" }] })
            result.AddError("The name of a file is empty.");
        if (images.Count > 1 && images.Any(t => t.Value == Terminal.Dash))
            result.AddError("Standard input (-) is one picture without a name; run it alone.");
        if (images.Count > 1 && result.GetResult(_output) is { Tokens: [var output] }
            && new RunTarget(output.Value) is { IsFile: true } or { IsStandardOutput: true })
            result.AddError($"The outputs of {images.Count} inputs cannot go to '{output.Value}'; give a directory.");
        var twice = named.GroupBy(t => t.Value.Split('=')[0]).FirstOrDefault(group => group.Count() > 1);
        if (twice is not null)
            result.AddError($"--input is given {twice.Count()} times for '{twice.Key}'; give it once.");
    }

    private void Run(ParseResult parsed)
    {
        var settings = new RunSettings(
            parsed.GetRequiredValue(_model),
            parsed.GetValue(_images) ?? [],
            parsed.GetValue(_named) ?? [],
            parsed.GetValue(_shapes),
            parsed.GetValue(_labels),
            parsed.GetValue(_top),
            parsed.GetResult(_mean) is null ? null : parsed.GetValue(_mean),
            parsed.GetResult(_deviation) is null ? null : parsed.GetValue(_deviation),
            parsed.GetValue(_threads) ?? new CompileOptions().Threads,
            parsed.GetValue(_repeat),
            parsed.GetValue(_profile),
            parsed.GetValue(_dynamicRange),
            parsed.GetValue(_json),
            PictureOptions.Read(parsed.GetValue(_maxPixels), parsed.GetValue(_strict)));
        new RunBatch(_terminal, settings, parsed.GetValue(_output) is { } output ? new RunTarget(output) : null).Run();
    }
}
