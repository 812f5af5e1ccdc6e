using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The sum or product of two tensors of bytes with NumPy's broadcasting, all of int8 or all of uint8 with one scale each, as ONNX Runtime's
/// QLinearAdd and QLinearMul: y = saturate(round(real / scale + zeroPoint)), half to even, real = scaleA*(a - zeroA) + scaleB*(b - zeroB)
/// or the product of these.
/// </summary>
/// <remarks>
/// The scales' ratios are single-precision numbers. A sum is a*ratioA + (b*ratioB + fixed) with fused multiply-adds; where one number of a
/// serves a whole row, it is b*ratioB + (a*ratioA + fixed). A product is (a - zeroA)*(b - zeroB), which is exact, times one ratio, plus the
/// zero point.
/// </remarks>
internal sealed unsafe class QLinearBinaryOperator : QuantizedOperator, IPairOperator
{
    /// <param name="isProduct">Whether the operands are multiplied; else they are added.</param>
    /// <param name="output">The output's scale and zero point.</param>
    public QLinearBinaryOperator(bool isProduct, Quantization output) => (IsProduct, Output) = (isProduct, output);

    public override string Kind => IsProduct ? "QuantizedMul" : "QuantizedAdd";

    public bool IsProduct { get; }

    public Quantization Output { get; }

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (a, b) = QuantizedTypes.RequiredPair(inputs, "first operand", "second operand");
        QuantizedTypes.CheckPerTensor(Output, a.Element, "output");
        var formula = Formula(a, b);
        return float.IsFinite(formula.FactorA) && float.IsFinite(formula.FactorB) && float.IsFinite(formula.Fixed)
            ? [new(a.Element, TensorShapes.Broadcast(a.Shape, b.Shape), Output)]
            : throw new ArgumentException("The scales are so far apart that their ratio is not finite.");
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    public IByteRun PairRun(TensorType a, TensorType b, TensorType output) => Run(Formula(a, b), isTurned: false);

    private protected override Step Prepare(TensorType[] inputs, TensorType output)
    {
        var rows = new BroadcastRows(inputs[0].Shape, inputs[1].Shape);
        var formula = Formula(inputs[0], inputs[1]);
        var isTurned = !IsProduct && rows.FirstStep == 0 && rows.SecondStep == 1;
        if (isTurned)
            formula = formula with { FactorA = formula.FactorB, FactorB = formula.FactorA };
        return new ByteBinaryStep<IByteRun>(rows, Run(formula, isTurned));
    }

    private IByteRun Run(QLinearBytes.Formula formula, bool isTurned) => IsProduct
        ? new BinaryRun<QLinearBytes.Product>(formula, isTurned)
        : new BinaryRun<QLinearBytes.Sum>(formula, isTurned);

    private QLinearBytes.Formula Formula(TensorType first, TensorType second)
    {
        var isSigned = first.Element == ElementType.Int8;
        var (a, b, y) = (first.Quantization!, second.Quantization!, Output);
        if (IsProduct)
            return new(isSigned, a.Scale * b.Scale / y.Scale, 1, a.ZeroPoint, b.ZeroPoint, y.ZeroPoint);
        var (ratioA, ratioB) = (a.Scale / y.Scale, b.Scale / y.Scale);
        var zeros = MathF.FusedMultiplyAdd(ratioA, a.ZeroPoint, ratioB * b.ZeroPoint);
        return new(isSigned, ratioA, ratioB, 0, 0, y.ZeroPoint - zeros);
    }

    private readonly struct BinaryRun<TCombination>(QLinearBytes.Formula formula, bool isTurned) : IByteRun
        where TCombination : struct, QLinearBytes.ICombination
    {
        public void Run(byte* a, int stepA, byte* b, int stepB, byte* y, nint count)
        {
            if (isTurned)
                QLinearBytes.Run<TCombination>(b, stepB, a, stepA, y, count, formula);
            else
                QLinearBytes.Run<TCombination>(a, stepA, b, stepB, y, count, formula);
        }
    }
}
