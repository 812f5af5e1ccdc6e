using System.Globalization;

namespace SeparableConv.Training.Data;

/// <summary>A data set whose pictures are in memory.</summary>
internal sealed class MemoryDataSet(ClassLabels classes, int height, int width, int channels, PictureStore pictures, int[] labels)
    : PictureDataSet(classes, height, width, channels)
{
    // More classes than any list of labels; a single wrong number must not become a list of billions of names.
    private const int MostClasses = 1 << 15;

    public override int Count => labels.Length;

    public override int SkippedCount => Skipped.Count;

    public override IReadOnlyList<string> SkippedExamples => Skipped.Examples;

    /// <summary>The files that were left out.</summary>
    public (int Count, IReadOnlyList<string> Examples) Skipped { get; init; } = (0, []);

    public override int ClassOf(int index) => labels[index];

    /// <summary>Pictures without labels.</summary>
    public static MemoryDataSet Unlabelled(int height, int width, int channels, PictureStore pictures) =>
        new(new ClassLabels([]), height, width, channels, pictures, new int[pictures.Count]);

    /// <summary>The names of classes that a file has by number only: given ones, or the numbers.</summary>
    /// <exception cref="InvalidDataException">A class is none that can be.</exception>
    public static ClassLabels NamesOf(ReadOnlySpan<int> labels, ClassLabels? given, string name)
    {
        var most = given?.Count ?? MostClasses;
        var classes = 0;
        for (var i = 0; i < labels.Length; i++)
        {
            if ((uint)labels[i] >= (uint)most)
            {
                throw new InvalidDataException(
                    $"In '{name}' sample {i} has the class {labels[i]}, but there are "
                    + (given is null ? $"at most {most} classes" : $"names of {most} classes") + ", counted from 0.");
            }

            classes = Math.Max(classes, labels[i] + 1);
        }

        return given ?? new ClassLabels(Enumerable.Range(0, classes).Select(c => c.ToString(CultureInfo.InvariantCulture)));
    }

    protected override void ReadPixels(int index, Span<byte> pixels) => pictures[index].CopyTo(pixels);
}
