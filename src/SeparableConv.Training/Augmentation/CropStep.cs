using SeparableConv.Imaging;

namespace SeparableConv.Training.Augmentation;

/// <summary>Cuts out a random part and brings it to the size of the whole picture.</summary>
internal sealed class CropStep(double leastArea) : PictureStep
{
    private const double MostStretch = 4.0 / 3;

    private readonly double _leastArea = Checked("crop", leastArea, leastArea is > 0 and <= 1, "the least area, above 0 and at most 1");

    public override string Text => Word("crop", _leastArea);

    public override void Apply(Span<float> picture, PictureScratch scratch, CounterRandom random)
    {
        // The part is sqrt(area * stretch) of the width and sqrt(area / stretch) of the height, or the other way round; neither is above 1.
        var area = random.Between(_leastArea, 1);
        var stretch = random.Between(1, Math.Min(MostStretch, 1 / area));
        if (random.Below(2) == 0)
            stretch = 1 / stretch;
        var width = Length(scratch.Width, area * stretch);
        var height = Length(scratch.Height, area / stretch);
        var part = new Part(
            scratch, random.Below(scratch.Width - width + 1), random.Below(scratch.Height - height + 1), width * scratch.Channels);
        picture.CopyTo(scratch.Copy);
        scratch.Resizer.Run(part, width, height, picture);
    }

    private static int Length(int whole, double square) => Math.Clamp((int)((whole * Math.Sqrt(square)) + 0.5), 1, whole);

    private readonly struct Part(PictureScratch scratch, int left, int top, int length) : IFloatRows
    {
        public void Read(int y, Span<float> row) =>
            scratch.Copy.Slice(((top + y) * scratch.RowLength) + (left * scratch.Channels), length).CopyTo(row);
    }
}
