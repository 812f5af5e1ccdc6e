using SeparableConv.Cli.Options;
using SeparableConv.Networks.Separating;

namespace SeparableConv.Cli.Commands;

/// <summary>What <c>sepconv separate</c> was asked to do.</summary>
/// <param name="Model">The network's file.</param>
/// <param name="Shapes">Shapes of inputs that the file leaves open.</param>
/// <param name="Output">The file that the new network goes to; null where nothing is written.</param>
/// <param name="Report">The file that the report goes to, or null.</param>
/// <param name="Method">What layers may become.</param>
/// <param name="IsUniform">Whether every channel gets as many depthwise kernels.</param>
/// <param name="TakesDense">Whether dense layers are taken apart too.</param>
/// <param name="Goal">What is kept.</param>
/// <param name="Amount">A share, an error, or points of accuracy.</param>
/// <param name="Data">Labelled pictures, or null.</param>
/// <param name="Validation">Which of them judge.</param>
/// <param name="Calibration">Pictures to fit by, or null for those of the data.</param>
/// <param name="Samples">How many of them.</param>
/// <param name="Epochs">How long the result is trained on.</param>
/// <param name="Tuning">How.</param>
/// <param name="Teach">What it then learns from the original.</param>
/// <param name="Mean">What is taken from samples, or null.</param>
/// <param name="Deviation">What they are divided by, or null.</param>
/// <param name="Threads">Threads to use.</param>
/// <param name="Seed">What is random follows from it.</param>
/// <param name="IsStrict">Whether a picture that cannot be read is an error.</param>
/// <param name="Json">Whether the result is JSON.</param>
internal sealed record SeparateSettings(
    string Model,
    NamedShape[]? Shapes,
    string? Output,
    string? Report,
    SeparationMethod Method,
    bool IsUniform,
    bool TakesDense,
    SeparationGoal Goal,
    double Amount,
    DataSource? Data,
    ValidationPart Validation,
    DataSource? Calibration,
    int Samples,
    int Epochs,
    TrainingOptions Tuning,
    Func<Network, Distillation> Teach,
    double[]? Mean,
    double[]? Deviation,
    int Threads,
    int Seed,
    bool IsStrict,
    bool Json)
{
    /// <summary>The goal in words.</summary>
    public string GoalText => Goal switch
    {
        SeparationGoal.Macs => $"to {Share} of the multiply-accumulates",
        SeparationGoal.Parameters => $"to {Share} of the parameters",
        SeparationGoal.Latency => $"to {Share} of the time",
        SeparationGoal.Error => FormattableString.Invariant($"as small as a relative error of {Amount} allows"),
        _ => FormattableString.Invariant($"as small as a loss of {Amount} points of accuracy allows"),
    };

    private string Share => FormattableString.Invariant($"{100 * Amount:0.#} %");
}
