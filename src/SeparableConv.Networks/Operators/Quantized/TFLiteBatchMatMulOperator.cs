using System.Numerics;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Matrix products of quantized bytes: a (..., M, K), b (..., K, N) -> (..., M, N), the leading dimensions broadcast. The sums of the
/// products of the distances from zero, brought to the output's scale.
/// </summary>
internal sealed unsafe class TFLiteBatchMatMulOperator(Quantization output) : QuantizedOperator
{
    public override string Kind => "QuantizedMatMul";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (a, b) = QuantizedTypes.RequiredPair(inputs, "left matrix", "right matrix");
        QuantizedTypes.CheckPerTensor(output, a.Element, "output");
        if (a.Shape.Rank < 2 || b.Shape.Rank < 2 || a.Shape[^1] != b.Shape[^2])
        {
            throw new ArgumentException(
                $"The matrices are {a.Shape} and {b.Shape}; "
                + "expected 2 dimensions at least, and as many columns on the left as rows on the right.");
        }

        _ = Multiplier(a, b);
        var batch = TensorShapes.Broadcast(Batch(a.Shape), Batch(b.Shape));
        return [new(a.Element, new TensorShape([.. batch.Lengths, a.Shape[^2], b.Shape[^1]]), output)];
    }

    internal override OperatorCost Cost(Node node) => new(node.Outputs[0].Shape.ElementCount * node.Inputs[0]!.Shape[^1]);

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType)
    {
        var multiplier = Multiplier(inputs[0], inputs[1]);
        return inputs[0].Element == ElementType.Int8
            ? new ProductStep<sbyte>(inputs[0], inputs[1], multiplier, output.ZeroPoint)
            : new ProductStep<byte>(inputs[0], inputs[1], multiplier, output.ZeroPoint);
    }

    private static TensorShape Batch(TensorShape shape) => new(shape.Lengths[..^2]);

    // The scales are multiplied in single precision, as in the reference.
    private FixedPointMultiplier Multiplier(TensorType a, TensorType b) =>
        QuantizedTypes.Multiplier((double)(a.Quantization!.Scale * b.Quantization!.Scale) / output.Scale);

    private sealed class ProductStep<T>(TensorType a, TensorType b, FixedPointMultiplier multiplier, int zeroPoint) : Step
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        private readonly BroadcastRows _batch = new(Batch(a.Shape), Batch(b.Shape));
        private readonly int _rows = a.Shape[^2];
        private readonly int _depth = a.Shape[^1];
        private readonly int _columns = b.Shape[^1];
        private readonly int _zeroA = a.Quantization!.ZeroPoint;
        private readonly int _zeroB = b.Quantization!.ZeroPoint;

        public override void Run(ForwardContext context)
        {
            var work = new Work
            {
                Step = this,
                A = context.Inputs[0].Pointer<T>(),
                B = context.Inputs[1].Pointer<T>(),
                Y = context.Outputs[0].Pointer<T>(),
            };
            ElementParts.Run(work, (long)_batch.Rows * _batch.RowLength * _rows, (long)_depth * _columns, context.Threads);
        }

        // A row of the left matrix times some columns of the right one, which are side by side.
        private void Columns(T* left, T* right, T* y, Span<int> sums)
        {
            var (zeroA, zeroB) = (_zeroA, _zeroB);
            sums.Clear();
            for (var k = 0; k < _depth; k++, right += _columns)
            {
                var value = int.CreateTruncating(left[k]) - zeroA;
                for (var n = 0; n < sums.Length; n++)
                    sums[n] += value * (int.CreateTruncating(right[n]) - zeroB);
            }

            var (least, most) = (int.CreateTruncating(T.MinValue), int.CreateTruncating(T.MaxValue));
            for (var n = 0; n < sums.Length; n++)
                y[n] = T.CreateTruncating(Math.Clamp(multiplier.Multiply(sums[n]) + zeroPoint, least, most));
        }

        private struct Work : IRangeWork
        {
            public ProductStep<T> Step;
            public T* A;
            public T* B;
            public T* Y;

            public readonly void Run(nint start, nint end)
            {
                var (rows, depth, columns) = (Step._rows, Step._depth, Step._columns);
                const int Most = 256;
                var sums = stackalloc int[Most];
                for (var i = start; i < end; i++)
                {
                    var (product, row) = Math.DivRem(i, rows);
                    var (batch, within) = Math.DivRem((int)product, Step._batch.RowLength);
                    var (first, second) = Step._batch.Row(batch);
                    var a = A + ((((nint)first + (within * Step._batch.FirstStep)) * rows * depth) + (row * depth));
                    var b = B + (((nint)second + (within * Step._batch.SecondStep)) * depth * columns);
                    for (var n = 0; n < columns; n += Most)
                        Step.Columns(a, b + n, Y + (i * columns) + n, new Span<int>(sums, Math.Min(Most, columns - n)));
                }
            }
        }
    }
}
