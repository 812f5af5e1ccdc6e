using SeparableConv.Cli.Options;

namespace SeparableConv.Cli.Commands;

/// <summary>The network that a training learns from, as it is typed.</summary>
/// <param name="Text">Its file.</param>
/// <param name="Weight">Its share of the loss.</param>
/// <param name="Temperature">What logits are divided by.</param>
internal sealed record TeacherChoice(string Text, double Weight, double Temperature)
{
    /// <summary>Reads it.</summary>
    /// <exception cref="InputException">It cannot be read; the message names the file.</exception>
    public Distillation Load() => new(ModelOptions.Load(Text, null)) { Weight = Weight, Temperature = Temperature };
}
