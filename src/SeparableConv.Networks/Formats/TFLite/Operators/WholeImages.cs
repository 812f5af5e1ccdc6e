namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>
/// Dilated convolutions as converters spell them: SPACE_TO_BATCH_ND, a convolution without a stride, what comes behind it, and
/// BATCH_TO_SPACE_ND. The same is computed on the whole images, with the convolution's dilation and padding multiplied by the block.
/// </summary>
/// <remarks>
/// Of a block b, image u holds x[i*b + u] at position i. A convolution reads there i + t*d - p for its tap t, which is
/// (i + t*d - p)*b + u of the whole image: dilation d*b and padding p*b, exactly. Functions of single elements know no places at all.
/// </remarks>
internal sealed class WholeImages(TFLiteImporter importer, TFLiteNode node)
{
    private const int MostSteps = 64;
    private readonly Dictionary<Value, Part?> _known = [];

    /// <summary>
    /// What BATCH_TO_SPACE_ND would make of a value, without it; null where something stands between that needs the images cut.
    /// </summary>
    /// <param name="value">Images in blocks.</param>
    /// <param name="block">The block, of the dimensions behind the first.</param>
    /// <param name="before">What is cut off before those dimensions at last.</param>
    /// <param name="after">What is cut off behind them.</param>
    public Value? Find(Value value, ReadOnlySpan<int> block, int[] before, int[] after)
    {
        if (Whole(value, MostSteps) is not { } whole || !whole.Block.AsSpan(1, block.Length).SequenceEqual(block)
            || whole.Block.AsSpan(1 + block.Length).ContainsAnyExcept(1))
        {
            return null;
        }

        var (starts, ends) = (new int[value.Shape.Rank], new int[value.Shape.Rank]);
        before.CopyTo(starts, 1);
        after.CopyTo(ends, 1);
        return Cut(whole.Value, starts, ends, MostSteps) ?? SpaceOperators.Cropped(importer, node, whole.Value, before, after);
    }

    private Part? Whole(Value value, int steps)
    {
        if (_known.TryGetValue(value, out var known))
            return known;
        _known[value] = null;
        if (steps == 0 || value.Producer is not { Outputs.Count: 1 } producer)
            return null;
        return _known[value] = producer.Operator switch
        {
            SpaceToBatchOperator space => new(producer.Inputs[0]!, Blocks(space, value.Shape.Rank)),
            FloatConvOperator or QuantizedConvOperator when Whole(producer.Inputs[0]!, steps - 1) is { } x => Convolved(producer, x),
            ReshapeOperator when Whole(producer.Inputs[0]!, steps - 1) is { } x => Reshaped(producer, x),
            var op when WorksOnElements(op) => Computed(producer, steps),
            _ => null,
        };
    }

    private Part? Convolved(Node conv, Part x)
    {
        var (options, g) = Layer(conv.Operator, conv.Inputs[0]!.Type, conv.Inputs[1]!.Type);
        var (rows, columns) = (x.Block[1], x.Block[2]);
        if (x.Block[0] != 1 || x.Block[3] != 1 || (rows > 1 && options.Stride.Height != 1) || (columns > 1 && options.Stride.Width != 1))
            return null;
        var (input, before, after) = WithoutBorder(x.Value);
        var changed = options with
        {
            Dilation = (checked(options.Dilation.Height * rows), checked(options.Dilation.Width * columns)),
            Padding = Padding.Explicit(
                checked(before[1] + (g.Rows.PadBefore * rows)),
                checked(after[1] + (g.Rows.PadAfter * rows)),
                checked(before[2] + (g.Columns.PadBefore * columns)),
                checked(after[2] + (g.Columns.PadAfter * columns))),
        };
        return new(Emit(conv, With(conv.Operator, changed), input), x.Block);
    }

