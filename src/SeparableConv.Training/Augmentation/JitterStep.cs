using System.Numerics.Tensors;

namespace SeparableConv.Training.Augmentation;

/// <summary>Multiplies brightness, contrast and saturation by random factors.</summary>
internal sealed class JitterStep(double brightness, double contrast, double saturation) : PictureStep
{
    // Gray as Image.ToGray has it (ITU-R BT.601).
    private const float Red = 0.299f;
    private const float Green = 0.587f;
    private const float Blue = 0.114f;
    private const float White = 255;

    private readonly double _brightness = Strength(brightness);
    private readonly double _contrast = Strength(contrast);
    private readonly double _saturation = Strength(saturation);

    public override string Text => _brightness == _contrast && _contrast == _saturation
        ? Word("jitter", _brightness)
        : Word("jitter", _brightness, _contrast, _saturation);

    public override void Apply(Span<float> picture, PictureScratch scratch, CounterRandom random)
    {
        var bright = Factor(_brightness, ref random);
        var contrasting = Factor(_contrast, ref random);
        var saturated = Factor(_saturation, ref random);
        TensorPrimitives.Multiply(picture, bright, picture);

        // (x - mean) * factor + mean
        var mean = MeanGray(picture, scratch.Channels);
        TensorPrimitives.Multiply(picture, contrasting, picture);
        TensorPrimitives.Add(picture, mean * (1 - contrasting), picture);
        if (scratch.Channels == 3)
            Saturate(picture, saturated);
        TensorPrimitives.Max(picture, 0, picture);
        TensorPrimitives.Min(picture, White, picture);
    }

    private static double Strength(double strength) => Checked("jitter", strength, strength is >= 0 and <= 1, "strengths of 0 to 1");

    private static float Factor(double strength, ref CounterRandom random) => (float)random.Between(1 - strength, 1 + strength);

    // Summed in order and in double precision: the same on every machine.
    private static float MeanGray(ReadOnlySpan<float> picture, int channels)
    {
        double sum = 0;
        if (channels != 3)
        {
            foreach (var sample in picture)
                sum += sample;
            return (float)(sum / picture.Length);
        }

        for (var at = 0; at < picture.Length; at += channels)
            sum += Gray(picture[at], picture[at + 1], picture[at + 2]);
        return (float)(sum * channels / picture.Length);
    }

    private static void Saturate(Span<float> picture, float factor)
    {
        for (var at = 0; at < picture.Length; at += 3)
        {
            var pixel = picture.Slice(at, 3);
            var gray = Gray(pixel[0], pixel[1], pixel[2]) * (1 - factor);
            (pixel[0], pixel[1], pixel[2]) = ((pixel[0] * factor) + gray, (pixel[1] * factor) + gray, (pixel[2] * factor) + gray);
        }
    }

    private static float Gray(float red, float green, float blue) => (Red * red) + (Green * green) + (Blue * blue);
}
