namespace SeparableConv.Networks;

/// <summary>Puts the classes of a network's output in order, for those who run an <see cref="InferenceSession"/> themselves.</summary>
/// <example><code>
/// var ranking = new ClassRanking(session.Outputs[0].Type, labels);
/// var best = new ClassScore[5];
/// session.Run();
/// ranking.Best(session.OutputBytes(0), best);
/// </code></example>
public sealed class ClassRanking
{
    private readonly TensorType _type;
    private readonly ClassLabels? _labels;
    private readonly double[] _scores;
    private readonly int[] _order;
    private readonly Comparison<int> _better;

    /// <summary>Prepares for an output.</summary>
    /// <param name="type">The output's type: each of its elements is the score of a class.</param>
    /// <param name="labels">The names of the classes, or null: then they are numbers.</param>
    /// <exception cref="ArgumentException">There are more or fewer labels than classes.</exception>
    public ClassRanking(TensorType type, ClassLabels? labels = null)
    {
        ArgumentNullException.ThrowIfNull(type);
        (_type, _labels) = (type, labels);
        _scores = new double[type.Shape.ElementCount];
        _order = new int[_scores.Length];
        labels?.Check(_scores.Length);

        // NaN is last: it compares as less than every number. Of equal scores the lower index comes first.
        _better = (a, b) => _scores[b].CompareTo(_scores[a]) is var better && better != 0 ? better : a - b;
    }

    /// <summary>How many classes a network tells apart.</summary>
    /// <param name="network">The network.</param>
    /// <returns>
    /// Null where it does not have one output with one dimension that is not 1: (1, 1000), (1000), (1, 1000, 1, 1).
    /// </returns>
    public static int? Count(Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (network.Outputs is not [var output] || output.Type.Element == ElementType.Bool)
            return null;
        var lengths = output.Type.Shape.Lengths;
        var largest = 1;
        foreach (var length in lengths)
        {
            if (length == 0 || (length > 1 && largest > 1))
                return null;
            largest = Math.Max(largest, length);
        }

        return lengths.Length == 0 || (lengths.Length > 2 && largest == 1) ? null : largest;
    }

    /// <summary>Writes the best classes, best first; of equal ones the lower index, and NaN last. Allocates nothing.</summary>
    /// <param name="memory">The output's elements, as <see cref="InferenceSession.OutputBytes(int)"/> shows them.</param>
    /// <param name="best">Receives the classes.</param>
    /// <returns>How many were written: as many as there is room for, or all classes.</returns>
    /// <exception cref="ArgumentException"><paramref name="memory"/> is not as long as the output.</exception>
    public int Best(ReadOnlySpan<byte> memory, Span<ClassScore> best)
    {
        _type.ReadNumbers(memory, _scores);
        for (var i = 0; i < _order.Length; i++)
            _order[i] = i;
        _order.AsSpan().Sort(_better);
        var count = Math.Min(best.Length, _order.Length);
        for (var i = 0; i < count; i++)
            best[i] = new ClassScore(_order[i], _labels?[_order[i]], _scores[_order[i]]);
        return count;
    }
}
