using SeparableConv.Loops;

namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Lets a depthwise convolution read the channels that a Gather before it picks, where it alone reads them: it permutes what it loads, and
/// nothing is copied. This is what a trained convolution becomes when it is separated with a multiplier of its own for each channel.
/// </summary>
internal sealed class ChannelMapFusion : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (node.Operator is not DepthwiseConv2DOperator { Map: null } depthwise
            || inputs is not [{ Producer: { Operator: GatherOperator gather } before }, { IsConstant: true } weights, ..]
            || weights.Shape[3] != 1
            || inputs is [_, _, { IsConstant: false }, ..]
            || !HasOneReader(node.Inputs[0])
            || before.Inputs is not [{ Shape.Rank: 4 } x, { Constant: { } indices }]
            || TensorAxis.Resolve(gather.Axis, 4) != 3
            || Channels(indices, x.Shape[3]) is not { } channels)
        {
            return null;
        }

        var map = new DepthwiseMap(x.Shape[3], channels);
        return [Graph.Add(node.Name, depthwise.With(map.Multiplier == 1 ? null : map), [x, .. inputs.AsSpan(1)])];
    }

    /// <summary>The indices, counted from the front; null where they are no list, or one names no channel.</summary>
    private static int[]? Channels(TensorData indices, int channels)
    {
        if (indices.Type.Shape.Rank != 1)
            return null;
        var numbers = indices.Type.Element == ElementType.Int32
            ? Array.ConvertAll(indices.Span<int>().ToArray(), index => (long)index)
            : indices.Span<long>().ToArray();
        return Array.TrueForAll(numbers, index => index >= -channels && index < channels)
            ? Array.ConvertAll(numbers, index => (int)(index < 0 ? index + channels : index))
            : null;
    }
}
