using SeparableConv.Imaging;

namespace SeparableConv.Cli.Commands;

/// <summary>What <c>sepconv filter</c> does with every picture.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Options">How it is applied.</param>
/// <param name="Gray">Whether pictures become gray first.</param>
/// <param name="ToFloat">Whether results are left unrounded.</param>
/// <param name="Explain">Whether every way of filtering is timed.</param>
/// <param name="Repeat">Runs to time after a warm-up; null for one run without.</param>
/// <param name="IsOneOfMany">Whether the time of a single picture matters little.</param>
/// <param name="Reading">The limit of pixels.</param>
internal sealed record FilterSettings(
    FilterKernel Kernel, FilterOptions Options, bool Gray, bool ToFloat, bool Explain, int? Repeat, bool IsOneOfMany, ImageReadOptions Reading);
