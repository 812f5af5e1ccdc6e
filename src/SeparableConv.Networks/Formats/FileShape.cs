namespace SeparableConv.Networks.Formats;

/// <summary>Shapes as files say them: lists of numbers of which any may be wrong.</summary>
internal static class FileShape
{
    /// <summary>The most dimensions that a tensor may have; NumPy has the same limit.</summary>
    public const int MaxRank = 64;

    /// <summary>A shape whose lengths are all numbers.</summary>
    /// <param name="lengths">What the file says.</param>
    /// <param name="what">The tensor, to begin a message with.</param>
    /// <exception cref="NetworkException">A length is negative or too large, or there are too many.</exception>
    public static TensorShape Read(IReadOnlyList<long> lengths, string what)
    {
        if (lengths.Count > MaxRank)
            throw new NetworkException($"{what} has {lengths.Count} dimensions; at most {MaxRank} are supported.");
        var shape = new int[lengths.Count];
        for (var i = 0; i < shape.Length; i++)
        {
            shape[i] = lengths[i] is >= 0 and <= int.MaxValue
                ? (int)lengths[i]
                : throw new NetworkException($"{what} has length {lengths[i]} in dimension {i}; expected 0 to {int.MaxValue}.");
        }

        try
        {
            return new TensorShape(shape);
        }
        catch (ArgumentException e)
        {
            throw new NetworkException($"{what}: {e.Message}", e);
        }
    }
}
