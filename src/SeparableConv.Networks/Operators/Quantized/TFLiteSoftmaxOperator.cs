using System.Numerics;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// e^(beta*x) / the sum of those, along the last axis, of quantized bytes, in 32-bit fixed point. The output has scale 1/256 and the
/// least number of its element for 0.
/// </summary>
internal sealed class TFLiteSoftmaxOperator(float beta, Quantization output) : QuantizedOperator
{
    private const int InputIntegerBits = 31 - FixedPointExponential.InputFraction;
    private const int SumIntegerBits = 12;

    public override string Kind => "QuantizedSoftmax";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = QuantizedTypes.Required(inputs, 0, "input");
        var least = QuantizedTypes.Range(input.Element).Least;
        if (!output.IsPerTensor || output.Scale != 1f / 256 || output.ZeroPoint != least)
        {
            throw new ArgumentException(
                $"The output has {output}; "
                + $"a softmax of {input.Element.ToString().ToLowerInvariant()} has scale 1/256 and zero point {least}.");
        }

        if (input.Shape.Rank == 0)
            throw new ArgumentException("The input is a scalar; softmax needs one dimension at least.");
        _ = Exponentials(input.Quantization!);
        return [new(input.Element, input.Shape, output)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType)
    {
        var (exponentials, depth) = (Exponentials(inputs[0].Quantization!), inputs[0].Shape[^1]);
        return inputs[0].Element == ElementType.Int8
            ? new SoftmaxStep<sbyte>(exponentials, depth)
            : new SoftmaxStep<byte>(exponentials, depth);
    }

    // e^-(d*scale*beta) in Q0.31 for each distance d of 0 to 255 from a row's maximum; -1 from where it no longer counts.
    private int[] Exponentials(Quantization input)
    {
        if (!float.IsFinite(beta) || beta <= 0)
            throw new ArgumentException(FormattableString.Invariant($"Softmax has beta {beta}; it must be finite and above 0."));
        var factor = Math.Min((double)beta * input.Scale * (1 << FixedPointExponential.InputFraction), int.MaxValue);
        var multiplier = FixedPointMultiplier.Create(factor);
        var radius = Math.Floor(((1 << InputIntegerBits) - 1) * Math.ScaleB(1, FixedPointExponential.InputFraction - multiplier.Shift));
        var exponentials = new int[256];
        for (var d = 0; d < 256; d++)
            exponentials[d] = d <= radius ? FixedPointExponential.OfNegative(multiplier.Multiply(-d)) : -1;
        return exponentials;
    }

    private sealed class SoftmaxStep<T>(int[] exponentials, int depth) : Step
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        public override void Run(ForwardContext context)
        {
            var x = context.Inputs[0].Span<T>();
            var y = context.Outputs[0].Span<T>();
            for (var start = 0; start < x.Length; start += depth)
                Row(x.Slice(start, depth), y.Slice(start, depth));
        }

        private void Row(ReadOnlySpan<T> x, Span<T> y)
        {
            var most = int.CreateTruncating(T.MinValue);
            foreach (var value in x)
                most = Math.Max(most, int.CreateTruncating(value));

            // The maximum itself adds 2^19, so that the sum is above 0; 2^12 and more of them no longer fit.
            long sum = 0;
            foreach (var value in x)
            {
                var e = exponentials[most - int.CreateTruncating(value)];
                sum += e < 0 ? 0 : FixedPointMultiplier.DivideByPowerOfTwo(e, SumIntegerBits);
            }

            var scale = FixedPointExponential.Reciprocal((int)Math.Min(sum, int.MaxValue), SumIntegerBits, out var bits);
            var (least, greatest) = (int.CreateTruncating(T.MinValue), int.CreateTruncating(T.MaxValue));
            for (var i = 0; i < x.Length; i++)
            {
                var e = exponentials[most - int.CreateTruncating(x[i])];
                var share = e < 0
                    ? 0
                    : FixedPointMultiplier.DivideByPowerOfTwo(FixedPointMultiplier.DoublingHighMultiply(scale, e), bits + 31 - 8);
                y[i] = T.CreateTruncating(Math.Clamp(share + least, least, greatest));
            }
        }
    }
}
