using System.Runtime.CompilerServices;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A nest of loops over two operands, from the outermost to the innermost. Each loop has a number of rounds and a stride in each operand.
/// Neighbouring loops are joined where one stride serves both, so that few are left of any shape. It is a struct and allocates nothing.
/// </summary>
internal struct StridedLoops
{
    /// <summary>The most loops that may be left after joining; a broadcast that needs more is refused.</summary>
    public const int Most = 8;

    private Numbers _lengths;
    private Numbers _stridesA;
    private Numbers _stridesB;

    /// <summary>How many loops there are.</summary>
    public int Count { get; private set; }

    /// <summary>Rounds of all loops together.</summary>
    public readonly nint Total
    {
        get
        {
            nint total = 1;
            for (var i = 0; i < Count; i++)
                total *= _lengths[i];
            return total;
        }
    }

    /// <summary>The loops of an element-wise operation with NumPy's broadcasting.</summary>
    /// <exception cref="ArgumentException">They are too many.</exception>
    public static StridedLoops Broadcast(TensorShape a, TensorShape b, TensorShape output)
    {
        // Strides of the dimensions from the back; a dimension that is repeated does not move.
        Span<nint> stridesA = stackalloc nint[Math.Min(output.Rank, TensorShapes.MostDimensions)];
        Span<nint> stridesB = stackalloc nint[stridesA.Length];
        TensorShapes.CheckRank(output);
        TensorShapes.BroadcastStrides(a, stridesA);
        TensorShapes.BroadcastStrides(b, stridesB);
        var loops = default(StridedLoops);
        for (var i = 0; i < output.Rank; i++)
            loops.Add(output[i], stridesA[i], stridesB[i]);
        return loops;
    }

    /// <summary>Adds a loop inside the others.</summary>
    /// <exception cref="ArgumentException">There are too many.</exception>
    public void Add(nint length, nint strideA, nint strideB)
    {
        if (length == 1)
            return;
        var last = Count - 1;
        if (Count > 0 && _stridesA[last] == strideA * length && _stridesB[last] == strideB * length)
        {
            _lengths[last] *= length;
            _stridesA[last] = strideA;
            _stridesB[last] = strideB;
            return;
        }

        if (Count == Most)
            throw new ArgumentException($"The shapes need more than {Most} nested loops; bring them to fewer dimensions with Reshape.");
        _lengths[Count] = length;
        _stridesA[Count] = strideA;
        _stridesB[Count] = strideB;
        Count++;
    }

    /// <summary>Rounds of a loop; 1 for one that is not there.</summary>
    public readonly nint Length(int loop) => loop >= 0 && loop < Count ? _lengths[loop] : 1;

    /// <summary>How far a loop moves in the first operand; 0 for one that is not there.</summary>
    public readonly nint StrideA(int loop) => loop >= 0 && loop < Count ? _stridesA[loop] : 0;

    /// <summary>How far a loop moves in the second operand; 0 for one that is not there.</summary>
    public readonly nint StrideB(int loop) => loop >= 0 && loop < Count ? _stridesB[loop] : 0;

    /// <summary>Where both operands stand in a round of the outermost <paramref name="loops"/> loops.</summary>
    public readonly (nint A, nint B) Offsets(nint round, int loops)
    {
        nint a = 0, b = 0;
        for (var i = loops - 1; i >= 0; i--)
        {
            var (next, index) = Math.DivRem(round, _lengths[i]);
            a += index * _stridesA[i];
            b += index * _stridesB[i];
            round = next;
        }

        return (a, b);
    }

    [InlineArray(Most)]
    private struct Numbers
    {
        private nint _first;
    }
}
