using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using SeparableConv.Cli.Options;
using SeparableConv.Cli.Pictures;

namespace SeparableConv.Cli.Commands;

/// <summary><c>sepconv cost</c>: what a layer costs in each of its forms.</summary>
internal sealed partial class CostCommand
{
    public const string Name = "cost";

    public static readonly string[] Examples =
    [
        "sepconv cost 12x12x3 --kernel 5x5 --filters 256",
        "sepconv cost 112x112x64 --kernel 3x3 --filters 128 --padding same --stride 2 --measure",
        "sepconv cost samples/picture.png --kernel 3x3 --filters 64 --padding same --measure",
        "sepconv cost 56x56x128 --kernel 3 --filters 128 --json",
    ];

    private readonly Terminal _terminal;
    private readonly Argument<string> _input = new("INPUT")
    {
        Description = "Size of the input, HxWxC such as 12x12x3, or a picture file, whose pixels are then the input.",
    };

    private readonly Option<Size2D> _kernel = OptionValues.Parsed("--kernel", "HxW", "Size of the kernel, 5x5 or 5.", OptionValues.Size);
    private readonly Option<int?> _filters = OptionValues.WholeNumber("--filters", "O", "Channels of the output.", least: 1);
    private readonly Option<Size2D> _stride = OptionValues.Parsed("--stride", "S|SHxSW", "Stride; 1 by default.", OptionValues.Size);
    private readonly Option<Padding> _padding = OptionValues.Parsed(
        "--padding", "P", "valid (default), same, same-lower, or T,B,L,R rows and columns of zeros.", OptionValues.Padding);
    private readonly Option<Size2D> _dilation = OptionValues.Parsed("--dilation", "D|DHxDW", "Dilation; 1 by default.", OptionValues.Size);
    private readonly Option<int?> _multiplier = OptionValues.WholeNumber(
        "--depth-multiplier", "M", "Depthwise kernels a channel; 1 by default.", least: 1);
    private readonly Option<bool> _measure = new("--measure") { Description = "Run each form here and print its time beside its count." };
    private readonly Option<bool> _direct = new("--direct")
    {
        Description = "Run the standard form tap by tap; else 3x3 with stride 1 takes 2.25 times fewer multiplications than are counted "
            + "(Winograd) where that is faster.",
    };

    private readonly Option<int?> _threads = OptionValues.WholeNumber(
        "--threads", "N", "Threads to measure with; all processors by default.", least: 1);
    private readonly Option<long?> _maxPixels = PictureOptions.MaxPixels();
    private readonly Option<bool> _strict = PictureOptions.Strict();
    private readonly Option<bool> _json = new("--json") { Description = "Print JSON." };

    private CostCommand(Terminal terminal) => _terminal = terminal;

    /// <summary>Builds the command.</summary>
    public static Command Create(Terminal terminal)
    {
        var self = new CostCommand(terminal);
        self._kernel.Required = true;
        self._filters.Required = true;
        self._input.Validators.Add(OptionValues.RefuseUnknownOptions);
        self._input.Validators.Add(result =>
        {
            var text = result.Tokens[0].Value;
            if (LooksLikeSize().IsMatch(text) && !File.Exists(text) && !TrySize(text, out _, out _))
                result.AddError($"'{text}' is no size of an input; write HxWxC in whole numbers from 1 up, such as 12x12x3.");
        });
        var command = new Command(Name, "Count multiplications, parameters and bytes of a layer: standard against depthwise separable.")
        {
            self._input, self._kernel, self._filters, self._stride, self._padding, self._dilation, self._multiplier,
            self._measure, self._direct, self._threads, self._maxPixels, self._strict, self._json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(self._threads) is not null && result.GetResult(self._measure) is null)
                result.AddError("--threads changes nothing without --measure.");
            if (result.GetResult(self._direct) is not null && result.GetResult(self._measure) is null)
                result.AddError("--direct changes nothing without --measure.");
        });
        command.SetAction(self.Run);
        return command;
    }

    [GeneratedRegex(@"^[-+\d]+([xX,*][-+\d]*)*$|^[-+]?\d[\d.]*[xX]")]
    private static partial Regex LooksLikeSize();

    private static bool TrySize(string text, out Size2D size, out int channels)
    {
        size = default;
        channels = 0;
        var parts = text.Split('x', 'X');
        var numbers = new int[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]) || numbers[i] == 0)
                return false;
        }

        if (numbers.Length != 3)
            return false;
        (size, channels) = (new Size2D(numbers[0], numbers[1]), numbers[2]);
        return true;
    }

    private void Run(ParseResult parsed)
    {
        var text = parsed.GetRequiredValue(_input);
        float[]? pixels = null;
        if (!TrySize(text, out var size, out var channels))
        {
            var image = PictureFile.Load(text, _terminal, PictureOptions.Read(parsed.GetValue(_maxPixels), parsed.GetValue(_strict))).Image;
            (size, channels) = (new Size2D(image.Height, image.Width), image.Channels);
            pixels = parsed.GetValue(_measure) ? UnitPixels.Of(image) : [];
        }

        var layer = new Layer(
            size,
            channels,
            parsed.GetRequiredValue(_filters)!.Value,
            parsed.GetRequiredValue(_kernel),
            parsed.GetResult(_stride) is null ? 1 : parsed.GetValue(_stride),
            parsed.GetResult(_dilation) is null ? 1 : parsed.GetValue(_dilation),
            parsed.GetValue(_padding),
            parsed.GetValue(_multiplier) ?? 1);
        var counts = LayerCounts.Of(layer);
        var times = parsed.GetValue(_measure)
            ? LayerTimes.Measure(layer, counts, pixels, parsed.GetValue(_threads) ?? Environment.ProcessorCount, parsed.GetValue(_direct))
            : null;
        var report = new CostReport(layer, counts, times, pixels is null ? null : text);
        if (parsed.GetValue(_json))
            report.PrintJson(_terminal.Output);
        else
            report.Print(_terminal);
    }
}
