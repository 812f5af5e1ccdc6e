namespace SeparableConv.Networks.Operators;

/// <summary>The arithmetic of shapes and strides for operators that move elements.</summary>
internal static class ShapeRules
{
    /// <summary>The product of some lengths, 1 of none.</summary>
    public static long Product(ReadOnlySpan<int> lengths)
    {
        long product = 1;
        foreach (var length in lengths)
            product *= length;
        return product;
    }

    /// <summary>Elements from one index to the next, for each dimension of a dense tensor.</summary>
    public static long[] Strides(TensorShape shape)
    {
        var strides = new long[shape.Rank];
        long stride = 1;
        for (var d = shape.Rank - 1; d >= 0; d--)
        {
            strides[d] = stride;
            stride *= Math.Max(1, shape[d]);
        }

        return strides;
    }

    /// <summary>The strides of a tensor that is read in a shape to which it broadcasts: 0 where one element serves for many.</summary>
    public static long[] BroadcastStrides(TensorShape shape, TensorShape target)
    {
        var own = Strides(shape);
        var strides = new long[target.Rank];
        for (var d = 0; d < own.Length; d++)
            strides[target.Rank - own.Length + d] = shape[d] == 1 ? 0 : own[d];
        return strides;
    }

    /// <summary>The type of elements that were moved to another shape.</summary>
    /// <exception cref="ArgumentException">Their scales run along a dimension, which is no longer what it was.</exception>
    public static TensorType Moved(TensorType type, TensorShape shape) => type.Quantization is null or { IsPerTensor: true }
        ? new(type.Element, shape, type.Quantization)
        : throw new ArgumentException($"The input {type} has {type.Quantization}; expected one scale for the whole tensor.");

    /// <summary>The product of two lengths.</summary>
    /// <exception cref="ArgumentException">It is more than a dimension can have.</exception>
    public static int Length(long a, long b) => a == 0 || b <= int.MaxValue / a
        ? (int)(a * b)
        : throw new ArgumentException($"A dimension of {a} times {b} is longer than {int.MaxValue}.");

    /// <summary>The input of an operator that has one.</summary>
    /// <exception cref="ArgumentException">It is missing, or there are more.</exception>
    public static TensorType Only(ReadOnlySpan<TensorType?> inputs) => inputs.Length == 1
        ? OperatorChecks.Required(inputs, 0, "input")
        : throw new ArgumentException($"There are {inputs.Length} inputs; expected one.");
}
