namespace SeparableConv.Training;

/// <summary>What the steps of an epoch have added up to: its figures are means of these.</summary>
/// <param name="Steps">How many steps.</param>
/// <param name="Loss">The sum of their losses.</param>
/// <param name="Right">The pictures that the network told right.</param>
internal readonly record struct EpochSums(int Steps, double Loss, long Right)
{
    /// <summary>The mean loss.</summary>
    public double MeanLoss => Loss / Steps;

    /// <summary>The share of pictures that the network told right.</summary>
    public double Accuracy(int batchSize) => (double)Right / ((long)Steps * batchSize);

    /// <summary>The sums with another step.</summary>
    public EpochSums With(double loss, int right) => new(Steps + 1, Loss + loss, Right + right);
}
