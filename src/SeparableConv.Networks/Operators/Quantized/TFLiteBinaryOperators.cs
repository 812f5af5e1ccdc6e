using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// a + b or a - b of quantized bytes, with NumPy's broadcasting: both brought to half the larger scale with 20 bits after the binary
/// point, added, and brought to the output's scale within the clamp.
/// </summary>
internal sealed class TFLiteAddOperator(Quantization output, int clampMin, int clampMax, bool subtract) : QuantizedOperator, IPairOperator
{
    private const int FractionBits = 20;

    public override string Kind => subtract ? "QuantizedSub" : "QuantizedAdd";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (a, b) = QuantizedTypes.RequiredPair(inputs, "first operand", "second operand");
        QuantizedTypes.CheckPerTensor(output, a.Element, "output");
        _ = Multipliers(a, b);
        return [new(a.Element, TensorShapes.Broadcast(a.Shape, b.Shape), output)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    public IByteRun PairRun(TensorType a, TensorType b, TensorType outputType)
    {
        var (factorA, factorB, toOutput) = Multipliers(a, b);
        var first = Table(a, factorA);
        var second = Table(b, subtract ? factorB with { Mantissa = -factorB.Mantissa } : factorB);
        var largest = first.Max(number => Math.Abs((long)number)) + second.Max(number => Math.Abs((long)number));
        var exact = new TFLiteBinaryRun<TFLiteBinaryRun.Sum>(
            first, second, new TFLiteRequantizer(toOutput, largest, outputType.Element, output.ZeroPoint, (clampMin, clampMax)));
        return TFLiteBinaryRun.IsWorthFitting(outputType)
            && BytePairFit.Sum(Formula(a, b), TFLiteBinaryRun.AllPairs(exact), SimdWidths.Best) is { } formula
            ? new FittedRun<BytePairLoop.Sum>(formula)
            : exact;
    }

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType) => new ByteBinaryStep<IByteRun>(
        new BroadcastRows(inputs[0].Shape, inputs[1].Shape), PairRun(inputs[0], inputs[1], outputType));

    private BytePairFormula Formula(TensorType a, TensorType b) => TFLiteBinaryRun.SumFormula(
        a, subtract ? -1 : 1, b, output, (clampMin, clampMax));

    // Twice the larger scale is exact in single precision; the quotients are double ones.
    private (FixedPointMultiplier First, FixedPointMultiplier Second, double ToOutput) Multipliers(TensorType a, TensorType b)
    {
        var (first, second) = (a.Quantization!.Scale, b.Quantization!.Scale);
        double unit = 2 * Math.Max(first, second);
        var toOutput = unit / ((double)(1 << FractionBits) * output.Scale);
        _ = QuantizedTypes.Multiplier(toOutput);
        return (QuantizedTypes.Multiplier(first / unit), QuantizedTypes.Multiplier(second / unit), toOutput);
    }

    private static int[] Table(TensorType type, FixedPointMultiplier multiplier) => TFLiteBinaryRun.Table(
        type, distance => multiplier.Multiply(distance << FractionBits));
}

/// <summary>
/// a * b of quantized bytes, with NumPy's broadcasting: the product of the two distances from the zero points, brought to the output's
/// scale within the clamp.
/// </summary>
internal sealed class TFLiteMulOperator(Quantization output, int clampMin, int clampMax) : QuantizedOperator
{
    private const long LargestProduct = 255 * 255;

