namespace SeparableConv.Networks.Operators;

/// <summary>A tensor seen as (outer, length, inner): one dimension, and the products of those before and behind it.</summary>
internal readonly record struct TensorAxis(long Outer, int Length, long Inner)
{
    /// <summary>The dimension that an axis names, which counts from the back where it is negative.</summary>
    /// <exception cref="ArgumentException">There is no such dimension.</exception>
    public static int Resolve(int axis, int rank) => axis >= -rank && axis < rank
        ? axis < 0 ? axis + rank : axis
        : throw new ArgumentException($"Axis {axis} does not exist in a tensor of {rank} dimensions; give one from {-rank} to {rank - 1}.");

    /// <summary>A shape cut at an axis.</summary>
    /// <exception cref="ArgumentException">There is no such dimension.</exception>
    public static TensorAxis Cut(TensorShape shape, int axis)
    {
        axis = Resolve(axis, shape.Rank);
        long outer = 1, inner = 1;
        for (var i = 0; i < axis; i++)
            outer *= shape[i];
        for (var i = axis + 1; i < shape.Rank; i++)
            inner *= shape[i];
        return new(outer, shape[axis], inner);
    }
}
