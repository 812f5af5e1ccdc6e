namespace SeparableConv.Training.Augmentation;

/// <summary>Moves the picture by whole pixels: the same as to pad it with black and to cut out a part as large as it was.</summary>
internal sealed class ShiftStep(int pixels) : PictureStep
{
    private readonly int _most = Checked("shift", pixels, pixels >= 1, "a whole number of pixels, at least 1");

    public override string Text => Word("shift", _most);

    public override void Check(int height, int width)
    {
        if (_most >= Math.Min(height, width))
        {
            throw new ArgumentException(
                $"'{Text}' may move pictures of {height}x{width} out of sight; give fewer than {Math.Min(height, width)} pixels.");
        }
    }

    public override void Apply(Span<float> picture, PictureScratch scratch, CounterRandom random)
    {
        var (down, right) = (random.Below((2 * _most) + 1) - _most, random.Below((2 * _most) + 1) - _most);
        picture.CopyTo(scratch.Copy);
        picture.Clear();
        var (from, to) = (Math.Max(0, -right) * scratch.Channels, Math.Max(0, right) * scratch.Channels);
        var length = scratch.RowLength - from - to;
        for (var y = Math.Max(0, -down); y < Math.Min(scratch.Height, scratch.Height - down); y++)
        {
            scratch.Copy.Slice((y * scratch.RowLength) + from, length).CopyTo(
                picture[(((y + down) * scratch.RowLength) + to)..]);
        }
    }
}
