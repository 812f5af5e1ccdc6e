using System.Numerics.Tensors;
using SeparableConv.Cli.Output;
using SeparableConv.Cli.Pictures;
using SeparableConv.Imaging;

namespace SeparableConv.Cli.Commands;

/// <summary>Filters pictures; the plan is kept for as long as pictures have one shape.</summary>
/// <param name="settings">How.</param>
internal sealed class PictureFilter(FilterSettings settings)
{
    // Fewer say little about ways whose times are close.
    private const int LeastRoundsExplained = 7;

    private ImageFilter? _filter;

    /// <summary>Filters a picture and times it.</summary>
    public (Picture Result, FilterReport Report) Run(Picture picture, string input, string output)
    {
        var image = settings.Gray ? Luma.Of(picture.Image) : picture.Image;
        if (_filter is null || _filter.Plan.Shape != image.Shape)
            _filter = ImageFilter.Create(settings.Kernel, image.Shape, settings.Options);

        var filter = _filter;
        var (result, run) = Prepare(filter, image);
        var times = Time(run, out var rounds);
        var ways = settings.Explain ? TimeWays(filter.Plan, image) : null;

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

    private RunTimes[] TimeWays(FilterPlan plan, Image image)
    {
        var runs = plan.Alternatives.Select(way =>
        {
            var filter = way == plan.Chosen
                ? _filter!
                : ImageFilter.Create(plan.Kernel, plan.Shape, plan.Options with { Plan = PlanNames.Choice(way) });
            return Prepare(filter, image).Run;
        });
        return RunTimes.Interleave(Math.Max(LeastRoundsExplained, settings.Repeat ?? 0), [.. runs], least: 0);
    }

    // The result and what computes it, as often as it is called.
    private (Image Result, Action Run) Prepare(ImageFilter filter, Image image) => image switch
    {
        Image<byte> bytes => Prepare(filter, bytes),
        Image<ushort> shorts => Prepare(filter, shorts),
        _ => Prepare(filter, (Image<float>)image),
    };

    private (Image Result, Action Run) Prepare<T>(ImageFilter filter, Image<T> image)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        nint[] shape = [image.Height, image.Width, image.Channels];
        var count = image.Pixels.Length;
        if (settings.ToFloat)
        {
            var floats = Image.Create(image.Width, image.Height, image.Channels, new float[count]);
            return (floats, () => filter.RunToFloat(new ReadOnlyTensorSpan<T>(image.Pixels, shape), new TensorSpan<float>(floats.Pixels, shape)));
        }

        var result = Image.Create(image.Width, image.Height, image.Channels, new T[count]);
        return (result, () => filter.Run(new ReadOnlyTensorSpan<T>(image.Pixels, shape), new TensorSpan<T>(result.Pixels, shape)));
    }
}
