namespace SeparableConv.Networks.Operators;

/// <summary>
/// A linear map of one axis with few terms a position: position i of the result is the sum over its terms of a weight times a
/// position of the source.
/// </summary>
internal sealed class AxisTaps
{
    private readonly int[] _begin;
    private readonly int[] _positions;
    private readonly float[] _weights;

    /// <param name="sources">Positions of the source.</param>
    /// <param name="results">Positions of the result.</param>
    /// <param name="terms">
    /// The terms; those of one result are summed in the order that they have here. A term without a weight, 0, is left out.
    /// </param>
    public AxisTaps(int sources, int results, IReadOnlyList<Term> terms)
    {
        Sources = sources;
        Results = results;
        _begin = new int[results + 1];
        foreach (var (result, _, weight) in terms)
            _begin[result + 1] += weight == 0 ? 0 : 1;
        for (var i = 0; i < results; i++)
            _begin[i + 1] += _begin[i];
        (_positions, _weights) = (new int[_begin[^1]], new float[_begin[^1]]);
        var next = _begin[..^1];
        foreach (var (result, source, weight) in terms)
        {
            if (weight == 0)
                continue;
            (_positions[next[result]], _weights[next[result]]) = (source, weight);
            next[result]++;
        }
    }

    /// <summary>Positions of the source.</summary>
    public int Sources { get; }

    /// <summary>Positions of the result.</summary>
    public int Results { get; }

    /// <summary>Terms of all positions together.</summary>
    public int Count => _positions.Length;

    /// <summary>
    /// The gradient of a copy: source i of the copy was <paramref name="indexes"/>[i], or a constant where that is below 0. Each source
    /// position of the copy gets what its copies get.
    /// </summary>
    public static AxisTaps OfCopy(ReadOnlySpan<int> indexes, int length)
    {
        var terms = new List<Term>(indexes.Length);
        for (var i = 0; i < indexes.Length; i++)
        {
            if (indexes[i] >= 0)
                terms.Add(new(indexes[i], i, 1));
        }

        return new(indexes.Length, length, terms);
    }

    /// <summary>The terms of a position: where they are read, and their weights.</summary>
    public void Of(nint result, out ReadOnlySpan<int> positions, out ReadOnlySpan<float> weights)
    {
        var (begin, end) = (_begin[result], _begin[result + 1]);
        positions = _positions.AsSpan(begin, end - begin);
        weights = _weights.AsSpan(begin, end - begin);
    }

    /// <summary>One term of a sum.</summary>
    /// <param name="Result">Whose sum.</param>
    /// <param name="Source">What is read.</param>
    /// <param name="Weight">What it is multiplied by.</param>
    public readonly record struct Term(int Result, int Source, float Weight);
}
