namespace SeparableConv.Networks.Pictures;

/// <summary>Puts the classes of a network's output in order, without allocating.</summary>
internal sealed class ClassRanking
{
    private readonly TensorType _type;
    private readonly ClassLabels? _labels;
    private readonly double[] _scores;
    private readonly int[] _order;
    private readonly Comparison<int> _better;

    /// <summary>Prepares for an output that <see cref="Count"/> counts classes of.</summary>
    public ClassRanking(TensorType type, ClassLabels? labels)
    {
        (_type, _labels) = (type, labels);
        _scores = new double[type.Shape.ElementCount];
        _order = new int[_scores.Length];

        // NaN is last: it compares as less than every number. Of equal scores the lower index comes first.
        _better = (a, b) => _scores[b].CompareTo(_scores[a]) is var better && better != 0 ? better : a - b;
    }

    /// <summary>
    /// How many classes a network tells apart; null where it does not have one output with one dimension that is not 1: (1, 1000), (1000),
    /// (1, 1000, 1, 1).
    /// </summary>
    public static int? Count(Network network)
    {
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

    /// <summary>An output's numbers, in real numbers where it is quantized with one scale.</summary>
    public static void ReadNumbers(TensorType type, ReadOnlySpan<byte> memory, Span<double> numbers)
    {
        type.Element.Convert(memory, numbers);
        if (type.Quantization is not { IsPerTensor: true } quantization)
            return;
        foreach (ref var number in numbers)
            number = (number - quantization.ZeroPoint) * quantization.Scale;
    }

    /// <summary>Writes the best classes, best first, and returns how many there were to write.</summary>
    public int Best(ReadOnlySpan<byte> memory, Span<ClassScore> best)
    {
        ReadNumbers(_type, memory, _scores);
        for (var i = 0; i < _order.Length; i++)
            _order[i] = i;
        _order.AsSpan().Sort(_better);
        var count = Math.Min(best.Length, _order.Length);
        for (var i = 0; i < count; i++)
            best[i] = new ClassScore(_order[i], _labels?[_order[i]], _scores[_order[i]]);
        return count;
    }
}
