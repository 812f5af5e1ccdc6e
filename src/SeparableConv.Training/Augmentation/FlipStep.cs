namespace SeparableConv.Training.Augmentation;

/// <summary>Exchanges left and right in half of the pictures.</summary>
internal sealed class FlipStep : PictureStep
{
    public override string Text => "flip";

    public override void Apply(Span<float> picture, PictureScratch scratch, CounterRandom random)
    {
        if (random.Below(2) == 0)
            return;

        // Rows of samples turned round have their pixels turned round too, which then are turned back.
        for (var y = 0; y < scratch.Height; y++)
            picture.Slice(y * scratch.RowLength, scratch.RowLength).Reverse();
        if (scratch.Channels == 1)
            return;
        for (var at = 0; at < picture.Length; at += scratch.Channels)
            picture.Slice(at, scratch.Channels).Reverse();
    }
}
