using SeparableConv.Networks.Pictures;

namespace SeparableConv.Training;

/// <summary>A picture that a network was most wrong about.</summary>
/// <param name="Index">The sample in its data set.</param>
/// <param name="Label">Its class.</param>
/// <param name="Predicted">The class that the network gave it.</param>
/// <param name="Probability">How sure it was of that class.</param>
public readonly record struct Mistake(int Index, int Label, int Predicted, double Probability);

/// <summary>How well a network tells the classes of a data set apart.</summary>
public sealed class Evaluation
{
    private const int MostMistakes = 24;

    private readonly int[] _confusion;

    private Evaluation(ClassLabels classes, int count, double loss, int inTop5, int[] confusion, IReadOnlyList<Mistake> mistakes)
    {
        (Classes, Count, Loss, _confusion, Mistakes) = (classes, count, loss, confusion, mistakes);
        Top5Accuracy = (double)inTop5 / count;
    }

    /// <summary>The names of the classes.</summary>
    public ClassLabels Classes { get; }

    /// <summary>Pictures that were looked at.</summary>
    public int Count { get; }

    /// <summary>The mean cross-entropy.</summary>
    public double Loss { get; }

    /// <summary>The share of pictures whose class got the highest score.</summary>
    public double Accuracy => (double)Enumerable.Range(0, Classes.Count).Sum(c => Confusion(c, c)) / Count;

    /// <summary>The share of pictures whose class got one of the five highest scores.</summary>
    public double Top5Accuracy { get; }

    /// <summary>The pictures that it was most wrong about, the surest mistakes first.</summary>
    public IReadOnlyList<Mistake> Mistakes { get; }

    /// <summary>How many pictures of one class were given another.</summary>
    /// <param name="label">Their class.</param>
    /// <param name="predicted">The class that the network gave them.</param>
    /// <returns>A number of pictures.</returns>
    public int Confusion(int label, int predicted) => _confusion[(label * Classes.Count) + predicted];

    /// <summary>Runs a network on all pictures of a data set.</summary>
    /// <param name="network">A network with one input for pictures and one output, a list of classes.</param>
    /// <param name="data">The pictures.</param>
    /// <param name="normalization">How samples become numbers.</param>
    /// <param name="threads">Threads to run it with; the result does not depend on them.</param>
    /// <param name="cancellation">Ends it early.</param>
    /// <returns>The figures.</returns>
    /// <exception cref="ArgumentException">The network does not suit the pictures, or they have no labels.</exception>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public static Evaluation Run(
        Network network, PictureDataSet data, Normalization normalization, int threads, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(data);
        if (!data.IsLabelled)
            throw new ArgumentException("The pictures have no labels that answers could be compared with; give others.");
        var batch = Math.Min(BatchSize, data.Count);
        using var session = new InferenceSession(network.WithBatch(batch), new CompileOptions { Threads = threads });
        var input = new PictureInput(session.Inputs[0].Type, data);
        var classes = data.Classes.Count;
        if (session.Outputs[0].Type.Shape.ElementCount != (long)batch * classes)
        {
            throw new ArgumentException(
                $"The network's output is {session.Outputs[0]} but the data set has {classes} classes; expected one score a class.");
        }

        // A network that ends in softmax gives probabilities already.
        var isSoftmax = PictureScores.EndInSoftmax(network);
        var loader = new BatchOptions { BatchSize = batch, Normalization = normalization, Shuffle = false, KeepShortBatch = true };
        using var batches = new BatchLoader(data, loader);
        var scores = new double[batch * classes];
        var (confusion, inTop5, loss) = (new int[classes * classes], 0, 0.0);
        var mistakes = new PriorityQueue<Mistake, double>();
        for (var first = 0; first < data.Count; first += batch)
        {
            cancellation.ThrowIfCancellationRequested();
            var pictures = batches.Next();
            input.Write(pictures.Pixels, session.InputBytes(0));
            session.Run();
            session.Outputs[0].Type.ReadNumbers(session.OutputBytes(0), scores);
            for (var n = 0; n < pictures.Count; n++)
            {
                var label = pictures.Labels[n];
                var row = scores.AsSpan(n * classes, classes);
                if (!isSoftmax)
                    PictureScores.Softmax(row);
                var best = PictureScores.Best(row);
                confusion[(label * classes) + best]++;
                inTop5 += PictureScores.Rank(row, label) < 5 ? 1 : 0;
                loss -= Math.Log(Math.Max(row[label], 1e-30));
                if (best == label)
                    continue;
                mistakes.Enqueue(new(first + n, label, best, row[best]), row[best]);
                if (mistakes.Count > MostMistakes)
                    mistakes.Dequeue();
            }
        }

        var worst = new List<Mistake>();
        while (mistakes.TryDequeue(out var mistake, out _))
            worst.Insert(0, mistake);
        return new(data.Classes, data.Count, loss / data.Count, inTop5, confusion, worst);
    }

    private const int BatchSize = 64;
}
