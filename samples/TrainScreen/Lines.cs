namespace TrainScreen;

/// <summary>Plain lines, for files and pipes.</summary>
internal static class Lines
{
    private const int Count = 20;

    /// <summary>Prints a line after each twentieth of the training, with the means of its steps.</summary>
    public static void Print(IEnumerable<Moment> moments, int steps)
    {
        foreach (var part in moments.Chunk(Math.Max(1, steps / Count)))
        {
            Console.WriteLine(FormattableString.Invariant(
                $"step {part[^1].Step}/{steps}  loss {part.Average(m => m.Loss):0.000}  accuracy {part.Average(m => m.Accuracy):P1}"));
        }
    }
}
