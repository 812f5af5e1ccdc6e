namespace SeparableConv.Training;

/// <summary>
/// Pictures and classes for one step of a training. It belongs to its <see cref="BatchLoader"/>, which fills it anew once the next one has
/// been asked for.
/// </summary>
public sealed class PictureBatch
{
    private readonly float[] _pixels;
    private readonly int[] _labels;
    private readonly int[] _secondLabels;
    private readonly float[] _weights;
    private readonly int _pictureLength;

    internal PictureBatch(int size, int pictureLength)
    {
        _pictureLength = pictureLength;
        _pixels = new float[size * pictureLength];
        (_labels, _secondLabels, _weights) = (new int[size], new int[size], new float[size]);
    }

    /// <summary>The epoch, from 0.</summary>
    public int Epoch { get; private set; }

    /// <summary>Which batch of its epoch, from 0.</summary>
    public int Index { get; private set; }

    /// <summary>Whether it is the last one of its epoch.</summary>
    public bool IsLast { get; private set; }

    /// <summary>How many pictures it has: the batch size, or fewer in an epoch's last batch where that is kept.</summary>
    public int Count { get; private set; }

    /// <summary>The pictures, normalized: (N, height, width, channels).</summary>
    public ReadOnlySpan<float> Pixels => _pixels.AsSpan(0, Count * _pictureLength);

    /// <summary>The class of each picture; 0 where they have no labels.</summary>
    public ReadOnlySpan<int> Labels => _labels.AsSpan(0, Count);

    /// <summary>The class of the picture that was mixed in; where nothing is mixed the same as <see cref="Labels"/>.</summary>
    public ReadOnlySpan<int> SecondLabels => _secondLabels.AsSpan(0, Count);

    /// <summary>
    /// How much of each picture is of <see cref="Labels"/>, 0 to 1; the rest is of <see cref="SecondLabels"/>. The loss of a mixed picture
    /// is w * loss(label) + (1 - w) * loss(second label). 1 where nothing is mixed.
    /// </summary>
    public ReadOnlySpan<float> Weights => _weights.AsSpan(0, Count);

    /// <summary>Begins it anew.</summary>
    internal void Begin(int epoch, int index, bool isLast, int count) => (Epoch, Index, IsLast, Count) = (epoch, index, isLast, count);

    /// <summary>The memory of a picture.</summary>
    internal Span<float> Picture(int index) => _pixels.AsSpan(index * _pictureLength, _pictureLength);

    /// <summary>Gives a picture its class.</summary>
    internal void SetLabel(int index, int label) => (_labels[index], _secondLabels[index], _weights[index]) = (label, label, 1);

    /// <summary>Says what was mixed in.</summary>
    internal void SetMix(int index, float weight, int other) => (_weights[index], _secondLabels[index]) = (weight, _labels[other]);
}