    public override string Kind => "QuantizedMul";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (a, b) = QuantizedTypes.RequiredPair(inputs, "first operand", "second operand");
        QuantizedTypes.CheckPerTensor(output, a.Element, "output");
        _ = QuantizedTypes.Multiplier(Factor(a, b));
        return [new(a.Element, TensorShapes.Broadcast(a.Shape, b.Shape), output)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType)
    {
        var (a, b, factor) = (inputs[0], inputs[1], Factor(inputs[0], inputs[1]));
        var exact = new TFLiteBinaryRun<TFLiteBinaryRun.Product>(
            TFLiteBinaryRun.Table(a, distance => distance),
            TFLiteBinaryRun.Table(b, distance => distance),
            new TFLiteRequantizer(factor, LargestProduct, outputType.Element, output.ZeroPoint, (clampMin, clampMax)));
        var rows = new BroadcastRows(a.Shape, b.Shape);
        var formula = TFLiteBinaryRun.Formula(a.Element, output.ZeroPoint, (clampMin, clampMax)) with
        {
            FactorA = BytePairFactor.Of(QuantizedTypes.Multiplier(factor)),
            ZeroA = a.Quantization!.ZeroPoint,
            ZeroB = b.Quantization!.ZeroPoint,
        };
        return TFLiteBinaryRun.IsWorthFitting(outputType)
            && BytePairFit.Fits<BytePairLoop.Product>(formula, TFLiteBinaryRun.AllPairs(exact), SimdWidths.Best)
            ? new ByteBinaryStep<FittedRun<BytePairLoop.Product>>(rows, new(formula))
            : new ByteBinaryStep<TFLiteBinaryRun<TFLiteBinaryRun.Product>>(rows, exact);
    }

    // The reference multiplies and divides the scales in single precision.
    private double Factor(TensorType a, TensorType b) => a.Quantization!.Scale * b.Quantization!.Scale / output.Scale;
}

/// <summary>What the steps of <see cref="TFLiteAddOperator"/> and <see cref="TFLiteMulOperator"/> are made of.</summary>
internal static unsafe class TFLiteBinaryRun
{
    // Smaller tensors would take hundreds of runs to make up for the search.
    private const int LeastElements = 2048;

    private const int Bytes = 256;

    /// <summary>How two numbers become one.</summary>
    public interface ICombination
    {
        /// <summary>The one number.</summary>
        static abstract int Of(int a, int b);
    }

    /// <summary>a + b.</summary>
    public readonly struct Sum : ICombination
    {
        public static int Of(int a, int b) => a + b;
    }

    /// <summary>a * b.</summary>
    public readonly struct Product : ICombination
    {
        public static int Of(int a, int b) => a * b;
    }

    /// <summary>A function of the distance from the zero point for each of the 256 bytes.</summary>
    public static int[] Table(TensorType type, Func<int, int> function)
    {
        var table = new int[Bytes];
        for (var raw = 0; raw < Bytes; raw++)
            table[raw] = function(QuantizedTypes.Value((byte)raw, type.Element) - type.Quantization!.ZeroPoint);
        return table;
    }

    /// <summary>Whether factors in single precision are worth looking for.</summary>
    public static bool IsWorthFitting(TensorType output) => output.Shape.ElementCount >= LeastElements;

    /// <summary>What a formula says of the output.</summary>
    public static BytePairFormula Formula(ElementType element, int zeroPoint, (int Min, int Max) clamp) => new()
    {
        IsSigned = element == ElementType.Int8,
        ZeroPoint = zeroPoint,
        Least = clamp.Min - zeroPoint,
        Most = clamp.Max - zeroPoint,
    };

    /// <summary>The formula of a sum, or of a difference where <paramref name="sign"/> is -1, in real numbers, rounded.</summary>
    public static BytePairFormula SumFormula(TensorType a, int sign, TensorType b, Quantization output, (int Min, int Max) clamp)
    {
        var first = (double)a.Quantization!.Scale / output.Scale;
        var second = (double)(sign * b.Quantization!.Scale) / output.Scale;
        return Formula(a.Element, output.ZeroPoint, clamp) with
        {
            FactorA = new((float)first, 0, 1),
            FactorB = new((float)second, 0, 1),
            Fixed = (float)-((first * a.Quantization.ZeroPoint) + (second * b.Quantization.ZeroPoint)),
        };
    }

