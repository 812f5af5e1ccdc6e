using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The exact sums of a product of matrices of bytes, as ONNX's MatMulInteger: a (..., M, K), b (..., K, N), int8 or uint8, zero points of a
/// and b, each left out or of the operand's type -> int32 (..., M, N), y[m,n] = sum over k of (a[m,k] - aZero[m]) * (b[k,n] - bZero[n]).
/// The zero points are one number, one for each row (M) or column (N), or one for each row or column of every matrix, (..., M, 1) or
/// (..., 1, N). The dimensions in front broadcast.
/// </summary>
internal sealed unsafe class IntegerMatMulOperator : Operator
{
    public override string Kind => "IntegerMatMul";

    internal override InputRole RoleOf(int input, TensorType type) => input == 1 ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (a, b) = (OperatorChecks.Required(inputs, 0, "first matrix"), OperatorChecks.Required(inputs, 1, "second matrix"));
        OperatorChecks.Takes(a.Element.IsByte(), a, "int8 or uint8");
        OperatorChecks.Takes(b.Element.IsByte(), b, "int8 or uint8");
        if (a.Shape.Rank < 2 || b.Shape.Rank < 2 || a.Shape[^1] != b.Shape[^2] || a.Shape[^1] == 0 || b.Shape[^1] == 0)
            throw new ArgumentException($"The matrices are {a} and {b}; expected (..., M, K) and (..., K, N), K and N above 0.");
        CheckZeroPoint(inputs, 2, a, a.Shape.Rank - 2);
        CheckZeroPoint(inputs, 3, b, b.Shape.Rank - 1);
        var batch = TensorShapes.Broadcast(Batch(a.Shape), Batch(b.Shape));
        return [new(ElementType.Int32, new TensorShape([.. batch.Lengths, a.Shape[^2], b.Shape[^1]]))];
    }

    internal override OperatorCost Cost(Node node) =>
        new(checked(node.Outputs[0].Type.Shape.ElementCount * node.Inputs[0]!.Shape[^1]));

    internal override Step Prepare(Node node)
    {
        var (b, zeroPoint) = (node.Inputs[1]!, node.Inputs.Count > 3 ? node.Inputs[3] : null);
        if (b.Constant is null || zeroPoint is { IsConstant: false })
            return new ForwardStep(this);
        fixed (byte* bytes = b.Constant.Bytes, zeros = zeroPoint is null ? default : zeroPoint.Constant!.Bytes)
        {
            return Create(
                node.Inputs[0]!.Type, new(b.Type, bytes), zeroPoint is null ? default : new TensorBuffer(zeroPoint.Type, zeros));
        }
    }

    internal override void Forward(ForwardContext context) =>
        Create(context.Inputs[0].Type, context.Inputs[1], context.Optional(3)).Run(context);

    private static TensorShape Batch(TensorShape shape) => new(shape.Lengths[..^2]);

    private static void CheckZeroPoint(ReadOnlySpan<TensorType?> inputs, int index, TensorType matrix, int along)
    {
        if (inputs.Length <= index || inputs[index] is not { } zeroPoint)
            return;
        var lengths = matrix.Shape.Lengths.ToArray();
        lengths[along == lengths.Length - 1 ? ^2 : ^1] = 1;
        var fits = zeroPoint.Shape.ElementCount == 1
            || (zeroPoint.Shape.Rank == 1 && zeroPoint.Shape[0] == lengths[along])
            || zeroPoint.Shape == new TensorShape(lengths);
        if (!fits || zeroPoint.Element != matrix.Element)
        {
            throw new ArgumentException(
                $"The zero point of the matrix {matrix} is {zeroPoint}; "
                + $"expected one number of its type, {lengths[along]} of them, or {new TensorShape(lengths)}.");
        }
    }

    // The weights of every matrix of b less their zero points, packed.
    private static Step Create(TensorType a, TensorBuffer b, TensorBuffer zeroPoint)
    {
        var (depth, columns) = (b.Shape[^2], b.Shape[^1]);
        var matrices = b.Shape.ElementCount / depth / columns;
        var perMatrix = zeroPoint.IsPresent && zeroPoint.Shape.Rank > 1 && zeroPoint.Shape.ElementCount > 1;
        var zeros = ZeroPoints.Of(zeroPoint);
        var products = new IntegerProduct[matrices];
        for (nint i = 0; i < products.Length; i++)
        {
            var bytes = (byte*)b.Memory + (i * depth * columns);
            products[i] = IntegerProduct.Of(a.Element, bytes, b.Type.Element, depth, columns, zeros.From(perMatrix ? i * columns : 0));
        }

        return new MatMulStep(new BroadcastRows(Batch(a.Shape), Batch(b.Shape)), products, a.Shape[^2], depth);
    }

    /// <summary>One matrix of weights, packed, and its columns.</summary>
    private sealed class IntegerProduct(QuantizedConvLoop loop, IntegerColumns columns, int outputs)
    {
        public static IntegerProduct Of(ElementType input, byte* weights, ElementType element, int depth, int columns, ZeroPoints zeros)
        {
            var numbers = new short[checked(depth * columns)];
            for (var i = 0; i < numbers.Length; i++)
                numbers[i] = (short)(QuantizedTypes.Value(weights[i], element) - zeros[i % columns]);
            var layer = new QuantizedLayer
            {
                Weights = numbers,
                Input = new(input == ElementType.Int8, 0),
                Factors = [1],
                Output = IntegerConv2DOperator.Sums,
            };
            return new(
                new QuantizedConvLoop(layer, 1, depth, columns, 1, SimdWidths.Best), IntegerColumns.Of(numbers, columns), columns);
        }

        public void Run(byte* a, int* y, nint rows, ZeroPoints zeroPoints, int threads)
        {
            loop.RunPointwise(a, (byte*)y, rows, threads);
            columns.Correct(y, rows, zeroPoints, threads);
        }

        public int Outputs => outputs;
    }

    private sealed class MatMulStep(BroadcastRows batches, IntegerProduct[] products, int rows, int depth) : Step
    {
        public override bool Reads(int input) => input is 0 or 2;

        public override void Run(ForwardContext context)
        {
            var a = (byte*)context.Inputs[0].Memory;
            var y = (int*)context.Outputs[0].Memory;
            var zeroPoint = context.Optional(2);
            var zeros = ZeroPoints.Of(zeroPoint);
            var count = batches.Shape.ElementCount;
            if (rows == 0 || count == 0)
                return;

            // Where all matrices meet the same second one, they are one matrix of all their rows.
            if (products.Length == 1 && !(zeroPoint.IsPresent && zeroPoint.Shape.Rank == 1 && zeroPoint.Shape.ElementCount > 1))
            {
                products[0].Run(a, y, checked((nint)(count * rows)), zeros, context.Threads);
                return;
            }

            var perMatrix = zeroPoint.IsPresent && zeroPoint.Shape.Rank > 1;
            foreach (var (at, first, second, length) in batches.Parts(0, (nint)count))
            {
                for (nint i = 0; i < length; i++)
                {
                    var matrix = first + (i * batches.FirstStep);
                    var product = products[second + (i * batches.SecondStep)];
                    var target = y + ((at + i) * rows * product.Outputs);
                    product.Run(a + (matrix * rows * depth), target, rows, zeros.From(perMatrix ? matrix * rows : 0), context.Threads);
                }
            }
        }
    }
}
