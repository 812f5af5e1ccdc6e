namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Runs in integers what stands between DequantizeLinear and QuantizeLinear: convolutions and dense layers with their clamps, means over
/// the image, sums of two tensors, and any function of single numbers, which of bytes is a table of 256. What only moves numbers moves
/// bytes. Everything else stays in floats, and so does a layer whose output is read as floats too.
/// </summary>
internal sealed class IntegerLowering : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (node.Operator is not QuantizeLinearOperator)
            return Moved(node, inputs);

        // Outside of what is joined here, a byte stands for what its reader says.
        return IntegerTarget.Of(node) is { } target && Lowered(node.Inputs[0]!, target) is { } bytes
            ? [Graph.Add(node.Name, new QuantizationViewOperator(null), bytes)]
            : null;
    }

    /// <summary>What moves numbers moves bytes in their place, and they are dequantized behind it.</summary>
    private Value[]? Moved(Node node, Value?[] inputs)
    {
        var op = node.Operator;
        var isMove = op is ReshapeOperator or TransposeOperator or SliceOperator or SplitOperator or ConcatOperator or IdentityOperator
            or DropoutOperator or ExpandOperator or TileOperator or SpaceToDepthOperator or DepthToSpaceOperator or PadOperator
            or Pool2DOperator { PoolKind: PoolKind.Max, Activation.IsNone: true };
        if (!isMove || inputs[0] is not { } first || IntegerSource.Of(first) is not { } source)
            return null;
        if (op is PadOperator { Mode: PadMode.Constant } pad)
        {
            if (pad.ConstantValue != 0)
                return null;
            op = new PadOperator([.. pad.Before], [.. pad.After], pad.Mode, source.Quantization.ZeroPoint);
        }

        var bytes = new Value[inputs.Length];
        for (var i = 0; i < bytes.Length; i++)
        {
            if (IntegerSource.Of(inputs[i]!) is not { } other || !source.IsLike(other))
                return null;
            bytes[i] = IntegerSource.Seen(Graph, other.Bytes, source.Quantization);
        }

        var dequantize = first.Producer!;
        var moved = Graph.AddNode($"{node.Name}/bytes", op, bytes);
        var outputs = new Value[moved.Outputs.Count];
        for (var i = 0; i < outputs.Length; i++)
            outputs[i] = Graph.Add(
                i == 0 ? node.Name : $"{node.Name}:{i}", dequantize.Operator, [moved.Outputs[i], .. dequantize.Inputs.Skip(1)]);
        return outputs;
    }

    /// <summary>The bytes that quantizing a value of the old network gives; null where it has to be computed in floats.</summary>
    private Value? Lowered(Value value, IntegerTarget target)
    {
        if (value.IsConstant)
            return null;
        if (Table(value) is var (source, numbers))
            return Mapped(value.Name, source, target.Quantize(numbers), target);
        if (!HasOneReader(value) || value.Producer is not { } node)
            return null;
        switch (node.Operator)
        {
            case ActivationOperator { Activation: { IsClamp: true } clamp }:
                return Lowered(node.Inputs[0]!, target.Clamped(clamp.LowerBound, clamp.UpperBound));
            case ClipOperator clip:
                return Lowered(node.Inputs[0]!, target.Clamped((float)clip.Minimum, (float)clip.Maximum));
            case ReshapeOperator or TransposeOperator or IdentityOperator or DropoutOperator:
                return Lowered(node.Inputs[0]!, target) is { } bytes ? Graph.Add(node.Name, node.Operator, bytes) : null;
            case ConcatOperator:
                var pieces = node.Inputs.Select(input => Lowered(input!, target)).ToArray();
                return pieces.Contains(null) ? null : Graph.Add(node.Name, node.Operator, pieces);
            case BinaryOperator { BinaryKind: BinaryKind.Add, Activation: { IsClamp: true } clamp }:
                return Sum(node, target.Clamped(clamp.LowerBound, clamp.UpperBound));
            default:
                return Layer(node, target);
        }
    }

    private Value? Sum(Node node, IntegerTarget target)
    {
        if (node.Inputs[0]!.Shape != node.Inputs[1]!.Shape
            || IntegerSource.Of(Map(node.Inputs[0]!)) is not { } a
            || IntegerSource.Of(Map(node.Inputs[1]!)) is not { } b)
            return null;
        var op = new DequantizedAddOperator(target.Element, target.Quantization, target.Min, target.Max);
        return Replace(Copy(node), op, a.Seen(Graph), b.Seen(Graph));
    }

    private Value? Layer(Node node, IntegerTarget target)
    {
        if (node.Inputs.Count == 0 || IntegerSource.Of(Map(node.Inputs[0]!)) is not { } x)
            return null;
        var bias = node.Inputs.Count > 2 ? node.Inputs[2] : null;
        var layer = node.Operator is FloatConvOperator or DenseOperator
            ? IntegerLayer.Of(node, x, Map(node.Inputs[1]!), bias is null ? null : Map(bias), target)
            : IntegerLayer.OfMean(node, x, target);
        if (layer is null)
            return null;
        var y = Replace(
            Copy(node),
            layer.Operator,
            x.Seen(Graph),
            Constant($"{node.Name}/weights", layer.Weights),
            layer.Bias is null ? null : Constant($"{node.Name}/bias", layer.Bias));

        // A mean that lets its axes vanish.
        return y.Shape == node.Outputs[0].Shape ? y : Graph.Add($"{node.Name}/reshaped", new ReshapeOperator(node.Outputs[0].Shape), y);
    }

    /// <summary>
    /// A value of the old network as a function of single bytes: these, and the number for each of 256. Null where it is none.
    /// </summary>
    private (IntegerSource Source, TensorData Numbers)? Table(Value value)
    {
        if (IntegerSource.Of(Map(value)) is { } source)
            return (source, source.Numbers());
        var isFunction = value.Producer?.Operator is UnaryOperator or ClipOperator
            or ActivationOperator { Activation: { NeedsAllChannels: false, RequiredChannels: 0 } };
        if (!isFunction
            || !HasOneReader(value)
            || value.Producer!.Inputs[0]!.IsConstant
            || Table(value.Producer.Inputs[0]!) is not var (before, numbers))
            return null;
        return (before, Evaluator.Run(value.Producer.Operator, numbers)[0]);
    }

    private Value Mapped(string name, IntegerSource source, byte[] map, IntegerTarget target)
    {
        var bytes = source.Seen(Graph);
        var isSame = source.Bytes.Type.Element == target.Element;
        for (var raw = 0; raw < map.Length; raw++)
            isSame &= map[raw] == raw;
        return isSame
            ? IntegerSource.Seen(Graph, source.Bytes, target.Quantization)
            : Graph.Add($"{name}/map", new ByteMapOperator(target.Element, target.Quantization, map), bytes);
    }

    /// <summary>What a node of the old network became before it was found to be part of more.</summary>
    private Node Copy(Node node) => Map(node.Outputs[0]).Producer!;
}
