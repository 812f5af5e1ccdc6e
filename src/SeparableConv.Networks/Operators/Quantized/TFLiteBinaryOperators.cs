using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// a + b or a - b of quantized bytes, with NumPy's broadcasting: both brought to half the larger scale with 20 bits after the binary
/// point, added, and brought to the output's scale within the clamp.
/// </summary>
internal sealed class TFLiteAddOperator(Quantization output, int clampMin, int clampMax, bool subtract) : QuantizedOperator
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

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType)
    {
        var (a, b, toOutput) = Multipliers(inputs[0], inputs[1]);
        var first = Table(inputs[0], a);
        var second = Table(inputs[1], subtract ? b with { Mantissa = -b.Mantissa } : b);
        var largest = first.Max(number => Math.Abs((long)number)) + second.Max(number => Math.Abs((long)number));
        return new TFLiteBinaryStep<TFLiteBinaryStep.Sum>(
            new BroadcastRows(inputs[0].Shape, inputs[1].Shape),
            first,
            second,
            new TFLiteRequantizer(toOutput, largest, outputType.Element, output.ZeroPoint, (clampMin, clampMax)));
    }

    // Twice the larger scale is exact in single precision; the quotients are double ones.
    private (FixedPointMultiplier First, FixedPointMultiplier Second, double ToOutput) Multipliers(TensorType a, TensorType b)
    {
        var (first, second) = (a.Quantization!.Scale, b.Quantization!.Scale);
        double unit = 2 * Math.Max(first, second);
        var toOutput = unit / ((double)(1 << FractionBits) * output.Scale);
        _ = QuantizedTypes.Multiplier(toOutput);
        return (QuantizedTypes.Multiplier(first / unit), QuantizedTypes.Multiplier(second / unit), toOutput);
    }

    private static int[] Table(TensorType type, FixedPointMultiplier multiplier) => TFLiteBinaryStep.Table(
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

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType) => new TFLiteBinaryStep<TFLiteBinaryStep.Product>(
        new BroadcastRows(inputs[0].Shape, inputs[1].Shape),
        TFLiteBinaryStep.Table(inputs[0], distance => distance),
        TFLiteBinaryStep.Table(inputs[1], distance => distance),
        new TFLiteRequantizer(Factor(inputs[0], inputs[1]), LargestProduct, outputType.Element, output.ZeroPoint, (clampMin, clampMax)));

    // The reference multiplies and divides the scales in single precision.
    private double Factor(TensorType a, TensorType b) => a.Quantization!.Scale * b.Quantization!.Scale / output.Scale;
}

/// <summary>What the steps of <see cref="TFLiteAddOperator"/> and <see cref="TFLiteMulOperator"/> are made of.</summary>
internal static class TFLiteBinaryStep
{
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
        var table = new int[256];
        for (var raw = 0; raw < 256; raw++)
            table[raw] = function(QuantizedTypes.Value((byte)raw, type.Element) - type.Quantization!.ZeroPoint);
        return table;
    }
}

/// <summary>
/// Looks up both operands in a table of 256 numbers, combines the two numbers and brings the results to the output's bytes.
/// </summary>
internal sealed unsafe class TFLiteBinaryStep<TCombination>(
    BroadcastRows rows, int[] first, int[] second, TFLiteRequantizer toOutput) : Step
    where TCombination : struct, TFLiteBinaryStep.ICombination
{
    private BroadcastRows Rows => rows;

    public override void Run(ForwardContext context)
    {
        var work = new Work
        {
            Step = this,
            A = (byte*)context.Inputs[0].Memory,
            B = (byte*)context.Inputs[1].Memory,
            Y = (byte*)context.Outputs[0].Memory,
        };
        ElementParts.Run(work, (long)rows.Rows * rows.RowLength, 1, context.Threads);
    }

    private void Part(byte* a, byte* b, byte* y, nint count)
    {
        var (stepA, stepB) = (rows.FirstStep, rows.SecondStep);
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

    private struct Work : IRangeWork
    {
        public TFLiteBinaryStep<TCombination> Step;
        public byte* A;
        public byte* B;
        public byte* Y;

        public readonly void Run(nint start, nint end)
        {
            foreach (var part in Step.Rows.Parts(start, end))
                Step.Part(A + part.First, B + part.Second, Y + part.Start, part.Count);
        }
    }
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
