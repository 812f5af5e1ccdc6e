namespace SeparableConv.Training.Augmentation;

/// <summary>Gives a square around a random pixel the mean colour, as far as it lies in the picture.</summary>
internal sealed class CutoutStep(int pixels) : PictureStep
{
    private readonly int _side = Checked("cutout", pixels, pixels >= 1, "a whole number of pixels, at least 1");

    public override string Text => Word("cutout", _side);

    public override void Check(int height, int width)
    {
        if (_side > Math.Min(height, width))
        {
            throw new ArgumentException(
                $"'{Text}' may cover pictures of {height}x{width} altogether; give at most {Math.Min(height, width)} pixels.");
        }
    }

    public override void Apply(Span<float> picture, PictureScratch scratch, CounterRandom random)
    {
        var (top, left) = (random.Below(scratch.Height) - (_side / 2), random.Below(scratch.Width) - (_side / 2));
        var (bottom, right) = (Math.Min(top + _side, scratch.Height), Math.Min(left + _side, scratch.Width));
        for (var y = Math.Max(0, top); y < bottom; y++)
        {
            for (var x = Math.Max(0, left); x < right; x++)
                scratch.Mean.CopyTo(picture[((y * scratch.RowLength) + (x * scratch.Channels))..]);
        }
    }
}
