using System.Numerics;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// y = (x - zeroPoint) * scale, as ONNX's DequantizeLinear: x of 8, 16 or 32 bits, scale one float32 or one for each index along the
/// axis, zero point as many of the input's type, or none for 0 -> float32 of the same shape.
/// </summary>
internal sealed class DequantizeLinearOperator(int axis) : Operator, INumberOperator
{
    public int Axis { get; } = axis;

    public override string Kind => "Dequantize";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = OperatorChecks.Required(inputs, 0, "input");
        if (x.Element != ElementType.Int32)
            LinearScale.Range(x.Element);
        LinearScale.Check(inputs, Axis, x.Element);
        return [new(ElementType.Float32, x.Shape)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    internal override void Forward(ForwardContext context) => ElementDispatch.Run(this, context.Inputs[0].Type.Element, context);

    unsafe void INumberOperator.Run<T>(ForwardContext context)
    {
        var (x, scale, zeroPoint) = (context.Inputs[0], context.Inputs[1], context.Optional(2));
        var scales = (int)scale.Shape.ElementCount;
        ElementParts.Run(
            new Work<T>
            {
                X = x.Pointer<T>(),
                Y = context.Outputs[0].Pointer<float>(),
                Scales = scale.Pointer<float>(),
                ZeroPoints = zeroPoint.IsPresent ? zeroPoint.Pointer<T>() : null,
                Count = scales,
                RunLength = LinearScale.RunLength(x.Shape, scales, Axis),
            },
            x.Shape.ElementCount,
            1,
            context.Threads);
    }

    private unsafe struct Work<T> : IRangeWork
        where T : unmanaged, INumber<T>
    {
        public T* X;
        public float* Y;
        public float* Scales;
        public T* ZeroPoints;
        public int Count;
        public long RunLength;

        public readonly void Run(nint start, nint end)
        {
            if (RunLength == 1 && Count > 1)
            {
                RunColumns(start, end);
                return;
            }

            while (start < end)
            {
                var run = start / (nint)RunLength;
                var index = (int)(run % Count);
                var stop = Math.Min(end, (run + 1) * (nint)RunLength);
                var scale = Scales[index];
                var zeroPoint = ZeroPoints == null ? 0 : long.CreateTruncating(ZeroPoints[index]);
                if (sizeof(T) == 1)
                {
                    LinearBytes.Dequantize(
                        (byte*)X + start, Y + start, stop - start, new(typeof(T) == typeof(sbyte), scale, (int)zeroPoint));
                    start = stop;
                    continue;
                }

                for (; start < stop; start++)
                    Y[start] = (long.CreateTruncating(X[start]) - zeroPoint) * scale;
            }
        }

        // A scale for each number of a row.
        private readonly void RunColumns(nint start, nint end)
        {
            var index = (int)(start % Count);
            for (; start < end; start++)
            {
                var zeroPoint = ZeroPoints == null ? 0 : long.CreateTruncating(ZeroPoints[index]);
                Y[start] = (long.CreateTruncating(X[start]) - zeroPoint) * Scales[index];
                if (++index == Count)
                    index = 0;
            }
        }
    }
}
