namespace SeparableConv.Networks.Operators;

/// <summary>Which operand's row is the same, row after row, while the other runs on.</summary>
internal enum RepeatedOperand
{
    None,
    First,
    Second,
}

/// <summary>
/// The rows in which two tensors are walked together over the shape that NumPy broadcasts them to. Within a row an operand's step is 1,
/// or 0 where one element serves the whole row. Neighbouring dimensions are joined where one stride serves both.
/// </summary>
internal sealed class BroadcastRows
{
    // Rows from here on are long enough by themselves.
    private const int LongRow = 256;

    private readonly int[] _lengths;
    private readonly long[] _firstStrides;
    private readonly long[] _secondStrides;

    public BroadcastRows(TensorShape first, TensorShape second)
    {
        Shape = TensorShapes.Broadcast(first, second);
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
        if (_lengths.Length == 0 || RowLength >= LongRow || FirstStep != 1 || SecondStep != 1)
            return;
        RepeatedRows = _lengths[0];
        Repeated = _firstStrides[0] == 0 && _secondStrides[0] == RowLength ? RepeatedOperand.First
            : _secondStrides[0] == 0 && _firstStrides[0] == RowLength ? RepeatedOperand.Second
            : RepeatedOperand.None;
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

    /// <summary>Which operand repeats a short row; none where rows are long.</summary>
    public RepeatedOperand Repeated { get; }

    /// <summary>How often it does before it moves on.</summary>
    public int RepeatedRows { get; }

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

    /// <summary>The pieces of rows that lie between two elements of the common shape: where each begins and how long it is.</summary>
    public PartEnumerator Parts(nint start, nint end) => new(this, start, end);

    /// <summary>Walks over pieces of rows.</summary>
    public struct PartEnumerator(BroadcastRows rows, nint start, nint end)
    {
        /// <summary>A piece: its place in the common shape and in the two operands, and its length.</summary>
        public (nint Start, nint First, nint Second, nint Count) Current { get; private set; }

        public readonly PartEnumerator GetEnumerator() => this;

        public bool MoveNext()
        {
            if (start >= end)
                return false;
            var (row, within) = Math.DivRem(start, rows.RowLength);
            var (first, second) = rows.Row((int)row);
            var count = Math.Min(rows.RowLength - within, end - start);
            Current = (start, first + (within * rows.FirstStep), second + (within * rows.SecondStep), count);
            start += count;
            return true;
        }
    }
}
