namespace SeparableConv.Cli.Options;

/// <summary>How many pictures validate: a share of every class, or the last ones of the files; neither for none.</summary>
/// <param name="Fraction">The share, or null.</param>
/// <param name="Count">How many, or null.</param>
internal sealed record ValidationPart(double? Fraction, int? Count)
{
    /// <summary>The part where nothing is said.</summary>
    public static ValidationPart Usual { get; } = new(0.1, null);

    /// <summary>Reads a number: below 1 it is a share, from 1 up it counts, and 0 is none.</summary>
    /// <exception cref="FormatException">It is no such number.</exception>
    public static ValidationPart Parse(string text)
    {
        var number = OptionValues.Number(text, 0);
        return number switch
        {
            0 => new(null, null),
            < 1 => new(number, null),
            _ => new(null, OptionValues.WholeNumber(text, 1)),
        };
    }

    /// <summary>Parts the pictures. The same ones validate whatever the training's seed, so that trainings can be compared.</summary>
    public (PictureDataSet Training, PictureDataSet? Validation) Split(PictureDataSet data) => this switch
    {
        { Fraction: { } fraction } => data.Split(fraction),
        { Count: { } count } => data.SplitLast(count),
        _ => (data, null),
    };
}

/// <summary>Reads the words for how a network is trained.</summary>
internal static class TrainingChoices
{
    /// <summary>The optimizers' names.</summary>
    public static readonly string[] Optimizers = ["sgd", "nesterov", "adam", "adamw", "rmsprop"];

    /// <summary>Checks an optimizer's name.</summary>
    /// <exception cref="FormatException">It is unknown.</exception>
    public static string OptimizerName(string text) => Optimizers.Contains(text.ToLowerInvariant())
        ? text.ToLowerInvariant()
        : throw new FormatException($"'{text}' is no optimizer; use {string.Join(", ", Optimizers)}.");

    /// <summary>Makes an optimizer; a rate or decay that is not given is the optimizer's own.</summary>
    public static Optimizer Optimizer(string name, double? rate, double? decay, double l1) => Optimizer(name, rate, decay) with { L1 = l1 };

    /// <summary>Reads <c>constant</c>, <c>step:N[:F]</c>, <c>cosine[:WARMUP]</c> or <c>onecycle[:RISE]</c>.</summary>
    /// <exception cref="FormatException">It is no schedule.</exception>
    /// <exception cref="ArgumentException">A number is out of range.</exception>
    public static LearningRateSchedule Schedule(string text) => text.ToLowerInvariant().Split(':') switch
    {
        ["constant"] => LearningRateSchedule.Constant,
        ["step", var epochs] => LearningRateSchedule.Step(OptionValues.WholeNumber(epochs, 1)),
        ["step", var epochs, var factor] => LearningRateSchedule.Step(OptionValues.WholeNumber(epochs, 1), OptionValues.Number(factor, 0)),
        ["cosine"] => LearningRateSchedule.Cosine(),
        ["cosine", var warmUp] => LearningRateSchedule.Cosine(OptionValues.Number(warmUp, 0)),
        ["onecycle"] => LearningRateSchedule.OneCycle(),
        ["onecycle", var rise] => LearningRateSchedule.OneCycle(OptionValues.Number(rise, 0)),
        _ => throw new FormatException($"'{text}' is no schedule; use constant, step:N[:F], cosine[:WARMUP] or onecycle[:RISE]."),
    };

    /// <summary>Reads a number above 0.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static double Positive(string text) => OptionValues.Number(text, 0) is > 0 and var number
        ? number
        : throw new FormatException($"'{text}' is not above 0.");

    /// <summary>Reads a number from 0 up to and without 1.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static double Share(string text) => OptionValues.Number(text, 0) is < 1 and var number
        ? number
        : throw new FormatException($"'{text}' is not below 1.");

    /// <summary>Reads a number from 0 up to 1.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static double Part(string text) => OptionValues.Number(text, 0) is <= 1 and var number
        ? number
        : throw new FormatException($"'{text}' is above 1.");

    private static Optimizer Optimizer(string name, double? rate, double? decay) => name switch
    {
        "sgd" => Training.Optimizer.Sgd(rate ?? 0.1, weightDecay: decay ?? 0),
        "nesterov" => Training.Optimizer.Sgd(rate ?? 0.1, nesterov: true, weightDecay: decay ?? 0),
        "adam" => Training.Optimizer.Adam(rate ?? 1e-3, weightDecay: decay ?? 0),
        "adamw" => Training.Optimizer.AdamW(rate ?? 1e-3, weightDecay: decay ?? 1e-2),
        _ => Training.Optimizer.RmsProp(rate ?? 1e-2, weightDecay: decay ?? 0),
    };
}
