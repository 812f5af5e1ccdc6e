namespace SeparableConv.Networks.Operators;

/// <summary>Limits and broadcasting of shapes.</summary>
internal static class TensorShapes
{
    /// <summary>The most dimensions of a tensor that is computed with.</summary>
    public const int MostDimensions = 64;

    /// <summary>Refuses a tensor of too many dimensions.</summary>
    /// <exception cref="ArgumentException">There are more than <see cref="MostDimensions"/>.</exception>
    public static void CheckRank(TensorShape shape)
    {
        if (shape.Rank > MostDimensions)
            throw new ArgumentException($"A tensor has {shape.Rank} dimensions; at most {MostDimensions} are supported.");
    }

    /// <summary>The shape of two shapes broadcast together by NumPy's rule: aligned at the back, lengths of 1 repeated.</summary>
    /// <exception cref="ArgumentException">Two lengths differ and neither is 1.</exception>
    public static TensorShape Broadcast(TensorShape a, TensorShape b)
    {
        CheckRank(a);
        CheckRank(b);
        Span<int> lengths = stackalloc int[Math.Max(a.Rank, b.Rank)];
        for (var i = 1; i <= lengths.Length; i++)
        {
            var (lengthA, lengthB) = (i <= a.Rank ? a[^i] : 1, i <= b.Rank ? b[^i] : 1);
            if (lengthA != lengthB && lengthA != 1 && lengthB != 1)
            {
                throw new ArgumentException(
                    $"The shapes {a} and {b} do not broadcast: {lengthA} meets {lengthB}; lengths must be equal, or one of them 1.");
            }

            lengths[^i] = lengthA == 1 ? lengthB : lengthA;
        }

        return new TensorShape(lengths);
    }

    /// <summary>How far a tensor moves for each dimension of the shape it is broadcast to: 0 where it is repeated.</summary>
    public static void BroadcastStrides(TensorShape shape, Span<nint> strides)
    {
        strides.Clear();
        nint stride = 1;
        for (var i = 1; i <= shape.Rank; i++)
        {
            strides[^i] = shape[^i] == 1 ? 0 : stride;
            stride *= shape[^i];
        }
    }
}
