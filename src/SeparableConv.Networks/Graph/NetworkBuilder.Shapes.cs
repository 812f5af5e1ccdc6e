namespace SeparableConv.Networks;

/// <content>The layers that merge several tensors or lay one out anew.</content>
public sealed partial class NetworkBuilder
{
    /// <summary>The sum, element by element; an axis of length 1 is repeated to the others' length.</summary>
    /// <param name="values">Two or more tensors.</param>
    /// <param name="name">The layer's name; <c>add</c> and so on by default.</param>
    /// <returns>The common shape.</returns>
    /// <exception cref="NetworkException">There are fewer than two, or their shapes do not fit.</exception>
    public Value Add(ReadOnlySpan<Value> values, string? name = null) => Merge(values, BinaryKind.Add, Name(name, "add", "Add"), "Add");

    /// <summary>The product, element by element; an axis of length 1 is repeated to the others' length.</summary>
    /// <param name="values">Two or more tensors.</param>
    /// <param name="name">The layer's name; <c>multiply</c> and so on by default.</param>
    /// <returns>The common shape.</returns>
    /// <exception cref="NetworkException">There are fewer than two, or their shapes do not fit.</exception>
    public Value Multiply(ReadOnlySpan<Value> values, string? name = null) =>
        Merge(values, BinaryKind.Mul, Name(name, "multiply", "Multiply"), "Multiply");

    /// <summary>The second subtracted from the first, element by element.</summary>
    /// <param name="x">What is subtracted from.</param>
    /// <param name="y">What is subtracted.</param>
    /// <param name="name">The layer's name; <c>subtract</c> and so on by default.</param>
    /// <returns>The common shape.</returns>
    /// <exception cref="NetworkException">The shapes do not fit.</exception>
    public Value Subtract(Value x, Value y, string? name = null) =>
        Merge([x, y], BinaryKind.Sub, Name(name, "subtract", "Subtract"), "Subtract");

    /// <summary>The larger, element by element; an axis of length 1 is repeated to the others' length.</summary>
    /// <param name="values">Two or more tensors.</param>
    /// <param name="name">The layer's name; <c>maximum</c> and so on by default.</param>
    /// <returns>The common shape.</returns>
    /// <exception cref="NetworkException">There are fewer than two, or their shapes do not fit.</exception>
    public Value Maximum(ReadOnlySpan<Value> values, string? name = null) =>
        Merge(values, BinaryKind.Max, Name(name, "maximum", "Maximum"), "Maximum");

    /// <summary>One behind the other along an axis.</summary>
    /// <param name="values">One or more tensors whose other axes have the same lengths.</param>
    /// <param name="axis">The axis; the last by default: channels.</param>
    /// <param name="name">The layer's name; <c>concatenate</c> and so on by default.</param>
    /// <returns>Their lengths along the axis added up.</returns>
    /// <exception cref="NetworkException">There is none, there is no such axis, or the shapes do not fit.</exception>
    public Value Concatenate(ReadOnlySpan<Value> values, int axis = -1, string? name = null)
    {
        name = Name(name, "concatenate", "Concatenate");
        if (values.IsEmpty)
            throw Refusal(name, "Concatenate", "there is nothing to concatenate; give at least one tensor.");
        foreach (var value in values)
            CheckOwn(value, name, "Concatenate");
        return Append(name, new ConcatOperator(Axis(values[0], axis, name, "Concatenate")), values.ToArray());
    }

    /// <summary>All axes but the first in one.</summary>
    /// <param name="x">(N, ...).</param>
    /// <param name="name">The layer's name; <c>flatten</c> and so on by default.</param>
    /// <returns>(N, the product of the others).</returns>
    /// <exception cref="NetworkException">The input is a scalar.</exception>
    public Value Flatten(Value x, string? name = null) => Reshaped(x, [-1], Name(name, "flatten", "Flatten"), "Flatten");

    /// <summary>The same elements in another shape.</summary>
    /// <param name="x">(N, ...).</param>
    /// <param name="targetShape">Without the batch; one length may be -1, which stands for what is left.</param>
    /// <param name="name">The layer's name; <c>reshape</c> and so on by default.</param>
    /// <returns>(N, targetShape...).</returns>
    /// <exception cref="NetworkException">The number of elements is another.</exception>
    public Value Reshape(Value x, ReadOnlySpan<int> targetShape, string? name = null) =>
        Reshaped(x, targetShape, Name(name, "reshape", "Reshape"), "Reshape");

