using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Rewriting;

/// <summary>A convolution or dense layer whose weights and bias are constants, as the folding passes see it.</summary>
/// <remarks>Everywhere the weights' flat index runs fastest over the output's channels: index modulo outputs is the channel.</remarks>
internal sealed class WeightedNode
{
    private readonly TensorData _weights;
    private readonly TensorData? _bias;
    private readonly int _outChannels;

    // Flat indices from one input channel to the next, input channels in a group, and outputs in a group.
    private readonly int _inStride;
    private readonly int _groupInputs;
    private readonly int _groupOutputs;

    private WeightedNode(TensorData weights, TensorData? bias, int outChannels, int inStride, int groupInputs, int groupOutputs)
    {
        (_weights, _bias, _outChannels) = (weights, bias, outChannels);
        (_inStride, _groupInputs, _groupOutputs) = (inStride, groupInputs, groupOutputs);
    }

    /// <summary>Whether something is applied to the sums, so that nothing behind it can be merged into them.</summary>
    public bool HasActivation { get; private init; }

    // Where each output reads the one input channel that a map names.
    private DepthwiseMap? Map { get; init; }

    /// <summary>Sees a node as a layer with constant weights; null where it is no such layer.</summary>
    public static WeightedNode? Of(Operator op, Value?[] inputs)
    {
        if (inputs.Length < 2 || inputs[1]?.Constant is not { } weights || inputs is [_, _, { IsConstant: false }, ..])
            return null;
        var bias = inputs.Length > 2 ? inputs[2]?.Constant : null;
        var shape = weights.Type.Shape;
        return op switch
        {
            DepthwiseConv2DOperator depthwise => new(weights, bias, shape[2] * shape[3], shape[3], 1, shape[3])
            {
                Map = depthwise.Map,
                HasActivation = !depthwise.Options.Activation.IsNone,
            },
            Conv2DOperator conv => new(weights, bias, shape[3], shape[3], shape[2], shape[3] / conv.Options.Groups)
            {
                HasActivation = !conv.Options.Activation.IsNone,
            },
            DenseOperator dense => new(weights, bias, shape[1], shape[1], shape[0], shape[1])
            {
                HasActivation = !dense.Activation.IsNone,
            },
            _ => null,
        };
    }

    /// <summary>Weights and bias with what follows merged in; null where a number would leave the range of float.</summary>
    public (TensorData Weights, TensorData? Bias)? After(ChannelAffine affine)
    {
        var source = _weights.Span<float>();
        var weights = new float[source.Length];
        for (var i = 0; i < weights.Length; i++)
            weights[i] = (float)(source[i] * affine.Scale[i % _outChannels]);
        var bias = new float[_outChannels];
        for (var o = 0; o < bias.Length; o++)
            bias[o] = (float)(((_bias is null ? 0.0 : _bias.Span<float>()[o]) * affine.Scale[o]) + affine.Shift[o]);
        return Finish(weights, bias);
    }

    /// <summary>Weights and bias with what comes before merged in; null where a number would leave the range of float.</summary>
    public (TensorData Weights, TensorData? Bias)? Before(ChannelAffine affine)
    {
        var source = _weights.Span<float>();
        var weights = new float[source.Length];
        var sums = new double[_outChannels];
        for (var i = 0; i < weights.Length; i++)
        {
            var output = i % _outChannels;
            var input = Map is null ? (output / _groupOutputs * _groupInputs) + (i / _inStride % _groupInputs) : Map.Sources[output];
            weights[i] = (float)(source[i] * affine.Scale[input]);
            sums[output] += source[i] * affine.Shift[input];
        }

        var bias = new float[_outChannels];
        for (var o = 0; o < bias.Length; o++)
            bias[o] = (float)((_bias is null ? 0.0 : _bias.Span<float>()[o]) + sums[o]);
        return Finish(weights, bias);
    }

    // A variance near 0 or a huge scale may push a product out of float's range where the sums of the run would have stayed inside.
    private (TensorData Weights, TensorData? Bias)? Finish(float[] weights, float[] bias)
    {
        if (!TensorPrimitives.IsFiniteAll<float>(weights) || !TensorPrimitives.IsFiniteAll<float>(bias))
            return null;
        return (
            new TensorData(_weights.Type, weights),
            _bias is null && !bias.AsSpan().ContainsAnyExcept(0f)
                ? null
                : new TensorData(new(ElementType.Float32, new TensorShape(_outChannels)), bias));
    }
}