    private Part? Reshaped(Node reshape, Part x)
    {
        if (Places(reshape, x.Block) is not { } places)
            return null;
        var (input, before, after) = WithoutBorder(x.Value);
        var target = reshape.Outputs[0].Shape;
        var value = ShapeOperators.Reshaped(importer, node, input, Lengths(input.Shape, target, places));
        if (!ReferenceEquals(input, x.Value))
        {
            var pad = (PadOperator)x.Value.Producer!.Operator;
            var moved = new PadOperator(Moved(before, places), Moved(after, places), PadMode.Constant, pad.ConstantValue);
            value = importer.Emit(node, moved, value);
        }

        return new(value, Moved(x.Block, places, missing: 1));
    }

    private Part? Computed(Node computed, int steps)
    {
        var inputs = new Value?[computed.Inputs.Count];
        int[]? block = null;
        for (var i = 0; i < inputs.Length; i++)
        {
            if (computed.Inputs[i] is null or { IsStored: true })
                continue;
            if (computed.Inputs[i]!.Shape != computed.Outputs[0].Shape)
                return null;
            if (Whole(computed.Inputs[i]!, steps - 1) is not { } part || !part.Block.AsSpan().SequenceEqual(block ?? part.Block))
                return null;
            (inputs[i], block) = (part.Value, part.Block);
        }

        if (block is null || block[^1] != 1 || block.Length != computed.Outputs[0].Shape.Rank)
            return null;
        for (var i = 0; i < inputs.Length; i++)
        {
            if (inputs[i] is null && computed.Inputs[i] is { } stored && !IsSameEverywhere(stored.Shape, block.Length))
                return null;
            inputs[i] ??= computed.Inputs[i];
        }

        return new(importer.Emit(node, computed.Operator, inputs), block);
    }

    // Whether what is stored is the same for all images and all places: one number, or one a channel.
    private static bool IsSameEverywhere(TensorShape stored, int rank) =>
        stored.Rank == 0 || (stored.Rank <= rank && stored.ElementCount == stored[^1]);

    // What a value is without some rows and columns at its edges: a convolution without a stride pads less. Null where nothing can.
    private Value? Cut(Value value, int[] before, int[] after, int steps)
    {
        if (!before.AsSpan().ContainsAnyExcept(0) && !after.AsSpan().ContainsAnyExcept(0))
            return value;
        if (steps == 0 || value.Producer is not { Outputs.Count: 1 } producer)
            return null;
        switch (producer.Operator)
        {
            case FloatConvOperator or QuantizedConvOperator:
                var (options, g) = Layer(producer.Operator, producer.Inputs[0]!.Type, producer.Inputs[1]!.Type);
                var (top, left) = (g.Rows.PadBefore - before[1], g.Columns.PadBefore - before[2]);
                var (bottom, right) = (g.Rows.PadAfter - after[1], g.Columns.PadAfter - after[2]);
                var fits = Math.Min(Math.Min(top, left), Math.Min(bottom, right)) >= 0 && options.Stride == new Size2D(1, 1)
                    && g.Rows.Out > before[1] + after[1] && g.Columns.Out > before[2] + after[2];
                return fits
                    ? Emit(producer, With(producer.Operator, options with { Padding = Padding.Explicit(top, bottom, left, right) }))
                    : null;
            case ReshapeOperator when Places(producer, Enumerable.Repeat(1, producer.Inputs[0]!.Shape.Rank).ToArray()) is { } places:
                var source = producer.Inputs[0]!;
                var (back, backAfter) = (new int[source.Shape.Rank], new int[source.Shape.Rank]);
                for (var d = 0; d < places.Length; d++)
                {
                    if (places[d] >= 0)
                        (back[places[d]], backAfter[places[d]]) = (before[d], after[d]);
                    else if (before[d] + after[d] != 0)
                        return null;
                }

                return Cut(source, back, backAfter, steps - 1) is { } shorter
                    ? ShapeOperators.Reshaped(importer, node, shorter, Lengths(shorter.Shape, value.Shape, places))
                    : null;
            case var op when WorksOnElements(op):
                var inputs = new Value?[producer.Inputs.Count];
                for (var i = 0; i < inputs.Length; i++)
                {
                    inputs[i] = producer.Inputs[i] is not { IsStored: false } input ? producer.Inputs[i]
                        : Cut(input, before, after, steps - 1);
                    if (inputs[i] is null && producer.Inputs[i] is not null)
                        return null;
                }

                return importer.Emit(node, op, inputs);
            default:
                return null;
        }
    }

