using SeparableConv.Networks;

namespace SeparableConv.Cli.Commands;

/// <summary>What is told of an output that is no list of classes.</summary>
/// <param name="Output">Which.</param>
/// <param name="Min">Its lowest number; NaN where there is none.</param>
/// <param name="Max">Its highest number.</param>
/// <param name="Mean">The mean.</param>
internal sealed record OutputSummary(Value Output, double Min, double Max, double Mean)
{
    /// <summary>Of an output's real numbers.</summary>
    public static OutputSummary Of(Value output, double[] numbers)
    {
        var (min, max, sum) = numbers.Length == 0 ? (double.NaN, double.NaN, double.NaN) : (double.PositiveInfinity, double.NegativeInfinity, 0.0);
        foreach (var number in numbers)
            (min, max, sum) = (Math.Min(min, number), Math.Max(max, number), sum + number);
        return new OutputSummary(output, min, max, sum / numbers.Length);
    }

    /// <summary>An output's numbers, in real numbers where it is quantized.</summary>
    public static double[] Numbers(TensorType type, ReadOnlySpan<byte> memory)
    {
        var numbers = new double[memory.Length / type.Element.Size()];
        type.Element.Convert<double>(memory, numbers);
        if (type.Quantization is not { IsPerTensor: true } quantization)
            return numbers;
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = (numbers[i] - quantization.ZeroPoint) * quantization.Scale;
        return numbers;
    }
}
