using SeparableConv.Loops;

namespace SeparableConv.Networks.Rewriting;

/// <summary>A float layer between DequantizeLinear and QuantizeLinear as a layer of bytes: its operator, weights and bias.</summary>
internal sealed record IntegerLayer(Operator Operator, TensorData Weights, TensorData? Bias)
{
    // Ones for a mean of more than this are out of proportion.
    private const long MostTaps = 1 << 22;

    /// <summary>
    /// The layer of a node; null where it is no convolution or dense layer, its weights are no constant bytes, something but a clamp
    /// follows the sums, or these could leave 32 bits.
    /// </summary>
    /// <param name="node">The node.</param>
    /// <param name="x">Its input.</param>
    /// <param name="weights">The value that is its weights.</param>
    /// <param name="bias">The value that is its bias; null for none.</param>
    /// <param name="target">What becomes of its output.</param>
    public static IntegerLayer? Of(Node node, IntegerSource x, Value weights, Value? bias, IntegerTarget target)
    {
        var activation = node.Operator switch
        {
            DepthwiseConv2DOperator { Map: not null } => null,
            FloatConvOperator conv => conv.Options.Activation,
            DenseOperator dense => dense.Activation,
            _ => null,
        };
        if (activation is not { IsClamp: true }
            || DequantizedConstant.Of(weights) is not { HasBytes: true, Quantization: { } scales } numbers)
            return null;
        var outChannels = node.Outputs[0].Shape[^1];
        if (!scales.IsPerTensor && scales.Scales.Length != outChannels)
            return null;
        var constant = new TensorData(numbers.Numbers.Type with { Quantization = scales }, numbers.Numbers.Values);
        if (!TryBias(bias, constant, x, outChannels, out var sums) || !HasFiniteFactors(x, scales, target))
            return null;

        target = target.Clamped(activation.LowerBound, activation.UpperBound);
        var (element, output, min, max) = (target.Element, target.Quantization, target.Min, target.Max);
        return new(
            node.Operator switch
            {
                DepthwiseConv2DOperator conv =>
                    new QuantizedDepthwiseConv2DOperator(conv.Options, element, output, min, max, Requantization.Float),
                Conv2DOperator conv => new QuantizedConv2DOperator(conv.Options, element, output, min, max, Requantization.Float),
                _ => new QuantizedDenseOperator(element, output, min, max, Requantization.Float),
            },
            constant,
            sums);
    }

    /// <summary>
    /// The mean over a window inside the image: a depthwise convolution whose weights are all 1, on a scale of one over their number. Null
    /// where a node is no such mean.
    /// </summary>
    public static IntegerLayer? OfMean(Node node, IntegerSource x, IntegerTarget target)
    {
        var shape = x.Bytes.Shape;
        if (shape.Rank != 4 || Window(node, shape) is not var (kernel, options))
            return null;
        var taps = (long)kernel.Height * kernel.Width;
        if (taps * shape[3] is 0 or > MostTaps)
            return null;
        var scale = new Quantization(1f / taps, 0);
        if (!HasFiniteFactors(x, scale, target))
            return null;
        var ones = new sbyte[taps * shape[3]];
        ones.AsSpan().Fill(1);
        return new(
            new QuantizedDepthwiseConv2DOperator(
                options, target.Element, target.Quantization, target.Min, target.Max, Requantization.Float),
            new TensorData(new(ElementType.Int8, new TensorShape(kernel.Height, kernel.Width, shape[3], 1), scale), ones),
            null);
    }

