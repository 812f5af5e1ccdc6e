namespace SeparableConv.Loops;

/// <summary>
/// One phase of an axis of a transposed convolution: the output positions First, First + Stride, ... They are reached by the same taps
/// from neighbouring input positions, so they are the output of a convolution of stride 1.
/// </summary>
/// <param name="First">The first output position.</param>
/// <param name="FirstTap">The first tap that reaches them, in the whole kernel; those behind it lie TapStep apart.</param>
/// <param name="Axis">
/// The convolution, whose kernel is these taps from the last to the first; without taps, as many output positions.
/// </param>
internal readonly record struct ConvTransposePhase(int First, int FirstTap, AxisGeometry Axis);

/// <summary>One axis of a transposed convolution, taken apart into phases.</summary>
internal sealed class ConvTransposeAxis
{
    // With more phases, or far more multiplications than there are taps that meet a pixel, gathering is as good.
    private const int MostPhases = 16;
    private const int MostWaste = 3;

    private ConvTransposeAxis(int stride, int tapStep, ConvTransposePhase[] phases) =>
        (Stride, TapStep, Phases) = (stride, tapStep, phases);

    /// <summary>Output positions from one to the next of a phase.</summary>
    public int Stride { get; }

    /// <summary>Taps from one to the next that reach the same position.</summary>
    public int TapStep { get; }

    public ConvTransposePhase[] Phases { get; }

    /// <summary>Whether every phase has one tap, and its positions lie one a stride with nothing cut off or added.</summary>
    public bool IsTiling { get; private init; }

    /// <summary>
    /// Takes an axis apart; null where it has many phases, where a phase begins within the input, or where the taps lie mostly beside it.
    /// </summary>
    public static ConvTransposeAxis? Create(int input, int output, int kernel, int stride, int dilation, int before)
    {
        // A single position has no stride: all taps are phases of their own.
        if (input == 1 && dilation == 1)
            stride = Math.Max(1, kernel);
        if (Math.Min(stride, output) > MostPhases)
            return null;
        var taps = new ConvTransposeTaps(input, kernel, stride, dilation, before);
        var phases = new ConvTransposePhase[Math.Min(stride, output)];
        var products = 0L;
        for (var position = 0; position < phases.Length; position++)
        {
            var outputs = (int)(((long)output - position + stride - 1) / stride);
            var first = taps.First(position);
            var count = first < 0 ? 0 : ((kernel - 1 - first) / taps.Step) + 1;
            if (count == 0)
            {
                phases[position] = new(position, 0, new(input, outputs, 0, 1, 1, 0, 0));
                continue;
            }

            var apart = count == 1 ? 1 : (int)((long)taps.Step * dilation / stride);
            var span = ((long)(count - 1) * apart) + 1;
            var padBefore = span - 1 - taps.Input(position, first);
            products += (long)outputs * count;
            if (padBefore is < 0 or > int.MaxValue / 2 || products > MostWaste * (long)input * kernel)
                return null;
            phases[position] = new(
                position, first, new(input, outputs, count, 1, apart, (int)padBefore, (int)(outputs + span - 1 - input - padBefore)));
        }

        return new(stride, taps.Step, phases)
        {
            IsTiling = kernel == stride && dilation == 1 && before == 0 && output == (long)input * stride,
        };
    }
}
