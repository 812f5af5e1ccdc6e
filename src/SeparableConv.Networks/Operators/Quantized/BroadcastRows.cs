namespace SeparableConv.Networks.Operators;

/// <summary>
/// Two tensors walked together over the shape that NumPy broadcasts them to: rows of elements, each operand's step within a row
/// being 1, or 0 where its element serves the whole row. Neighbouring dimensions that can be walked as one are one.
/// </summary>
internal sealed class BroadcastRows
{
    private readonly int[] _lengths;
    private readonly long[] _firstStrides;
    private readonly long[] _secondStrides;

    public BroadcastRows(TensorShape first, TensorShape second)
    {
        Shape = ShapeRules.Broadcast(first, second);
        var (lengths, a, b) = (new List<int> { 1 }, new List<long> { 1 }, new List<long> { 1 });
        long firstStep = 1, secondStep = 1;
        for (var d = 1; d <= Shape.Rank; d++)
        {
            var length = Shape[^d];
            var (firstLength, secondLength) = (d <= first.Rank ? first[^d] : 1, d <= second.Rank ? second[^d] : 1);
            if (length != 1)
            {
                var (firstStride, secondStride) = (firstLength == 1 ? 0 : firstStep, secondLength == 1 ? 0 : secondStep);
                if (lengths[^1] == 1 || (firstStride == a[^1] * lengths[^1] && secondStride == b[^1] * lengths[^1]))
                {
                    (a[^1], b[^1]) = lengths[^1] == 1 ? (firstStride, secondStride) : (a[^1], b[^1]);
                    lengths[^1] *= length;
                }
                else
                {
                    lengths.Add(length);
                    a.Add(firstStride);
                    b.Add(secondStride);
                }
            }

            firstStep *= firstLength;
            secondStep *= secondLength;
        }

        (RowLength, FirstStep, SecondStep) = (lengths[0], (int)a[0], (int)b[0]);
        (_lengths, _firstStrides, _secondStrides) = ([.. lengths[1..]], [.. a[1..]], [.. b[1..]]);
        Rows = RowLength == 0 ? 0 : (int)(Shape.ElementCount / RowLength);
    }

    /// <summary>The common shape.</summary>
    public TensorShape Shape { get; }

    /// <summary>Elements of a row.</summary>
    public int RowLength { get; }

    /// <summary>Number of rows; they follow each other in the common shape.</summary>
    public int Rows { get; }

    /// <summary>The first operand's step within a row, 0 or 1.</summary>
    public int FirstStep { get; }

    /// <summary>The second operand's step within a row, 0 or 1.</summary>
    public int SecondStep { get; }

    /// <summary>Where a row begins in the two operands.</summary>
    public (int First, int Second) Row(int row)
    {
        long first = 0, second = 0;
        for (var d = 0; d < _lengths.Length; d++)
        {
            (row, var index) = Math.DivRem(row, _lengths[d]);
            first += index * _firstStrides[d];
            second += index * _secondStrides[d];
        }

        return ((int)first, (int)second);
    }
}
