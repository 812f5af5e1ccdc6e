using System.CommandLine;
using System.CommandLine.Parsing;
using SeparableConv.Cli.Options;

namespace SeparableConv.Cli.Commands;

/// <summary>The options of <c>sepconv train</c> that belong to <c>--teacher</c>.</summary>
internal sealed class TeacherOptions
{
    private const double UsualWeight = 1;
    private const double UsualTemperature = 2;

    private readonly Option<string?> _teacher = new("--teacher")
    {
        HelpName = "MODEL",
        Description = "Learn from what this network makes of the pictures: ONNX or TensorFlow Lite, of the same pictures and classes.",
    };

    private readonly Option<double?> _weight = OptionValues.Parsed<double?>(
        "--teacher-weight", "W", "The teacher's share of the loss, up to 1, the rest is that of the labels; "
            + $"{UsualWeight}, the teacher alone, by default.",
        text => TrainingChoices.Part(text));

    private readonly Option<double?> _temperature = OptionValues.Parsed<double?>(
        "--temperature", "T", "What logits are divided by before they are compared with the teacher's: the higher, the more all classes "
            + $"count; {UsualTemperature} by default.",
        text => TrainingChoices.Positive(text));

    /// <summary>All of them.</summary>
    public IEnumerable<Option> All => [_teacher, _weight, _temperature];

    /// <summary>Refuses options that do not go together.</summary>
    /// <param name="result">What was typed.</param>
    /// <param name="isComparison">Whether networks are compared.</param>
    /// <param name="smoothing">Is of labels.</param>
    public void Check(CommandResult result, bool isComparison, Option<double?> smoothing)
    {
        if (result.GetResult(_teacher) is not { } teacher)
        {
            foreach (var option in (Option[])[_weight, _temperature])
            {
                if (result.GetResult(option) is not null)
                    result.AddError($"{option.Name} changes nothing without --teacher.");
            }

            return;
        }

        if (teacher.Tokens is [{ Value: "" }])
            result.AddError("The name of the teacher is empty.");
        if (isComparison)
            result.AddError("A comparison trains by labels alone; leave --teacher out.");
        if (result.GetResult(smoothing) is not null && (result.GetResult(_weight)?.GetValueOrDefault<double?>() ?? UsualWeight) == 1)
            result.AddError($"{smoothing.Name} changes nothing where the teacher counts alone; give --teacher-weight below 1.");
    }

    /// <summary>What was asked; null without a teacher.</summary>
    public TeacherChoice? Read(ParseResult parsed) => parsed.GetValue(_teacher) is { } file
        ? new(file, parsed.GetValue(_weight) ?? UsualWeight, parsed.GetValue(_temperature) ?? UsualTemperature)
        : null;
}
