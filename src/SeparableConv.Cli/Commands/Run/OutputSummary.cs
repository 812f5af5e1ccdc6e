namespace SeparableConv.Cli.Commands;

/// <summary>The lowest, highest and mean number of an output that is not a list of classes.</summary>
/// <param name="Name">The output.</param>
/// <param name="Type">What it is after this run.</param>
/// <param name="Min">Its lowest number; NaN where there is none.</param>
/// <param name="Max">Its highest number.</param>
/// <param name="Mean">The mean.</param>
internal sealed record OutputSummary(string Name, TensorType Type, double Min, double Max, double Mean)
{
    /// <summary>Summarizes an output; quantized numbers count as the real numbers they stand for.</summary>
    public static OutputSummary Of(string name, TensorType type, ReadOnlySpan<byte> memory)
    {
        var numbers = new double[type.Shape.ElementCount];
        type.ReadNumbers(memory, numbers);
        var (min, max, sum) = numbers.Length == 0
            ? (double.NaN, double.NaN, double.NaN)
            : (double.PositiveInfinity, double.NegativeInfinity, 0.0);
        foreach (var number in numbers)
            (min, max, sum) = (Math.Min(min, number), Math.Max(max, number), sum + number);
        return new OutputSummary(name, type, min, max, sum / numbers.Length);
    }
}
