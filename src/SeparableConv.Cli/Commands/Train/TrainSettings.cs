using SeparableConv.Cli.Options;

namespace SeparableConv.Cli.Commands;

/// <summary>What <c>sepconv train</c> was asked to do.</summary>
/// <param name="Data">The pictures.</param>
/// <param name="Model">The network that it begins with.</param>
/// <param name="Output">The file that the trained network goes to.</param>
/// <param name="Validation">Which pictures validate.</param>
/// <param name="Size">What pictures of folders are resized to, or null.</param>
/// <param name="IsStrict">Whether a picture that cannot be read is an error.</param>
/// <param name="OptimizerName">The optimizer, in the word that was typed.</param>
/// <param name="ScheduleText">The schedule, as it was typed.</param>
/// <param name="Teacher">The network that is learned from, or null.</param>
/// <param name="Options">How is trained; steps are set later where minutes are given, the teacher when it is read.</param>
/// <param name="Minutes">The time that all of it may take, or null.</param>
/// <param name="Checkpoint">Where the training is kept after every epoch, or null.</param>
/// <param name="Resume">Whether it goes on from there.</param>
/// <param name="Json">Whether the result is JSON.</param>
internal sealed record TrainSettings(
    DataSource Data,
    ModelChoice Model,
    string Output,
    ValidationPart Validation,
    Size2D? Size,
    bool IsStrict,
    string OptimizerName,
    string ScheduleText,
    TeacherChoice? Teacher,
    TrainingOptions Options,
    double? Minutes,
    string? Checkpoint,
    bool Resume,
    bool Json)
{
    /// <summary>The options of the training by name, as they are typed.</summary>
    /// <param name="steps">Steps of the whole training.</param>
    public IEnumerable<(string Name, string Value)> Describe(long steps)
    {
        yield return ("data", Data.Text);
        yield return ("model", Model.Text);
        if (Teacher is { } teacher)
        {
            yield return ("teacher", teacher.Text);
            yield return ("teacher-weight", Numbers.Short(teacher.Weight));
            yield return ("temperature", Numbers.Short(teacher.Temperature));
        }

        if (Minutes is { } minutes)
            yield return ("minutes", Numbers.Short(minutes));
        yield return Minutes is null && Options.Steps is null ? ("epochs", $"{Options.Epochs}") : ("steps", $"{steps}");
        yield return ("batch", $"{Options.BatchSize}");
        yield return ("optimizer", OptimizerName);
        yield return ("lr", Numbers.Short(Options.Optimizer.LearningRate));
        yield return ("weight-decay", Numbers.Short(Options.Optimizer.WeightDecay));
        yield return ("l1", Numbers.Short(Options.Optimizer.L1));
        yield return ("schedule", ScheduleText);
        yield return ("augment", Options.Augmentation.ToString());
        yield return ("smoothing", Numbers.Short(Options.LabelSmoothing));
        yield return ("clip", Numbers.Short(Options.ClipNorm));
        yield return ("ema", Numbers.Short(Options.AverageDecay));
        yield return ("seed", $"{Options.Seed}");
        yield return ("threads", $"{Options.Threads}");
    }
}
