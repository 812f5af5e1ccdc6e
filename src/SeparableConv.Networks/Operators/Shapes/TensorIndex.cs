namespace SeparableConv.Networks.Operators;

/// <summary>Indices that are computed while a network runs, checked before anything is read or written by them.</summary>
internal static unsafe class TensorIndex
{
    /// <summary>Refuses indices of another type than int32 or int64.</summary>
    /// <exception cref="ArgumentException">They are of another.</exception>
    public static TensorType Required(ReadOnlySpan<TensorType?> inputs, int input)
    {
        var indices = OperatorChecks.Required(inputs, input, "indices");
        return indices.Element is ElementType.Int32 or ElementType.Int64
            ? indices
            : throw new ArgumentException($"The indices are {indices}; expected int32 or int64.");
    }

    /// <summary>Index j for a dimension, counted from its front; below 0 it counts from the back.</summary>
    /// <exception cref="NetworkException">There is no such element.</exception>
    public static nint Of(TensorBuffer indices, long j, int length, string kind)
    {
        var index = indices.Type.Element == ElementType.Int32 ? ((int*)indices.Memory)[j] : ((long*)indices.Memory)[j];
        return index >= -length && index < length
            ? (nint)(index < 0 ? index + length : index)
            : throw new NetworkException(
                $"{kind} was given index {index} for a dimension of {length}; expected {-(long)length} to {length - 1L}.");
    }

    /// <summary>
    /// The element, or the slice, that a tuple of indices names in dimensions from <paramref name="first"/> on, counted in slices.
    /// </summary>
    /// <exception cref="NetworkException">There is none.</exception>
    public static nint OfTuple(TensorBuffer indices, nint tuple, int tupleLength, TensorShape shape, int first, string kind)
    {
        nint slice = 0;
        for (var d = 0; d < tupleLength; d++)
        {
            var length = shape[first + d];
            slice = (slice * length) + Of(indices, (tuple * tupleLength) + d, length, kind);
        }

        return slice;
    }
}
