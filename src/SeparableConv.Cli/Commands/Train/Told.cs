namespace SeparableConv.Cli.Commands;

/// <summary>
/// Tells of a training's progress at once, on the thread that trains: <see cref="Progress{T}"/> would tell later, on another.
/// </summary>
internal sealed class Told(Action<TrainingProgress> tell) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value) => tell(value);
}
