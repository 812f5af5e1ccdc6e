namespace SeparableConv.Cli.Commands;

/// <summary>The lowest, highest and mean number of an output that is not a list of classes.</summary>
/// <param name="Output">The output.</param>
/// <param name="Min">Its lowest number; NaN where there is none.</param>
/// <param name="Max">Its highest number.</param>
/// <param name="Mean">The mean.</param>
internal sealed record OutputSummary(Value Output, double Min, double Max, double Mean)
{
    /// <summary>Summarizes an output; quantized numbers count as the real numbers they stand for.</summary>
    public static OutputSummary Of(Value output, ReadOnlySpan<byte> memory)
    {
        var numbers = new double[output.Type.Shape.ElementCount];
        output.Type.ReadNumbers(memory, numbers);
        var (min, max, sum) = numbers.Length == 0
            ? (double.NaN, double.NaN, double.NaN)
            : (double.PositiveInfinity, double.NegativeInfinity, 0.0);
        foreach (var number in numbers)
            (min, max, sum) = (Math.Min(min, number), Math.Max(max, number), sum + number);
        return new OutputSummary(output, min, max, sum / numbers.Length);
    }
}
