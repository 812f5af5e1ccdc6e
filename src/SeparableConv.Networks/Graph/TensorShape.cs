namespace SeparableConv.Networks;

/// <summary>The lengths of a tensor's dimensions, none of them negative. No dimension at all is a scalar.</summary>
public readonly struct TensorShape : IEquatable<TensorShape>
{
    // Of elements of eight bytes, the largest there are: what any tensor takes can be counted in 63 bits.
    private const long MostElements = long.MaxValue / sizeof(long);

    private readonly int[]? _lengths;

    /// <summary>Copies the lengths.</summary>
    /// <param name="lengths">One length a dimension, 0 or more; images are (N, height, width, channels).</param>
    /// <exception cref="ArgumentException">
    /// A length is negative, or the elements are so many that their bytes do not fit 63 bits.
    /// </exception>
    public TensorShape(params ReadOnlySpan<int> lengths)
    {
        // A zero anywhere makes the tensor empty, but the other lengths must still fit: strides are computed from them.
        long count = 1;
        foreach (var length in lengths)
        {
            if (length < 0)
                throw new ArgumentException($"Shape ({string.Join(',', lengths.ToArray())}) has a negative length; lengths are 0 or more.");
            if (length > 0 && count > MostElements / length)
                throw new ArgumentException($"Shape ({string.Join(',', lengths.ToArray())}) has more than {MostElements} elements.");
            count *= Math.Max(1, length);
        }

        _lengths = lengths.ToArray();
    }

    /// <summary>Number of dimensions.</summary>
    public int Rank => _lengths?.Length ?? 0;

    /// <summary>Number of elements, 1 for a scalar.</summary>
    public long ElementCount
    {
        get
        {
            long count = 1;
            foreach (var length in Lengths)
                count *= length;
            return count;
        }
    }

    /// <summary>The lengths.</summary>
    public ReadOnlySpan<int> Lengths => _lengths;

    /// <summary>The length of a dimension.</summary>
    /// <param name="dimension">The dimension, from the front; from the back with ^.</param>
    public int this[Index dimension] => Lengths[dimension];

    /// <summary>Whether two shapes have the same lengths.</summary>
    /// <param name="left">A shape.</param>
    /// <param name="right">Another.</param>
    public static bool operator ==(TensorShape left, TensorShape right) => left.Equals(right);

    /// <summary>Whether two shapes differ.</summary>
    /// <param name="left">A shape.</param>
    /// <param name="right">Another.</param>
    public static bool operator !=(TensorShape left, TensorShape right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(TensorShape other) => Lengths.SequenceEqual(other.Lengths);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is TensorShape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var length in Lengths)
            hash.Add(length);
        return hash.ToHashCode();
    }

    /// <summary>For example <c>(1,224,224,3)</c>; <c>()</c> for a scalar.</summary>
    /// <returns>The lengths in parentheses.</returns>
    public override string ToString() => $"({string.Join(',', _lengths ?? [])})";
}