    /// <summary>The byte that an operation gives for each pair, [a][b].</summary>
    public static byte[] AllPairs<TRun>(in TRun run)
        where TRun : struct, IByteRun
    {
        var pairs = new byte[Bytes * Bytes];
        var all = stackalloc byte[Bytes];
        for (var b = 0; b < Bytes; b++)
            all[b] = (byte)b;
        fixed (byte* y = pairs)
        {
            for (var a = 0; a < Bytes; a++)
                run.Run(all + a, 0, all, 1, y + (a * Bytes), Bytes);
        }

        return pairs;
    }
}

/// <summary>
/// Looks up both operands in a table of 256 numbers, combines the two numbers and brings the results to the output's bytes.
/// </summary>
internal readonly unsafe struct TFLiteBinaryRun<TCombination>(int[] first, int[] second, TFLiteRequantizer toOutput) : IByteRun
    where TCombination : struct, TFLiteBinaryRun.ICombination
{
    public void Run(byte* a, int stepA, byte* b, int stepB, byte* y, nint count)
    {
        var numbers = stackalloc int[TFLiteRequantizer.Chunk];
        fixed (int* tableA = first, tableB = second)
        {
            for (; count > 0; count -= TFLiteRequantizer.Chunk, y += TFLiteRequantizer.Chunk)
            {
                var some = (int)Math.Min(count, TFLiteRequantizer.Chunk);
                for (var k = 0; k < some; k++, a += stepA, b += stepB)
                    numbers[k] = TCombination.Of(tableA[*a], tableB[*b]);
                toOutput.Run(numbers, y, some);
            }
        }
    }
}

/// <summary>The same bytes in single precision, with factors that were found to give them.</summary>
internal readonly unsafe struct FittedRun<TCombination>(BytePairFormula formula) : IByteRun
    where TCombination : struct, BytePairLoop.ICombination
{
    public void Run(byte* a, int stepA, byte* b, int stepB, byte* y, nint count) =>
        BytePairLoop.Run<TCombination>(a, stepA, b, stepB, y, count, formula, SimdWidths.Best);
}

/// <summary>
/// Makes bytes of runs of integers with one factor, clamp(round(number * factor) + zeroPoint), rounding as TensorFlow Lite's reference
/// kernels do.
/// </summary>
internal sealed unsafe class TFLiteRequantizer
{
    /// <summary>Numbers that are brought to bytes together: what a caller gathers at a time.</summary>
    public const int Chunk = 256;

    // A row of the requantizer's, four of the widest vectors.
    private const int Row = 64;

    private readonly Requantizer _requantizer;

    /// <param name="factor">What the numbers are multiplied by.</param>
    /// <param name="largest">A bound on their magnitude.</param>
    /// <param name="element">int8 or uint8.</param>
    /// <param name="zeroPoint">The byte that stands for 0.</param>
    /// <param name="clamp">The least and the largest byte.</param>
    public TFLiteRequantizer(double factor, long largest, ElementType element, int zeroPoint, (int Min, int Max) clamp)
    {
        var bounds = new long[Row];
        Array.Fill(bounds, largest);
        var output = new QuantizedOutput(Requantization.FixedPoint, element == ElementType.Int8, zeroPoint, clamp.Min, clamp.Max);
        _requantizer = new([factor], bounds, output, SimdWidths.Best);
    }

    /// <summary>Makes the bytes.</summary>
    /// <param name="numbers">As many as <see cref="Chunk"/>, of which some may be without meaning.</param>
    /// <param name="target">The bytes.</param>
    /// <param name="count">Bytes that are wanted.</param>
    public void Run(int* numbers, byte* target, int count)
    {
        var (rows, rest) = Math.DivRem(count, Row);
        _requantizer.Run(numbers, Row, rows, 0, Row, target, Row);
        if (rest == 0)
            return;
        var last = stackalloc byte[Row];
        _requantizer.Run(numbers + (rows * Row), Row, 1, 0, Row, last, Row);
        new Span<byte>(last, rest).CopyTo(new Span<byte>(target + (rows * Row), rest));
    }
}
