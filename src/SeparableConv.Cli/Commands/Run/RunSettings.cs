using SeparableConv.Cli.Options;

namespace SeparableConv.Cli.Commands;

/// <summary>What <c>sepconv run</c> was asked to do.</summary>
/// <param name="Model">The network's file.</param>
/// <param name="Images">Pictures and tensors, run one after another.</param>
/// <param name="Named">Tensors for inputs by name, the same for every run.</param>
/// <param name="Shapes">Shapes of inputs whose own are open, or null.</param>
/// <param name="Labels">A file of class names, or null.</param>
/// <param name="Top">Classes to tell, or null for <see cref="DefaultTop"/>.</param>
/// <param name="Mean">What is taken from every sample, or null.</param>
/// <param name="Deviation">What every sample is then divided by, or null.</param>
/// <param name="Threads">Threads.</param>
/// <param name="Repeat">Runs to time for each input, or null.</param>
/// <param name="Profile">Whether layers are timed.</param>
/// <param name="DynamicRange">Whether layers with int8 weights bring what they read to 8 bits too.</param>
/// <param name="Json">Whether reports are JSON.</param>
/// <param name="Reading">The limit of pixels.</param>
internal sealed record RunSettings(
    string Model,
    IReadOnlyList<string> Images,
    IReadOnlyList<NamedFile> Named,
    NamedShape[]? Shapes,
    string? Labels,
    int? Top,
    double[]? Mean,
    double[]? Deviation,
    int Threads,
    int? Repeat,
    bool Profile,
    bool DynamicRange,
    bool Json,
    ImageReadOptions Reading)
{
    public const int DefaultTop = 5;
}

/// <summary>An input and the file of its tensor, typed as <c>NAME=FILE.npy</c>.</summary>
/// <param name="Name">The input.</param>
/// <param name="File">The file.</param>
internal sealed record NamedFile(string Name, string File);
