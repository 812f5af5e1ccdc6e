using System.Numerics;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// e^(beta*x) / the sum of those, along the last axis, of quantized int16, as TensorFlow Lite's reference kernel computes it: both
/// functions from tables of 513 numbers, between which it interpolates. What is 10 and more below a row's maximum counts as 10. The output
/// has scale 1/32768 and zero point 0.
/// </summary>
internal sealed class TFLiteWideSoftmaxOperator(float beta, Quantization output) : QuantizedOperator
{
    private const int Steps = 512;
    private const int Values = 1 << 16;
    private const float Farthest = 10;

    public override string Kind => "QuantizedSoftmax";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = QuantizedTypes.RequiredWide(inputs, 0, "input");
        QuantizedTypes.CheckWide(output, "output");
        if (output.Scale != 1f / 32768)
            throw new ArgumentException($"The output has {output}; a softmax of int16 has scale 1/32768.");
        if (input.Shape.Rank == 0)
            throw new ArgumentException("The input is a scalar; softmax needs one dimension at least.");
        if (!float.IsFinite(beta) || beta <= 0)
            throw new ArgumentException(FormattableString.Invariant($"Softmax has beta {beta}; it must be finite and above 0."));
        _ = Distance(input.Quantization!);
        return [new(ElementType.Int16, input.Shape, output)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType)
    {
        // e^x of -10 to 0 and 1/(1 + x) of 0 to 1, both as fractions of 15 bits.
        var exponential = Table(10f / (Values - 1), short.MaxValue, MathF.Exp);
        var reciprocal = Table(1f / (Values - 1), short.MinValue, x => 1 / (1 + x));
        return new SoftmaxStep(exponential, reciprocal, Distance(inputs[0].Quantization!), inputs[0].Shape[^1]);
    }

    // What brings a distance from the maximum to 65535 for 10.
    private FixedPointMultiplier Distance(Quantization input) =>
        QuantizedTypes.Multiplier((double)input.Scale * beta / ((double)Farthest / (Values - 1)));

    // The function at 513 places of what 16 bits stand for. Each is moved by half of what a line to the next one errs in the middle.
    private static short[] Table(float scale, int zeroPoint, Func<float, float> function)
    {
        var (from, to) = (scale * (short.MinValue - zeroPoint), scale * (short.MaxValue - zeroPoint));
        var step = (to - from) / Steps;

        // 16 bits are 0 to 2.
        const float Unit = (Values - 1) / 2f;
        var table = new short[Steps + 1];
        for (var i = 0; i < Steps; i++)
        {
            var (here, middle, next) = (
                function(from + (i * step)), function(from + (i * step) + (step / 2)), function(from + ((i + 1) * step)));
            var sample = Round(here * Unit);
            var error = Round(((next * Unit) + sample) / 2) - Round(middle * Unit);
            table[i] = Clamped(sample - Round(error / 2));
        }

        table[Steps] = Clamped(Round(function(to) * Unit));
        return table;
    }

    private static float Round(float number) => MathF.Round(number, MidpointRounding.AwayFromZero);

    private static short Clamped(float number) => (short)Math.Clamp(number, short.MinValue, short.MaxValue);

    private sealed class SoftmaxStep(short[] exponential, short[] reciprocal, FixedPointMultiplier distance, int depth) : Step
    {
        public override void Run(ForwardContext context)
        {
            var x = context.Inputs[0].Span<short>();
            var y = context.Outputs[0].Span<short>();
            for (var start = 0; start < x.Length; start += depth)
                Row(x.Slice(start, depth), y.Slice(start, depth));
        }

        private void Row(ReadOnlySpan<short> x, Span<short> y)
        {
            var most = short.MinValue;
            foreach (var value in x)
                most = Math.Max(most, value);

            // Of the maximum it is nearly 1, so that the sum is not 0.
            long exact = 0;
            for (var i = 0; i < x.Length; i++)
            {
                y[i] = LookUp(exponential, Math.Clamp(distance.Multiply(x[i] - most) + short.MaxValue, short.MinValue, short.MaxValue));
                exact += y[i];
            }

            // The sum is brought to 1 .. 2, and what it is above 1 to all that 16 bits are.
            var sum = (int)Math.Min(exact, int.MaxValue);
            var headroom = BitOperations.LeadingZeroCount((uint)sum);
            var shifted = (int)((((long)sum << (headroom - 1)) + (1 << 13)) >> 14);
            var scale = LookUp(reciprocal, Math.Clamp(shifted - ((1 << 15) + (1 << 16)), short.MinValue, short.MaxValue));
            var shift = 31 - headroom;
            for (var i = 0; i < y.Length; i++)
                y[i] = (short)Math.Clamp((((long)y[i] * scale) + (1L << (shift - 1))) >> shift, 0, short.MaxValue);
        }

        private static short LookUp(short[] table, int value)
        {
            var place = 256 + (value >> 7);
            return (short)(table[place] + ((((table[place + 1] - table[place]) * (value & 127)) + 64) >> 7));
        }
    }
}
