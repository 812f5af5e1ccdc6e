using System.Numerics;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// y = saturate(round(x / scale) + zeroPoint), half to even, as ONNX's QuantizeLinear: x float32 or int32, scale one float32 or one for
/// each index along the axis, zero point as many of the output's type, or none for 0. NaN becomes the zero point.
/// </summary>
internal sealed class QuantizeLinearOperator(ElementType element, int axis) : Operator, INumberOperator
{
    public ElementType Element { get; } = element;

    public int Axis { get; } = axis;

    public override string Kind => "Quantize";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        LinearScale.Range(Element);
        LinearScale.Check(inputs, Axis, Element);
        var x = inputs[0]!;
        return x.Element is ElementType.Float32 or ElementType.Int32
            ? [new(Element, x.Shape)]
            : throw new ArgumentException($"The input is {x}; expected float32 or int32.");
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    internal override void Forward(ForwardContext context) => ElementDispatch.Run(this, Element, context);

    void INumberOperator.Run<T>(ForwardContext context)
    {
        if (context.Inputs[0].Type.Element == ElementType.Float32)
            Run<float, T>(context);
        else
            Run<int, T>(context);
    }

    private unsafe void Run<TIn, T>(ForwardContext context)
        where TIn : unmanaged, INumber<TIn>
        where T : unmanaged, INumber<T>
    {
        var (x, scale, zeroPoint) = (context.Inputs[0], context.Inputs[1], context.Optional(2));
        var (least, greatest) = LinearScale.Range(Element);
        var scales = (int)scale.Shape.ElementCount;
        ElementParts.Run(
            new Work<TIn, T>
            {
                X = x.Pointer<TIn>(),
                Y = context.Outputs[0].Pointer<T>(),
                Scales = scale.Pointer<float>(),
                ZeroPoints = zeroPoint.IsPresent ? zeroPoint.Pointer<T>() : null,
                Count = scales,
                RunLength = LinearScale.RunLength(x.Shape, scales, Axis),
                Least = least,
                Greatest = greatest,
            },
            x.Shape.ElementCount,
            1,
            context.Threads);
    }

    private unsafe struct Work<TIn, T> : IRangeWork
        where TIn : unmanaged, INumber<TIn>
        where T : unmanaged, INumber<T>
    {
        public TIn* X;
        public T* Y;
        public float* Scales;
        public T* ZeroPoints;
        public int Count;
        public long RunLength;
        public float Least;
        public float Greatest;

        public readonly void Run(nint start, nint end)
        {
            while (start < end)
            {
                var run = start / (nint)RunLength;
                var index = (int)(run % Count);
                var stop = Math.Min(end, (run + 1) * (nint)RunLength);
                var scale = Scales[index];
                var zeroPoint = ZeroPoints == null ? 0f : float.CreateTruncating(ZeroPoints[index]);
                if (typeof(TIn) == typeof(float) && sizeof(T) == 1)
                {
                    var output = new LinearByte(typeof(T) == typeof(sbyte), scale, (int)zeroPoint);
                    LinearBytes.Quantize<LinearBytes.HalfToEven>(
                        (float*)X + start, (byte*)Y + start, stop - start, output, (int)Least, (int)Greatest);
                    start = stop;
                    continue;
                }

                for (; start < stop; start++)
                {
                    // The largest zero point and every bound are exact in float32, and so is the sum of what they leave.
                    var value = MathF.Round(float.CreateTruncating(X[start]) / scale) + zeroPoint;
                    Y[start] = float.IsNaN(value)
                        ? T.CreateTruncating(zeroPoint)
                        : T.CreateTruncating((int)Math.Clamp(value, Least, Greatest));
                }
            }
        }
    }
}
