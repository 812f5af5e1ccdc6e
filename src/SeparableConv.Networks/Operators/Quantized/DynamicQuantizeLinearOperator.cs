using System.Numerics;
using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Quantizes float32 numbers by their own range, as ONNX's DynamicQuantizeLinear: x -> y of uint8, scale, zero point, with least = min(0,
/// min x), most = max(0, max x), scale = (most - least) / 255, or 1 where both are 0, zeroPoint = saturate(round(0 - least / scale)), and
/// y = saturate(round(x / scale) + zeroPoint), half to even.
/// </summary>
internal sealed unsafe class DynamicQuantizeLinearOperator : QuantizedOperator
{
    // A block's least and most numbers are found by one thread.
    private const int BlockElements = 16 * 1024;

    public override string Kind => "DynamicQuantize";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = OperatorChecks.Required(inputs, 0, "input");
        OperatorChecks.Takes(x.Element == ElementType.Float32, x, "float32");
        return [new(ElementType.UInt8, x.Shape), new(ElementType.Float32, default), new(ElementType.UInt8, default)];
    }

    internal override OperatorCost Cost(Node node) => new(0, 2 * node.Outputs[0].Type.Shape.ElementCount);

    private protected override Step Prepare(TensorType[] inputs, TensorType output) => new QuantizeStep(inputs[0].Shape.ElementCount);

    /// <summary>The scale and zero point for numbers of a range that has 0 in it.</summary>
    private static (float Scale, byte ZeroPoint) Scale(float least, float most)
    {
        var scale = least == most ? 1 : (most - least) / byte.MaxValue;
        var zeroPoint = MathF.Round(Math.Clamp(0 - (least / scale), 0, byte.MaxValue));
        return (scale, (byte)zeroPoint);
    }

    private sealed class QuantizeStep(long count) : Step
    {
        private readonly nint _blocks = (nint)((count + BlockElements - 1) / BlockElements);

        public override long ScratchBytes => 2 * sizeof(float) * _blocks;

        public override void Run(ForwardContext context)
        {
            var x = context.Inputs[0].Pointer<float>();
            var least = (float*)context.Scratch;
            var most = least + _blocks;
            ElementParts.Run(
                new RangeWork { X = x, Count = (nint)count, Least = least, Most = most }, _blocks, BlockElements, context.Threads);
            var (scale, zeroPoint) = count == 0 ? (1, 0) : Scale(
                TensorPrimitives.Min(new ReadOnlySpan<float>(least, (int)_blocks)),
                TensorPrimitives.Max(new ReadOnlySpan<float>(most, (int)_blocks)));
            *context.Outputs[1].Pointer<float>() = scale;
            *context.Outputs[2].Pointer<byte>() = zeroPoint;
            var work = new QuantizeWork { X = x, Y = context.Outputs[0].Pointer<byte>(), Output = new(false, scale, zeroPoint) };
            ElementParts.Run(work, count, 1, context.Threads);
        }
    }

    private struct RangeWork : IRangeWork
    {
        public float* X;
        public nint Count;
        public float* Least;
        public float* Most;

        public readonly void Run(nint start, nint end)
        {
            for (var block = start; block < end; block++)
            {
                var first = block * BlockElements;
                (Least[block], Most[block]) = Range(X + first, Math.Min(BlockElements, Count - first));
            }
        }

        // Both in one pass over memory, and together with 0, which belongs to every range.
        private static (float Least, float Most) Range(float* numbers, nint count)
        {
            var (lows, highs) = (Vector<float>.Zero, Vector<float>.Zero);
            var (otherLows, otherHighs) = (lows, highs);
            nint i = 0;
            for (; i <= count - (2 * Vector<float>.Count); i += 2 * Vector<float>.Count)
            {
                var (first, second) = (Vector.Load(numbers + i), Vector.Load(numbers + i + Vector<float>.Count));
                lows = Vector.MinNative(first, lows);
                highs = Vector.MaxNative(first, highs);
                otherLows = Vector.MinNative(second, otherLows);
                otherHighs = Vector.MaxNative(second, otherHighs);
            }

            (lows, highs) = (Vector.MinNative(otherLows, lows), Vector.MaxNative(otherHighs, highs));
            var (least, most) = (0f, 0f);
            for (var lane = 0; lane < Vector<float>.Count; lane++)
                (least, most) = (MathF.Min(least, lows[lane]), MathF.Max(most, highs[lane]));

            // As the vectors do: what is no number is passed over.
            for (; i < count; i++)
            {
                least = numbers[i] < least ? numbers[i] : least;
                most = numbers[i] > most ? numbers[i] : most;
            }

            return (least, most);
        }
    }

    private struct QuantizeWork : IRangeWork
    {
        public float* X;
        public byte* Y;
        public LinearByte Output;

        public readonly void Run(nint start, nint end) =>
            LinearBytes.Quantize<LinearBytes.HalfToEven>(X + start, Y + start, end - start, Output, byte.MinValue, byte.MaxValue);
    }
}