    // The value that a border of zeros was put around, and the border's widths; itself where there is none.
    private static (Value Inner, int[] Before, int[] After) WithoutBorder(Value value)
    {
        var none = new int[value.Shape.Rank];
        return value.Producer is { Operator: PadOperator { Mode: PadMode.Constant } pad } producer
            && pad.ConstantValue == (value.Type.Quantization?.ZeroPoint ?? 0)
            && pad.Before[0] == 0 && pad.After[0] == 0 && pad.Before[^1] == 0 && pad.After[^1] == 0
            ? (producer.Inputs[0]!, pad.Before.ToArray(), pad.After.ToArray())
            : (value, none, none);
    }

    // For each dimension of a reshaped tensor the one that it was; -1 for a new one of length 1. Null where lengths are not just moved.
    private static int[]? Places(Node reshape, int[] block)
    {
        var (source, target) = (reshape.Inputs[0]!.Shape, reshape.Outputs[0].Shape);
        var places = new int[target.Rank];
        var next = 0;
        for (var d = 0; d < places.Length; d++)
        {
            while (next < source.Rank && source[next] == 1 && block[next] == 1 && target[d] != 1)
                next++;
            var isMoved = d == 0 || target[d] != 1 || places.Length - d <= source.Rank - next;
            if (next < source.Rank && source[next] == target[d] && isMoved)
                places[d] = next++;
            else if (target[d] == 1)
                places[d] = -1;
            else
                return null;
        }

        for (; next < source.Rank; next++)
        {
            if (source[next] != 1 || block[next] != 1)
                return null;
        }

        return places.Length > 0 && places[0] == 0 ? places : null;
    }

    // The target's lengths with those that were moved as long as the input has them.
    private static int[] Lengths(TensorShape input, TensorShape target, int[] places)
    {
        var lengths = target.Lengths.ToArray();
        for (var d = 0; d < lengths.Length; d++)
            lengths[d] = places[d] >= 0 ? input[places[d]] : 1;
        return lengths;
    }

    private static int[] Moved(int[] numbers, int[] places, int missing = 0) =>
        Array.ConvertAll(places, place => place >= 0 ? numbers[place] : missing);

    private static int[] Blocks(SpaceToBatchOperator space, int rank)
    {
        var block = new int[rank];
        Array.Fill(block, 1);
        space.Block.CopyTo(block.AsSpan(1));
        return block;
    }

    private static (ConvOptions Options, ConvGeometry Geometry) Layer(Operator op, TensorType x, TensorType weights) => op switch
    {
        FloatConvOperator conv => (conv.Options, conv.Geometry(x, weights)),
        QuantizedConvOperator conv => (conv.Options, conv.Geometry(x, weights)),
        _ => throw new ArgumentException($"{op.Kind} is no convolution."),
    };

    private static Operator With(Operator op, ConvOptions options) => op switch
    {
        FloatConvOperator conv => conv.With(options),
        QuantizedConvOperator conv => conv.With(options),
        _ => throw new ArgumentException($"{op.Kind} is no convolution."),
    };

    private static bool WorksOnElements(Operator op) => op is ActivationOperator or ClipOperator or UnaryOperator or BinaryOperator
        or PReluOperator or CastOperator or ByteTableOperator or BytePairOperator or TFLiteAddOperator or TFLiteMulOperator
        or TFLitePReluOperator or TFLiteQuantizeOperator or TFLiteDequantizeOperator or QuantizationViewOperator;

    private Value Emit(Node conv, Operator op, Value? input = null)
    {
        var inputs = conv.Inputs.ToArray();
        inputs[0] = input ?? inputs[0];
        return importer.Emit(node, op, inputs);
    }

    /// <summary>A value on whole images, and the block of each dimension that it was cut by.</summary>
    private readonly record struct Part(Value Value, int[] Block);
}