    /// <summary>
    /// Weights as bytes, and what the sums of a layer whose output stays in floats stand for: (sum - ZeroPoints[o]) * Scales[o], the bias
    /// in the zero points. Null where the weights are no constant bytes, the sums could leave 32 bits, or the bias is no whole number of
    /// their units.
    /// </summary>
    public static (TensorData Weights, float[] Scales, int[] ZeroPoints)? Sums(IntegerSource x, Value weights, Value? bias, int outChannels)
    {
        if (DequantizedConstant.Of(weights) is not { HasBytes: true, Quantization: { } scales } numbers
            || (!scales.IsPerTensor && scales.Scales.Length != outChannels))
            return null;
        var constant = new TensorData(numbers.Numbers.Type with { Quantization = scales }, numbers.Numbers.Values);
        if (!TryBias(bias, constant, x, outChannels, out var units))
            return null;
        var factors = new float[outChannels];
        for (var o = 0; o < outChannels; o++)
            factors[o] = x.Quantization.Scale * scales.Scales[scales.IsPerTensor ? 0 : o];
        if (!Array.TrueForAll(factors, float.IsNormal))
            return null;
        var zeroPoints = new int[outChannels];
        if (units is not null)
        {
            var whole = units.Span<int>();
            var real = Numbers(bias!, outChannels)!;
            for (var o = 0; o < outChannels; o++)
            {
                if (Math.Abs((whole[o] * (double)factors[o]) - real[o]) > 1e-6 * Math.Abs(real[o]))
                    return null;
                zeroPoints[o] = -whole[o];
            }
        }

        return (constant, factors, zeroPoints);
    }

    private static (Size2D Kernel, ConvOptions Options)? Window(Node node, TensorShape shape)
    {
        switch (node.Operator)
        {
            case GlobalPoolOperator { PoolKind: PoolKind.Average }:
            case ReduceOperator { ReduceKind: ReduceKind.Mean } reduce when IsOverImage(reduce.Axes):
                return ((shape[1], shape[2]), ConvOptions.Default);
            case Pool2DOperator { PoolKind: PoolKind.Average, CeilMode: false, Activation.IsNone: true } pool
                when !pool.Geometry(shape).IsPadded:
                return (pool.Kernel, ConvOptions.Default with { Stride = pool.Stride, Dilation = pool.Dilation });
            default:
                return null;
        }
    }

    private static bool IsOverImage(ReadOnlySpan<int> axes) =>
        axes.Length == 2 && axes.IndexOfAny(1, -3) >= 0 && axes.IndexOfAny(2, -2) >= 0;

    private static bool HasFiniteFactors(IntegerSource x, Quantization weights, IntegerTarget target)
    {
        foreach (var scale in weights.Scales)
        {
            if (!float.IsFinite(x.Quantization.Scale * scale / target.Quantization.Scale))
                return false;
        }

        return true;
    }

    // The bias in units of the sums, rounded half to even: what it was where it was quantized in those units.
    private static bool TryBias(Value? bias, TensorData weights, IntegerSource x, int outChannels, out TensorData? sums)
    {
        sums = null;
        var scales = weights.Type.Quantization!;
        var numbers = bias is null ? [] : Numbers(bias, outChannels);
        if (numbers is null)
            return false;
        var integers = new int[outChannels];
        var largest = new QuantizedLayer
        {
            Weights = QuantizedLayerOperator.LessZeroPoint(weights.Type, weights.Bytes, outChannels),
            Input = new(x.Bytes.Type.Element == ElementType.Int8, x.Quantization.ZeroPoint),
            Factors = [1],
            Output = new(Requantization.Float, true, 0, 0, 0),
        }.LargestSums(outChannels);
        for (var o = 0; o < outChannels; o++)
        {
            var unit = (double)x.Quantization.Scale * scales.Scales[scales.IsPerTensor ? 0 : o];
            var number = numbers.Length == 0 ? 0 : Math.Round(numbers[o] / unit);
            if (!(Math.Abs(number) + largest[o] <= int.MaxValue))
                return false;
            integers[o] = (int)number;
        }

        if (numbers.Length > 0)
            sums = TensorData.Create(integers, outChannels);
        return true;
    }

    private static double[]? Numbers(Value bias, int count)
    {
        if (bias.Constant is { Values: float[] floats })
            return Array.ConvertAll(floats, number => (double)number);
        if (DequantizedConstant.Of(bias) is not { } constant || constant.Numbers.Values.Length != count)
            return null;
        var numbers = new double[count];
        for (var o = 0; o < count; o++)
        {
            var channel = constant.Scales.Length == 1 ? 0 : o;
            numbers[o] =
                (Convert.ToDouble(constant.Numbers.Values.GetValue(o), null) - constant.ZeroPoints[channel]) * constant.Scales[channel];
        }

        return numbers;
    }
}
