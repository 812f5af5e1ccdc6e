namespace SeparableConv.Separation;

/// <summary>Euclid's algorithm on the rows of an integer matrix: K = T*W, where the lower rows of W become zeros.</summary>
internal sealed class IntegerElimination
{
    private readonly long[][] _rows;
    private readonly long[][] _multiples;
    private readonly int _width;
    private readonly long _limit;

    // No number may grow beyond the limit, 2^53 at most: it would not be exact in a double.
    public IntegerElimination(ReadOnlySpan<long> integers, int height, int width, long limit)
    {
        _limit = limit;
        _width = width;
        _rows = new long[height][];
        _multiples = new long[height][];
        for (var i = 0; i < height; i++)
        {
            _rows[i] = integers.Slice(i * width, width).ToArray();
            _multiples[i] = new long[height];
            _multiples[i][i] = 1;
        }
    }

    // Row t of W and column t of T (kept as a row of _multiples).
    public long[] Row(int t) => _rows[t];

    public long[] Column(int t) => _multiples[t];

    // Whether the matrix has exactly this rank and its numbers stayed in range.
    public bool TryReduce(int rank)
    {
        var found = 0;
        for (var j = 0; j < _width && found < _rows.Length; j++)
        {
            if (!TryClear(j, found, out var hasPivot))
                return false;
            if (hasPivot && ++found > rank)
                return false;
        }

        return found == rank;
    }

    // Leaves at most one number in column j from row `top` down, and brings it to row `top`.
    private bool TryClear(int j, int top, out bool hasPivot)
    {
        hasPivot = false;
        while (true)
        {
            var pivot = -1;
            var others = 0;
            for (var i = top; i < _rows.Length; i++)
            {
                if (_rows[i][j] == 0)
                    continue;
                others++;
                if (pivot < 0 || Math.Abs(_rows[i][j]) < Math.Abs(_rows[pivot][j]))
                    pivot = i;
            }

            if (pivot < 0)
                return true;
            (_rows[top], _rows[pivot]) = (_rows[pivot], _rows[top]);
            (_multiples[top], _multiples[pivot]) = (_multiples[pivot], _multiples[top]);
            hasPivot = true;
            if (others == 1)
                return true;

            for (var i = top + 1; i < _rows.Length; i++)
            {
                // Subtracting q rows here means that the pivot's row is used q times more.
                var q = _rows[i][j] / _rows[top][j];
                if (q != 0 && !(TryAdd(_rows[i], _rows[top], -q) && TryAdd(_multiples[top], _multiples[i], q)))
                    return false;
            }
        }
    }

    // target += factor * source
    private bool TryAdd(long[] target, long[] source, long factor)
    {
        for (var i = 0; i < target.Length; i++)
        {
            var sum = target[i] + ((Int128)factor * source[i]);
            if (Int128.Abs(sum) > _limit)
                return false;
            target[i] = (long)sum;
        }

        return true;
    }
}
