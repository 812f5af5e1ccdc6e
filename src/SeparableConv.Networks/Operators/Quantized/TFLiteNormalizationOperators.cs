using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// x / |x| along the last axis, of quantized bytes, |x| being the root of the sum of squares: 1/|x| in 31 bits. The output has scale 1/128.
/// </summary>
internal sealed class TFLiteL2NormalizationOperator(Quantization output) : TFLiteRowOperator
{
    private const int OutputBits = 7;

    public override string Kind => "QuantizedL2Normalization";

    private protected override TensorType Output(TensorType input)
    {
        var middle = input.Element == ElementType.Int8 ? 0 : 128;
        return output is { IsPerTensor: true, Scale: 1f / (1 << OutputBits) } && output.ZeroPoint == middle
            ? input with { Quantization = output }
            : throw new ArgumentException($"The output has {output}; an L2 normalization has scale 1/128 and zero point {middle}.");
    }

    private protected override RowFunction Function(TensorType input)
    {
        var (zero, middle) = (input.Quantization!.ZeroPoint, output.ZeroPoint);
        var isSigned = input.Element == ElementType.Int8;
        return (x, y) =>
        {
            var sum = 0;
            foreach (var value in x)
                sum += (value - zero) * (value - zero);
            var inverse = FixedPointRoot.Inverse(sum);

            // int8 has the 7 bits in the multiplier's shift, uint8 in what is multiplied.
            var scaled = isSigned ? inverse with { Shift = inverse.Shift + OutputBits } : inverse;
            for (var i = 0; i < x.Length; i++)
                y[i] = scaled.Multiply((x[i] - zero) << (isSigned ? 0 : OutputBits)) + middle;
        };
    }
}

/// <summary>
/// x - log(the sum of e^x) along the last axis, of quantized bytes, in 32-bit fixed point. The output has scale 1/16 and the greatest
/// number of its element for 0.
/// </summary>
internal sealed class TFLiteLogSoftmaxOperator(Quantization output) : TFLiteRowOperator
{
    private const int InputIntegerBits = 31 - FixedPointExponential.InputFraction;
    private const int SumIntegerBits = 12;
    private const int OutputIntegerBits = 4;

    public override string Kind => "QuantizedLogSoftmax";

    private protected override TensorType Output(TensorType input)
    {
        var most = QuantizedTypes.Range(input.Element).Most;
        return output is { IsPerTensor: true, Scale: 1f / 16 } && output.ZeroPoint == most
            ? input with { Quantization = output }
            : throw new ArgumentException($"The output has {output}; a log-softmax has scale 1/16 and zero point {most}.");
    }

    private protected override RowFunction Function(TensorType input)
    {
        var factor = Math.Min((double)input.Quantization!.Scale * (1 << FixedPointExponential.InputFraction), int.MaxValue);
        var multiplier = QuantizedTypes.Multiplier(factor);
        var back = QuantizedTypes.Multiplier(Math.ScaleB(1, 31 - multiplier.Shift) / multiplier.Mantissa);
        var unit = Math.ScaleB(1, FixedPointExponential.InputFraction - multiplier.Shift);
        var radius = (int)Math.Floor(((1 << InputIntegerBits) - 1) * unit);
        var least = QuantizedTypes.Range(input.Element).Least;
        return (x, y) =>
        {
            var most = int.MinValue;
            foreach (var value in x)
                most = Math.Max(most, value);
            // Above 0, as the largest adds 2^19; 2^12 and more of them no longer fit.
            long sum = 0;
            foreach (var value in x)
            {
                if (value - most >= -radius)
                {
                    var power = FixedPointExponential.OfNegative(multiplier.Multiply(value - most));
                    sum += FixedPointMultiplier.DivideByPowerOfTwo(power, SumIntegerBits);
                }
            }

            // What is so far below the largest that the logarithm takes it out of the range is the least number at once.
            var logarithm = FixedPointLogarithm.OfOneOrMore((int)Math.Min(sum, int.MaxValue), SumIntegerBits, InputIntegerBits);
            var bound = Math.Max(-radius - 1, back.Multiply(logarithm + int.MinValue));
            for (var i = 0; i < x.Length; i++)
            {
                const int Shift = 31 - InputIntegerBits - OutputIntegerBits;
                y[i] = x[i] - most > bound
                    ? FixedPointMultiplier.DivideByPowerOfTwo(multiplier.Multiply(x[i] - most) - logarithm, Shift) + output.ZeroPoint
                    : least;
            }
        };
    }
}

/// <summary>A function of rows along the last axis of quantized bytes, rows after rows.</summary>
internal abstract class TFLiteRowOperator : QuantizedOperator
{
    /// <summary>Makes a row of another; what leaves the element's range is clamped to it.</summary>
    private protected delegate void RowFunction(ReadOnlySpan<int> x, Span<int> y);

    internal sealed override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = QuantizedTypes.Required(inputs, 0, "input");
        if (input.Shape.Rank == 0)
            throw new ArgumentException($"The input is a scalar; {Kind} needs one dimension at least.");
        _ = Function(input);
        return [Output(input)];
    }

    internal sealed override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    /// <summary>The type of the output.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    private protected abstract TensorType Output(TensorType input);

    /// <summary>The function of a row of numbers as they lie in memory.</summary>
    private protected abstract RowFunction Function(TensorType input);

    private protected sealed override Step Prepare(TensorType[] inputs, TensorType output) =>
        new RowStep(Function(inputs[0]), inputs[0].Element, inputs[0].Shape[^1]);

    private sealed class RowStep(RowFunction function, ElementType element, int depth) : Step
    {
        public override long ScratchBytes => 2L * depth * sizeof(int);

        public override unsafe void Run(ForwardContext context)
        {
            var x = context.Inputs[0].Bytes();
            var y = context.Outputs[0].Bytes();
            var row = new Span<int>(context.Scratch, depth);
            var result = new Span<int>((int*)context.Scratch + depth, depth);
            var (least, most) = QuantizedTypes.Range(element);
            for (var start = 0; start < x.Length; start += depth)
            {
                for (var i = 0; i < depth; i++)
                    row[i] = QuantizedTypes.Value(x[start + i], element);
                function(row, result);
                for (var i = 0; i < depth; i++)
                    y[start + i] = (byte)Math.Clamp(result[i], least, most);
            }
        }
    }
}
