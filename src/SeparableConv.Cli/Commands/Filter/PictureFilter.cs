using SeparableConv.Cli.Pictures;

namespace SeparableConv.Cli.Commands;

/// <summary>What <c>sepconv filter</c> does with every picture.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Options">How it is applied.</param>
/// <param name="Gray">Whether pictures become gray first.</param>
/// <param name="ToFloat">Whether results are left unrounded.</param>
/// <param name="Explain">Whether every way of filtering is timed.</param>
/// <param name="Repeat">Runs to time after a warm-up; null for one run without.</param>
/// <param name="IsOneOfMany">Whether the picture is one of many: then its time is taken from a single run.</param>
/// <param name="Reading">How pictures are read: the limit of pixels.</param>
internal sealed record FilterSettings(
    FilterKernel Kernel,
    FilterOptions Options,
    bool Gray,
    bool ToFloat,
    bool Explain,
    int? Repeat,
    bool IsOneOfMany,
    ImageReadOptions Reading);

/// <summary>Filters pictures and times it; the plan is kept for as long as pictures have one shape.</summary>
/// <param name="settings">What is done with every picture.</param>
internal sealed class PictureFilter(FilterSettings settings)
{
    // Fewer say little about ways whose times are close.
    private const int LeastRoundsExplained = 7;

    private ImageFilter? _filter;

    /// <summary>Filters a picture and times it.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="input">Where it came from.</param>
    /// <param name="output">Where the result goes.</param>
    /// <param name="holdsProfile">Whether the result's file holds a colour profile; a picture that has one becomes sRGB where not.</param>
    public (Picture Result, FilterReport Report) Run(Picture picture, string input, string output, bool holdsProfile)
    {
        // Unrounded sums are no colours that a profile could be about.
        var image = holdsProfile && !settings.ToFloat ? picture.Image : picture.Image.ToSrgb();
        if (settings.Gray)
            image = image.ToGray();
        if (_filter is null || _filter.Plan.Shape != image.Shape)
            _filter = ImageFilter.Create(settings.Kernel, image.Shape, settings.Options);

        var filter = _filter;
        var result = Result(image);
        var times = Time(() => image.FilterInto(filter, result), out var rounds);
        var ways = settings.Explain ? TimeWays(filter, image) : null;

        // A gray picture has no channel axis to keep but the one it came with.
        return (picture with { Image = result, HasChannelAxis = picture.HasChannelAxis && result.Channels == 1 },
            new FilterReport(input, output, filter.Plan, result.Type, times, rounds, settings.Repeat is not null, ways));
    }

    // The first run compiles the loops; where it was short, a few more tell what the filter really takes.
    private RunTimes Time(Action run, out int rounds)
    {
        const int MoreRounds = 5;
        const double Short = 100;
        rounds = settings.Repeat ?? 1;
        if (settings.Repeat is not null)
            return RunTimes.Repeat(rounds, run);
        var first = RunTimes.Once(run);
        if (settings.IsOneOfMany || first.Min > Short)
            return first;
        rounds = MoreRounds;
        return RunTimes.Repeat(rounds, run);
    }

    private RunTimes[] TimeWays(ImageFilter chosen, Image image)
    {
        var plan = chosen.Plan;
        var runs = plan.Alternatives.Select<FilterAlternative, Action>(way =>
        {
            var filter = way == plan.Chosen
                ? chosen
                : ImageFilter.Create(plan.Kernel, plan.Shape, plan.Options with { Plan = PlanNames.Choice(way) });
            var result = Result(image);
            return () => image.FilterInto(filter, result);
        });
        return RunTimes.Interleave(Math.Max(LeastRoundsExplained, settings.Repeat ?? 0), [.. runs], least: 0);
    }

    private Image Result(Image image)
    {
        if (!settings.ToFloat)
            return image.CreateLike(image.Width, image.Height);
        var sums = Image.Create(image.Width, image.Height, image.Channels, new float[image.Height * image.Shape.RowElements]);
        sums.Metadata = ImageMetadata.None with { Resolution = image.Metadata.Resolution };
        return sums;
    }
}