    /// <summary>The axes in another order.</summary>
    /// <param name="x">(N, ...).</param>
    /// <param name="dims">
    /// Which axis comes first behind the batch, second and so on, counted from 1 without the batch: (2, 1) swaps two.
    /// </param>
    /// <param name="name">The layer's name; <c>permute</c> and so on by default.</param>
    /// <returns>The axes in that order.</returns>
    /// <exception cref="NetworkException">The numbers are not those of the axes, each once.</exception>
    public Value Permute(Value x, ReadOnlySpan<int> dims, string? name = null)
    {
        name = Name(name, "permute", "Permute");
        CheckOwn(x, name, "Permute");
        var sorted = dims.ToArray();
        Array.Sort(sorted);
        if (!sorted.AsSpan().SequenceEqual(Enumerable.Range(1, Math.Max(0, x.Shape.Rank - 1)).ToArray()))
            throw Refusal(
                name,
                "Permute",
                $"dims is ({string.Join(',', dims.ToArray())}); the input {x.Shape} needs each number from 1 to {x.Shape.Rank - 1} once.");
        return Append(name, new TransposeOperator([0, .. dims]), x);
    }

    /// <summary>Rows and columns of zeros around an image.</summary>
    /// <param name="x">(N, height, width, C).</param>
    /// <param name="padding">Above and below, left and right; 1 by default.</param>
    /// <param name="name">The layer's name; <c>zero_padding2d</c> and so on by default.</param>
    /// <returns>(N, height + 2*padding, width + 2*padding, C).</returns>
    /// <exception cref="NetworkException">A number is negative, or the input has not 4 dimensions.</exception>
    public Value ZeroPadding2D(Value x, Size2D? padding = null, string? name = null)
    {
        var sides = padding ?? 1;
        return ZeroPadding2D(x, sides.Height, sides.Height, sides.Width, sides.Width, name);
    }

    /// <summary>Rows and columns of zeros around an image, another number on each side.</summary>
    /// <param name="x">(N, height, width, C).</param>
    /// <param name="top">Rows above, 0 or more.</param>
    /// <param name="bottom">Rows below, 0 or more.</param>
    /// <param name="left">Columns left, 0 or more.</param>
    /// <param name="right">Columns right, 0 or more.</param>
    /// <param name="name">The layer's name; <c>zero_padding2d</c> and so on by default.</param>
    /// <returns>(N, top + height + bottom, left + width + right, C).</returns>
    /// <exception cref="NetworkException">A number is negative, or the input has not 4 dimensions.</exception>
    public Value ZeroPadding2D(Value x, int top, int bottom, int left, int right, string? name = null)
    {
        name = Name(name, "zero_padding2d", "ZeroPadding2D");
        Image(x, name, "ZeroPadding2D");
        Checked(name, "ZeroPadding2D", () => Padding.Explicit(top, bottom, left, right));
        return Append(name, new PadOperator([0, top, left, 0], [0, bottom, right, 0], PadMode.Constant, 0), x);
    }

    private Value Merge(ReadOnlySpan<Value> values, BinaryKind kind, string name, string layer)
    {
        if (values.Length < 2)
            throw Refusal(name, layer, $"there {(values.Length == 1 ? "is 1 tensor" : "are 0 tensors")}; give at least 2.");
        foreach (var value in values)
            CheckOwn(value, name, layer);

        // The last node has the layer's name: it computes what the layer does.
        var merged = values[0];
        for (var i = 1; i < values.Length; i++)
            merged = Append(
                i == values.Length - 1 ? name : $"{name}/{i}", new BinaryOperator(kind, SeparableConv.Activation.None), merged, values[i]);
        return merged;
    }

    private Value Reshaped(Value x, ReadOnlySpan<int> target, string name, string layer)
    {
        CheckOwn(x, name, layer);
        if (x.Shape.Rank == 0)
            throw Refusal(name, layer, $"the input '{x.Name}' is a scalar; expected at least 1 dimension (N, ...).");
        var lengths = target.ToArray();
        var open = Array.IndexOf(lengths, -1);
        var elements = x.Shape.Lengths[1..].ToArray().Aggregate(1L, (product, length) => product * length);
        var known = Checked(
            name, layer, () => lengths.Where((_, i) => i != open).Aggregate(1L, (product, length) => checked(product * length)));
        if (open >= 0 && known > 0 && elements % known == 0 && elements / known <= int.MaxValue)
            lengths[open] = (int)(elements / known);
        if (lengths.Any(length => length < 0) || (open < 0 && known != elements) || lengths.Contains(-1))
            throw Refusal(
                name,
                layer,
                $"targetShape is ({string.Join(',', target.ToArray())}), the input {x.Shape} has {elements} elements an image; "
                + "both must have as many.");
        return Append(name, new ReshapeOperator(new TensorShape([x.Shape[0], .. lengths])), x);
    }
}
