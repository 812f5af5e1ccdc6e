using System.Numerics;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The mean or the sum of quantized bytes or int16 over some axes: the sums of the distances from zero, times one fixed-point factor that
/// holds the ratio of the scales and, for a mean, the division by the number of elements.
/// </summary>
internal sealed unsafe class TFLiteMeanOperator(int[] axes, bool keepDimensions, Quantization output, bool isSum = false)
    : QuantizedOperator
{
    // Rows up to here are joined to be added up.
    private const int ShortRow = 256;

    public override string Kind => isSum ? "QuantizedSum" : "QuantizedMean";

    public ReadOnlySpan<int> Axes => axes;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = QuantizedTypes.RequiredAny(inputs, 0, "input");
        QuantizedTypes.CheckPerTensor(output, input.Element, "output");
        foreach (var axis in axes)
        {
            if (axis < 0 || axis >= input.Shape.Rank)
                throw new ArgumentException($"Axis {axis} is not one of the input {input.Shape}.");
        }

        var kept = Kept(input.Shape);
        _ = Multiplier(input, Count(input));
        if (keepDimensions)
            return [new(input.Element, kept, output)];
        var lengths = new List<int>();
        for (var d = 0; d < kept.Rank; d++)
        {
            if (!axes.Contains(d))
                lengths.Add(kept[d]);
        }

        return [new(input.Element, new TensorShape([.. lengths]), output)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Inputs[0]!.Shape.ElementCount);

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType)
    {
        var (input, count) = (inputs[0], Count(inputs[0]));
        return new MeanStep(
            new BroadcastRows(input.Shape, Kept(input.Shape)),
            input,
            Multiplier(input, count),
            (int)(input.Quantization!.ZeroPoint * count),
            output.ZeroPoint,
            (int)outputType.Shape.ElementCount);
    }

    private TensorShape Kept(TensorShape shape)
    {
        var lengths = shape.Lengths.ToArray();
        foreach (var axis in axes)
            lengths[axis] = 1;
        return new TensorShape(lengths);
    }

    // Elements that one mean is taken over.
    private long Count(TensorType input)
    {
        // Their sum must fit 32 bits.
        var (shape, most) = (input.Shape, int.MaxValue / (input.Element == ElementType.Int16 ? 1 << 15 : byte.MaxValue));
        long count = 1;
        for (var d = 0; d < shape.Rank; d++)
            count *= axes.Contains(d) ? shape[d] : 1;
        return count > 0 && count <= most
            ? count
            : throw new ArgumentException(
                $"{Kind} is over {count} elements of {shape}; 1 to {most} are supported.");
    }

    private FixedPointMultiplier Multiplier(TensorType input, long count)
    {
        var scales = QuantizedTypes.Multiplier((double)input.Quantization!.Scale / output.Scale);
        if (isSum)
            return scales;

        // The division goes into the mantissa, which is shifted left first by what the count leaves free.
        var shift = Math.Min(63 - BitOperations.LeadingZeroCount((ulong)count), 31 + scales.Shift);
        return new((int)(((long)scales.Mantissa << shift) / count), scales.Shift - shift);
    }

    private sealed class MeanStep(
        BroadcastRows rows, TensorType input, FixedPointMultiplier multiplier, int zeroSum, int zeroPoint, int outputs) : Step
    {
        public override long ScratchBytes => (long)outputs * sizeof(int);

        public override void Run(ForwardContext context)
        {
            var sums = new Span<int>(context.Scratch, outputs);
            sums.Clear();
            if (input.Element == ElementType.Int16)
                SumWide(context.Inputs[0].Span<short>(), sums);
            else
                SumBytes((byte*)context.Inputs[0].Memory, (int*)context.Scratch);

            var (least, most) = QuantizedTypes.Range(input.Element);
            for (var i = 0; i < sums.Length; i++)
                sums[i] = Math.Clamp(multiplier.Multiply(sums[i] - zeroSum) + zeroPoint, least, most);
            if (input.Element == ElementType.Int16)
                Store(sums, context.Outputs[0].Span<short>());
            else
                Store(sums, context.Outputs[0].Bytes());
        }

        private static void Store<T>(ReadOnlySpan<int> numbers, Span<T> y)
            where T : unmanaged, IBinaryInteger<T>
        {
            for (var i = 0; i < y.Length; i++)
                y[i] = T.CreateTruncating(numbers[i]);
        }

        private void SumWide(ReadOnlySpan<short> x, Span<int> sums)
        {
            for (var row = 0; row < rows.Rows; row++)
            {
                var (from, to) = rows.Row(row);
                foreach (var value in x.Slice(from, rows.RowLength))
                {
                    sums[to] += value;
                    to += rows.SecondStep;
                }
            }
        }

        private void SumBytes(byte* x, int* sums)
        {
            var isSigned = input.Element == ElementType.Int8;
            if (rows.SecondStep == 1 && rows.Repeated == RepeatedOperand.Second && rows.RowLength <= ShortRow)
            {
                SumShortRows(x, sums, isSigned);
                return;
            }

            for (var row = 0; row < rows.Rows; row++)
            {
                var (from, to) = rows.Row(row);
                if (rows.SecondStep == 0)
                    sums[to] += BytePoolLoop.Sum(x + from, isSigned, rows.RowLength);
                else
                    BytePoolLoop.Add(x + from, isSigned, sums + to, rows.RowLength);
            }
        }

        // Many short rows one after another are long ones to add up; their parts are what is wanted.
        private void SumShortRows(byte* x, int* sums, bool isSigned)
        {
            var joined = stackalloc int[ShortRow];
            var period = rows.RowLength;
            var together = ShortRow / period * period;
            for (var block = 0; block < rows.Rows; block += rows.RepeatedRows)
            {
                var (from, to) = rows.Row(block);
                new Span<int>(joined, together).Clear();
                var length = rows.RepeatedRows * (nint)period;
                for (nint at = 0; at < length; at += together)
                    BytePoolLoop.Add(x + from + at, isSigned, joined, (int)Math.Min(together, length - at));
                for (var i = 0; i < together; i++)
                    sums[to + (i % period)] += joined[i];
            }
        }
    }
}
