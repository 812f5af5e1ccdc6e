namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Gives a network another batch: inputs whose first dimension was the old batch get the new one, and all shapes behind them are inferred
/// anew. The pass knows of every value which dimension is the batch; what would mix the images of a batch, or loses that dimension, is
/// refused.
/// </summary>
internal sealed class Rebatching(int before, int after) : NetworkPass
{
    // The dimension of each value of the new network that is the batch, where it has one.
    private readonly Dictionary<Value, int> _batch = [];

    protected override TensorType InputType(Value input) =>
        input.Shape.Rank > 0 && input.Shape[0] == before
            ? input.Type with { Shape = new TensorShape([after, .. input.Shape.Lengths[1..]]) }
            : input.Type;

    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        var axes = new int?[inputs.Length];
        for (var i = 0; i < axes.Length; i++)
            axes[i] = BatchOf(node.Inputs[i], inputs[i]);
        var first = Array.FindIndex(axes, axis => axis is not null);
        if (first < 0)
            return null;
        var axis = axes[first]!.Value;
        if (Mixes(node, axes, axis))
            throw Refusal(node, $"mixes what lies along dimension {axis} of {inputs[first]!.Shape}, the batch");

        var op = node.Operator switch
        {
            ReshapeOperator => new ReshapeOperator(Reshaped(node, axis)),
            ExpandOperator { Shape: { Rank: > 0 } shape } when shape[0] == before && shape.Rank >= inputs[0]!.Shape.Rank =>
                new ExpandOperator(new TensorShape([after, .. shape.Lengths[1..]])),
            SliceOperator slice when slice.Starts[axis] == 0 && slice.Steps[axis] == 1 && slice.Lengths[axis] == before =>
                new SliceOperator([.. slice.Starts], [.. slice.Steps], [.. slice.Lengths[..axis], after, .. slice.Lengths[(axis + 1)..]]),
            _ => node.Operator,
        };
        var outputs = Graph.AddNode(node.Name, op, inputs).Outputs;
        for (var i = 0; i < outputs.Count; i++)
        {
            if (Changed(node.Outputs[i].Shape, outputs[i].Shape) is not { } batch)
                throw Refusal(node, $"gives {outputs[i].Shape}, in which the batch is no dimension by itself");
            _batch[outputs[i]] = batch;
        }

        return outputs;
    }

    // Of an input it is the first dimension; of what is stored there is none.
    private int? BatchOf(Value? old, Value? now) => old switch
    {
        null or { IsStored: true } => null,
        { Kind: ValueKind.Input } => old.Shape.Rank > 0 && old.Shape[0] == before ? 0 : null,
        _ => _batch.TryGetValue(now!, out var axis) ? axis : null,
    };

    // Whether an operator computes with numbers of several images. Operators on images have the batch first, all else is told here.
    private static bool Mixes(Node node, int?[] axes, int axis)
    {
        var rank = node.Inputs[Array.FindIndex(axes, one => one is not null)]!.Shape.Rank;
        bool Is(int named) => TensorAxis.Resolve(named, rank) == axis;
        return node.Operator switch
        {
            SoftmaxOperator op => Is(op.Axis),
            ActivationOperator { Activation.NeedsAllChannels: true } or TFLiteSoftmaxOperator => axis == rank - 1,
            TFLiteRowOperator or ScaledSumsOperator { Activation.NeedsAllChannels: true } => axis == rank - 1 || axis != 0,
            ConcatOperator op => Is(op.Axis),
            TFLiteConcatOperator op => Is(op.Axis),
            SplitOperator op => Is(op.Axis),
            ArgExtremeOperator op => Is(op.Axis),
            GatherOperator op => axes[0] is not null && axes[^1] is null ? Is(op.Axis) : axes[0] is not null,
            GatherNDOperator op => axes[0] != axes[1] || axis >= op.BatchDimensions,
            GatherElementsOperator op => axes[0] != axes[1] || Is(op.Axis),
            ScatterElementsOperator op => axes[0] != axes[1] || axes[0] != axes[2] || Is(op.Axis),
            ScatterNDOperator => true,
            CumulativeSumOperator op => Is(op.Axis),
            TopKOperator op => Is(op.Axis),
            LayerNormalizationOperator op => axis >= TensorAxis.Resolve(op.Axis, rank),
            LocalResponseNormalizationOperator => axis == rank - 1,
            ReduceOperator op => op.Axes.ToArray().Any(Is),
            TFLiteMeanOperator op => op.Axes.ToArray().Any(Is),
            PadOperator op => op.Before[axis] != 0 || op.After[axis] != 0,
            TileOperator op => op.Repeats[axis] != 1,
            DenseOperator or QuantizedDenseOperator => axis == rank - 1 || axes.Skip(1).Any(one => one is not null),
            GemmOperator op => axes[0] != (op.TransposeA ? 1 : 0) || axes.Skip(1).Any(one => one is not null),
            MatMulOperator => axes[0] is { } left && left >= node.Inputs[0]!.Shape.Rank - (axes[1] is null ? 1 : 2)
                || (axes[1] is { } right && right >= node.Inputs[1]!.Shape.Rank - 2),
            ReshapeOperator or TransposeOperator or ExpandOperator or SliceOperator or IdentityOperator or DropoutOperator or CastOperator
                or UnaryOperator or BinaryOperator or ActivationOperator or ClipOperator or PReluOperator or WhereOperator
                or QuantizationViewOperator or TFLiteQuantizeOperator or TFLiteDequantizeOperator or ByteTableOperator => false,
            _ => axis != 0,
        };
    }

    // The batch stays a dimension by itself, with as many elements before it as there were.
    private TensorShape Reshaped(Node node, int axis)
    {
        var (old, target) = (node.Inputs[0]!.Shape, node.Outputs[0].Shape);
        var product = Product(old, axis);
        for (var i = 0; i < target.Rank; i++)
        {
            if (target[i] == before && Product(target, i) == product)
                return new TensorShape([.. target.Lengths[..i], after, .. target.Lengths[(i + 1)..]]);
        }

        throw Refusal(node, $"joins the batch of {old} with other dimensions to {target}");
    }

    // The one dimension in which a shape followed the batch; null where there is none, or more than one.
    private int? Changed(TensorShape old, TensorShape now)
    {
        int? changed = null;
        for (var i = 0; i < old.Rank; i++)
        {
            if (old[i] == now[i])
                continue;
            if (changed is not null || old[i] != before || now[i] != after)
                return null;
            changed = i;
        }

        return changed;
    }

    private static long Product(TensorShape shape, int dimensions)
    {
        long product = 1;
        for (var i = 0; i < dimensions; i++)
            product *= shape[i];
        return product;
    }

    private NetworkException Refusal(Node node, string what) => new(
        $"The batch cannot be changed from {before} to {after}: node '{node.Name}' ({node.Operator.Kind}) {what}; "
        + "make the network with that batch.");
}
