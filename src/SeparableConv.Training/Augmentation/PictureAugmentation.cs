using System.Globalization;
using SeparableConv.Training.Augmentation;

namespace SeparableConv.Training;

/// <summary>
/// Steps that change every picture at random before a network is trained on it, applied in the order in which they were added. What a step
/// does to a sample follows from seed, epoch, sample and the step's place alone.
/// </summary>
/// <remarks>Each method gives a new list, the old one with a step more; <see cref="Parse"/> reads the same from text.</remarks>
/// <example><code>
/// var augmentation = PictureAugmentation.None.Flip().Shift(4).Cutout(8).Mixup(0.2);
/// var same = PictureAugmentation.Parse("flip,shift:4,cutout:8,mixup:0.2");
/// </code></example>
public sealed class PictureAugmentation
{
    private const string Words = "flip, shift:PIXELS, crop:LEASTAREA, cutout:PIXELS, jitter:STRENGTH (or "
        + "jitter:BRIGHTNESS:CONTRAST:SATURATION), mixup:ALPHA";

    private readonly PictureStep[] _steps;

    private PictureAugmentation(PictureStep[] steps, MixupStep? mixup) => (_steps, Mixing) = (steps, mixup);

    /// <summary>No steps: pictures as they are.</summary>
    public static PictureAugmentation None { get; } = new([], null);

    /// <summary>Whether batches are mixed, so that a sample has two classes.</summary>
    public bool IsMixing => Mixing is not null;

    /// <summary>The steps on single pictures, in order.</summary>
    internal ReadOnlySpan<PictureStep> Steps => _steps;

    /// <summary>The step on whole batches, which comes last.</summary>
    internal MixupStep? Mixing { get; }

    /// <summary>Reads steps: words between commas, each with its numbers behind colons, such as <c>flip,shift:4,mixup:0.2</c>.</summary>
    /// <param name="text">The steps; <c>none</c>, or nothing, for no steps.</param>
    /// <returns>The list.</returns>
    /// <exception cref="ArgumentException">A word is unknown, or its numbers do not suit.</exception>
    public static PictureAugmentation Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var result = None;
        if (text.Trim() is "" or "none")
            return result;
        foreach (var step in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var parts = step.Split(':', StringSplitOptions.TrimEntries);
            result = (parts[0], parts.Length - 1) switch
            {
                ("flip", 0) => result.Flip(),
                ("shift", 1) => result.Shift(Pixels(step, parts[1])),
                ("crop", 1) => result.Crop(Number(step, parts[1])),
                ("cutout", 1) => result.Cutout(Pixels(step, parts[1])),
                ("jitter", 1) => result.Jitter(Number(step, parts[1]), Number(step, parts[1]), Number(step, parts[1])),
                ("jitter", 3) => result.Jitter(Number(step, parts[1]), Number(step, parts[2]), Number(step, parts[3])),
                ("mixup", 1) => result.Mixup(Number(step, parts[1])),
                _ => throw new ArgumentException($"'{step}' is no step of an augmentation; use {Words}, with commas between."),
            };
        }

        return result;
    }

    /// <summary>Adds: left and right are exchanged in half of the pictures.</summary>
    /// <returns>A list with a step more.</returns>
    public PictureAugmentation Flip() => With(new FlipStep());

    /// <summary>Adds: the picture moves up or down and left or right by as many whole pixels at most; what comes in is black.</summary>
    /// <param name="pixels">The most pixels in either direction, at least 1 and less than a side.</param>
    /// <returns>A list with a step more.</returns>
    /// <exception cref="ArgumentException">The number is not positive.</exception>
    public PictureAugmentation Shift(int pixels) => With(new ShiftStep(pixels));

    /// <summary>
    /// Adds: a random part of the picture, resized to the whole one. The part's area is uniform from the least one to 1; its sides' ratio
    /// differs from the picture's by a third at most.
    /// </summary>
    /// <param name="leastArea">The least area of the part, as a share of the picture's: above 0, at most 1.</param>
    /// <returns>A list with a step more.</returns>
    /// <exception cref="ArgumentException">The area is out of range.</exception>
    public PictureAugmentation Crop(double leastArea) => With(new CropStep(leastArea));

    /// <summary>
    /// Adds: a square around any pixel takes the mean colour of the data set; what lies outside the picture is left out (DeVries and
    /// Taylor, 2017).
    /// </summary>
    /// <param name="pixels">The square's side, at least 1 and no longer than a side of the picture.</param>
    /// <returns>A list with a step more.</returns>
    /// <exception cref="ArgumentException">The number is not positive.</exception>
    public PictureAugmentation Cutout(int pixels) => With(new CutoutStep(pixels));

    /// <summary>
    /// Adds: brightness, contrast and saturation are multiplied by random factors, each uniform from 1 - strength to 1 + strength. Contrast
    /// is taken from the picture's mean gray, saturation from each pixel's gray; gray pictures have none. Samples stay within 0 to 255.
    /// </summary>
    /// <param name="brightness">Strength, 0 to 1.</param>
    /// <param name="contrast">Strength, 0 to 1.</param>
    /// <param name="saturation">Strength, 0 to 1.</param>
    /// <returns>A list with a step more.</returns>
    /// <exception cref="ArgumentException">A strength is out of range.</exception>
    public PictureAugmentation Jitter(double brightness, double contrast, double saturation) =>
        With(new JitterStep(brightness, contrast, saturation));

    /// <summary>
    /// Adds: every picture is mixed with another one of its batch, w*x + (1-w)*other, w drawn from Beta(alpha, alpha) (Zhang et al., 2018).
    /// Comes last, and once: it mixes what the other steps have finished.
    /// </summary>
    /// <param name="alpha">Above 0, at most 1: near 0 most pictures stay nearly what they are, at 1 all weights are as likely.</param>
    /// <returns>A list with a step more.</returns>
    /// <exception cref="ArgumentException">The number is out of range, or pictures are mixed already.</exception>
    public PictureAugmentation Mixup(double alpha)
    {
        var step = new MixupStep(alpha);
        CheckNotMixing(step.Text);
        return new PictureAugmentation(_steps, step);
    }

    /// <summary>The steps as <see cref="Parse"/> reads them.</summary>
    /// <returns>For example <c>flip,shift:4</c>; <c>none</c> where there are none.</returns>
    public override string ToString()
    {
        IEnumerable<string> words = _steps.Select(step => step.Text);
        var text = string.Join(',', Mixing is null ? words : words.Append(Mixing.Text));
        return text.Length == 0 ? "none" : text;
    }

    /// <summary>Refuses steps that do not suit pictures of a size.</summary>
    /// <exception cref="ArgumentException">One does not.</exception>
    internal void Check(int height, int width)
    {
        foreach (var step in _steps)
            step.Check(height, width);
    }

    private PictureAugmentation With(PictureStep step)
    {
        CheckNotMixing(step.Text);
        return new PictureAugmentation([.. _steps, step], null);
    }

    private void CheckNotMixing(string next)
    {
        if (Mixing is not null)
        {
            throw new ArgumentException(
                $"'{next}' comes behind '{Mixing.Text}', which mixes finished pictures; write mixup last, and once.");
        }
    }

    private static int Pixels(string step, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var pixels)
            ? pixels
            : throw new ArgumentException($"'{step}' takes a whole number of pixels, but '{text}' was given.");

    private static double Number(string step, string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new ArgumentException($"'{step}' takes a number such as 0.2, but '{text}' was given.");
}
