namespace SeparableConv.Training.Data;

/// <summary>Parts data sets into training and validation.</summary>
internal static class DataSetSplit
{
    /// <summary>The same share of every class, at random.</summary>
    public static (PictureDataSet Training, PictureDataSet Validation) Stratified(PictureDataSet data, double fraction, int seed)
    {
        var members = new List<int>[Math.Max(1, data.Classes.Count)];
        for (var c = 0; c < members.Length; c++)
            members[c] = [];
        for (var i = 0; i < data.Count; i++)
            members[data.ClassOf(i)].Add(i);

        var validates = new bool[data.Count];
        for (var c = 0; c < members.Length; c++)
        {
            var samples = members[c];
            var taken = Math.Min((int)Math.Round(fraction * samples.Count), samples.Count - 1);
            var random = new CounterRandom(seed, RandomPurpose.Split, c);
            for (var i = 0; i < taken; i++)
            {
                var other = i + random.Below(samples.Count - i);
                (samples[i], samples[other]) = (samples[other], samples[i]);
                validates[samples[i]] = true;
            }
        }

        return Views(data, validates);
    }

    /// <summary>The last samples of all.</summary>
    public static (PictureDataSet Training, PictureDataSet Validation) Last(PictureDataSet data, int count)
    {
        if (count < 1 || count >= data.Count)
        {
            throw new ArgumentException(
                $"The last {count} of {data.Count} samples were asked for to validate with; give a number from 1 to {data.Count - 1}.");
        }

        var validates = new bool[data.Count];
        validates.AsSpan(data.Count - count).Fill(true);
        return Views(data, validates);
    }

    private static (PictureDataSet Training, PictureDataSet Validation) Views(PictureDataSet data, bool[] validates)
    {
        var (training, validation) = (new List<int>(), new List<int>());
        for (var i = 0; i < validates.Length; i++)
            (validates[i] ? validation : training).Add(i);
        if (validation.Count == 0 || training.Count == 0)
        {
            throw new ArgumentException(
                $"Of {data.Count} samples in {data.Classes.Count} classes {validation.Count} would validate and {training.Count} would "
                + "train; neither may be none: give another fraction, or more samples.");
        }

        return (new SubsetDataSet(data, [.. training]), new SubsetDataSet(data, [.. validation]));
    }

    /// <summary>Some samples of another data set, which it reads from.</summary>
    private sealed class SubsetDataSet(PictureDataSet whole, int[] samples)
        : PictureDataSet(whole.Classes, whole.Height, whole.Width, whole.Channels)
    {
        public override int Count => samples.Length;

        public override int ClassOf(int index) => whole.ClassOf(samples[index]);

        protected override void ReadPixels(int index, Span<byte> pixels) => whole.Read(samples[index], pixels);
    }
}
