using System.CommandLine;
using System.CommandLine.Parsing;
using SeparableConv.Cli.Options;
using SeparableConv.Cli.Pictures;

namespace SeparableConv.Cli.Commands;

/// <summary><c>sepconv filter</c>: filters pictures.</summary>
internal sealed class FilterCommand
{
    public const string Name = "filter";

    public static readonly string[] Examples =
    [
        "sepconv filter samples/picture.png -o blurred.png --kernel gauss:15:2.6 --explain",
        "sepconv filter samples/picture.png -o edges.png --kernel sobel-x --gray --scale 0.5 --offset 128",
        "sepconv filter photos/*.jpg -o blurred/ --kernel disk:6 --max-error 2",
        "sepconv filter in.png -o out.png --kernel \"0 -1 0; -1 5 -1; 0 -1 0\" --border constant:255",
        "sepconv filter in.npy -o out.npy --kernel kernel.npy --plan dense --convolve",
        "cat in.png | sepconv filter - -o - --kernel sharpen > out.png",
        "sepconv filter in.png -o out.png --kernel gauss:7 --repeat 50 --json",
    ];

    private readonly Terminal _terminal;
    private readonly Argument<string[]> _inputs = new("IN")
    {
        Description = "Pictures, recognized by content; - is standard input.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string> _output = new("--output", "-o")
    {
        HelpName = "OUT",
        Description = "A file (.png, .npy, .jpg, .webp, .tif, ...), a directory for many (made where missing), or - for standard output.",
        Required = true,
    };

    private readonly Option<string> _kernel = new("--kernel", "-k")
    {
        HelpName = "K",
        Description = "Numbers (\"1 2 1; 2 4 2; 1 2 1\"), a name (gauss:15:2.6), or a file (.txt, .csv, .json, .npy).",
        Required = true,
    };

    private readonly Option<(BorderMode Mode, double Value)> _border = OptionValues.Parsed(
        "--border",
        "B",
        "What lies beyond the edge: reflect101 (default), reflect, replicate, wrap, or constant[:V].",
        OptionValues.Border);

    private readonly Option<FilterPlanChoice> _plan = OptionValues.Parsed(
        "--plan",
        "P",
        "auto (default: the cheapest that is exact, or within --max-error), dense, separable, box, or rank:R.",
        FilterPlanChoice.Parse);

    private readonly Option<double?> _maxError = OptionValues.Number(
        "--max-error",
        "E",
        "How far an automatic plan may be off by dropping terms, in pixel steps (0 to 255 for 8 bits); 0 by default.",
        least: 0);

    private readonly Option<bool> _convolve = new("--convolve")
    {
        Description = "True convolution: the kernel is flipped. By default filters correlate, as everywhere.",
    };

    private readonly Option<bool> _gray = new("--gray") { Description = "Make gray first: 0.299 R + 0.587 G + 0.114 B (BT.601)." };
    private readonly Option<bool> _alpha = new("--filter-alpha")
    {
        Description = "Filter alpha too; by default it is kept as it is. What transparent pixels hide is never seen.",
    };

    private readonly Option<double?> _scale = OptionValues.Number("--scale", "S", "Multiplies every sum; 1 by default.");
    private readonly Option<double?> _offset = OptionValues.Number(
        "--offset", "O", "Added to every scaled sum, in pixel steps; 0 by default.");
    private readonly Option<bool> _float = new("--float")
    {
        Description = "Leave results as float32, unrounded and with their sign; for .npy and .tif.",
    };

    private readonly Option<string?> _format = OptionValues.Parsed<string?>(
        "--format",
        "F",
        "Format for a directory or standard output, such as png or npy; by default that of each input's name, png on standard output.",
        ParseFormat);

    private readonly Option<bool> _explain = new("--explain") { Description = "Say why the plan was chosen and time dense beside it." };
    private readonly Option<int?> _threads = OptionValues.WholeNumber(
        "--threads", "N", "Threads; all processors by default. Results do not depend on it.", least: 1);
    private readonly Option<int?> _repeat = OptionValues.WholeNumber(
        "--repeat", "N", "Filter N times after a warm-up and report the fastest and the median time.", least: 1);
    private readonly Option<long?> _maxPixels = PictureOptions.MaxPixels();
    private readonly Option<bool> _strict = PictureOptions.Strict();
    private readonly Option<bool> _json = new("--json") { Description = "Print JSON: an object, or an array where OUT is a directory." };

    private FilterCommand(Terminal terminal) => _terminal = terminal;

    /// <summary>Builds the command.</summary>
    public static Command Create(Terminal terminal)
    {
        var self = new FilterCommand(terminal);
        self._inputs.Validators.Add(OptionValues.RefuseUnknownOptions);
        var command = new Command(
            Name, "Filter pictures with a kernel, by the cheapest plan: dense, separable, or a sum of separable filters.")
        {
            self._inputs, self._output, self._kernel, self._border, self._plan, self._maxError, self._convolve, self._gray, self._alpha,
            self._scale, self._offset, self._float, self._format, self._explain, self._threads, self._repeat, self._maxPixels, self._strict,
            self._json,
        };
        command.Validators.Add(self.CheckCombination);
        command.SetAction(self.Run);
        return command;
    }

    private static string ParseFormat(string text)
    {
        var name = text.TrimStart('.').ToLowerInvariant();
        return name.Length > 0 && name.All(char.IsAsciiLetterOrDigit)
            ? "." + name
            : throw new FormatException($"'{text}' is no format; write an extension such as png or npy.");
    }

    // What the parser cannot know of the options together.
    private void CheckCombination(CommandResult result)
    {
        if (result.GetResult(_inputs) is not { Tokens.Count: > 0 } inputs || result.GetResult(_output) is not { Tokens: [var output] })
            return;

        if (output.Value.Length == 0 || inputs.Tokens.Any(t => t.Value.Length == 0))
        {
            result.AddError("The name of a picture is empty; give a file, a directory, or -.");
            return;
        }

        var target = new FilterTarget(
            output.Value,
            result.GetResult(_format) is { Tokens: [var format] } ? "." + format.Value.TrimStart('.').ToLowerInvariant() : null);
        var fromInput = inputs.Tokens.Count(t => t.Value == Terminal.Dash);
        if (inputs.Tokens.Count > 1 && !target.IsDirectory)
            result.AddError($"{inputs.Tokens.Count} pictures cannot go to '{output.Value}'; give a directory, with a slash at its end.");
        if (fromInput > 0 && (inputs.Tokens.Count > 1 || target.IsDirectory))
            result.AddError("Standard input (-) is one picture without a name; give -o a file.");
        if (fromInput > 0 && result.GetResult(_kernel) is { Tokens: [{ Value: Terminal.Dash }] })
            result.AddError("Both the picture and the kernel are standard input (-); give one of them as a file.");
        if (target.Format is not null && !target.IsDirectory && !target.IsStandardOutput)
            result.AddError($"--format is for a directory or standard output; the name '{output.Value}' says the format itself.");
        if (target.IsStandardOutput && target.Format is not (null or PictureFile.Png or PictureFile.Npy))
            result.AddError($"Standard output is written as png or npy, not {target.Format[1..]}; give -o a file.");
    }

    private void Run(ParseResult parsed)
    {
        var kernel = KernelSource.Read(parsed.GetRequiredValue(_kernel), _terminal);
        var border = parsed.GetValue(_border);
        var options = new FilterOptions
        {
            Border = border.Mode,
            ConstantValue = border.Value,
            Convolve = parsed.GetValue(_convolve),
            FilterAlpha = parsed.GetValue(_alpha),
            Scale = parsed.GetValue(_scale) ?? 1,
            Offset = parsed.GetValue(_offset) ?? 0,
            Threads = parsed.GetValue(_threads) ?? FilterOptions.Default.Threads,
            Plan = parsed.GetValue(_plan),
            MaxError = parsed.GetValue(_maxError) ?? 0,
        };
        var target = new FilterTarget(parsed.GetRequiredValue(_output), parsed.GetValue(_format));
        var settings = new FilterSettings(
            kernel,
            options,
            parsed.GetValue(_gray),
            parsed.GetValue(_float),
            parsed.GetValue(_explain),
            parsed.GetValue(_repeat),
            target.IsDirectory,
            PictureOptions.Read(parsed.GetValue(_maxPixels), parsed.GetValue(_strict)));
        new FilterBatch(_terminal, settings, parsed.GetRequiredValue(_inputs), target, parsed.GetValue(_json)).Run();
    }
}
