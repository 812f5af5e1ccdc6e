using System.Numerics;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// y = scale * (q - zeroPoint), computed in double precision and rounded to single: quantized numbers -> float32 of the same shape. Scale
/// and zero point are those of the input's type, one for the tensor or one for each index along an axis. An int32 bias is taken as well.
/// </summary>
internal sealed unsafe class TFLiteDequantizeOperator : QuantizedOperator
{
    public override string Kind => "Dequantize";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = OperatorChecks.Required(inputs, 0, "input");
        if (input.Quantization is not { } quantization)
            throw new ArgumentException("The input has no scale and zero point; dequantizing needs them.");
        if (input.Element is not (ElementType.Int8 or ElementType.UInt8 or ElementType.Int16 or ElementType.Int32))
            throw new ArgumentException($"The input is {input}; expected int8, uint8, int16 or int32.");
        if (!quantization.IsPerTensor
            && (quantization.Axis >= input.Shape.Rank || input.Shape[quantization.Axis] != quantization.Scales.Length))
            throw new ArgumentException($"The input {input} has {quantization}; there must be as many as the dimension is long.");
        return [new(ElementType.Float32, input.Shape)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    private protected override Step Prepare(TensorType[] inputs, TensorType output) => inputs[0].Element switch
    {
        ElementType.Int8 => new DequantizeStep<sbyte>(inputs[0]),
        ElementType.UInt8 => new DequantizeStep<byte>(inputs[0]),
        ElementType.Int16 => new DequantizeStep<short>(inputs[0]),
        _ => new DequantizeStep<int>(inputs[0]),
    };

    private sealed class DequantizeStep<T> : Step
        where T : unmanaged, IBinaryInteger<T>
    {
        private readonly Quantization _quantization;
        private readonly int _inner = 1;

        public DequantizeStep(TensorType input)
        {
            _quantization = input.Quantization!;
            for (var d = _quantization.IsPerTensor ? 0 : _quantization.Axis + 1; d < input.Shape.Rank; d++)
                _inner *= Math.Max(1, input.Shape[d]);
        }

        public override void Run(ForwardContext context)
        {
            if (_quantization.IsPerTensor && sizeof(T) < sizeof(int))
            {
                var work = new Work
                {
                    X = context.Inputs[0].Pointer<T>(),
                    Y = context.Outputs[0].Pointer<float>(),
                    Scale = _quantization.Scale,
                    ZeroPoint = _quantization.ZeroPoint,
                };
                ElementParts.Run(work, context.Inputs[0].Shape.ElementCount, 1, context.Threads);
                return;
            }

            var x = context.Inputs[0].Span<T>();
            var y = context.Outputs[0].Span<float>();
            var scales = _quantization.Scales;
            var zeroPoints = _quantization.ZeroPoints;
            for (var (start, index) = (0, 0); start < x.Length; start += _inner, index = index + 1 == scales.Length ? 0 : index + 1)
            {
                // Exact in double, so that it is rounded once.
                var (scale, zeroPoint) = ((double)scales[index], zeroPoints[index]);
                for (var i = start; i < start + _inner; i++)
                    y[i] = (float)(scale * (long.CreateTruncating(x[i]) - zeroPoint));
            }
        }

        // The distance from the zero point is exact in single precision too.
        private struct Work : IRangeWork
        {
            public T* X;
            public float* Y;
            public float Scale;
            public int ZeroPoint;

            public readonly void Run(nint start, nint end)
            {
                if (typeof(T) == typeof(short))
                {
                    LinearBytes.Dequantize((short*)X + start, Y + start, end - start, Scale, ZeroPoint);
                    return;
                }

                LinearBytes.Dequantize(
                    (byte*)X + start, Y + start, end - start, new(typeof(T) == typeof(sbyte), Scale, ZeroPoint));
            }
        }
    }
}
