namespace SeparableConv;

/// <summary>One spatial axis of a convolution: which input positions an output position reads.</summary>
/// <remarks>Output position o reads input positions o*Stride - PadBefore + t*Dilation for the taps t = 0 .. Kernel-1.</remarks>
/// <param name="In">Input positions.</param>
/// <param name="Out">Output positions.</param>
/// <param name="Kernel">Taps.</param>
/// <param name="Stride">Input positions from one output position to the next.</param>
/// <param name="Dilation">Input positions from one tap to the next.</param>
/// <param name="PadBefore">Zeros before the first input position.</param>
/// <param name="PadAfter">Zeros after the last input position.</param>
public readonly record struct AxisGeometry(int In, int Out, int Kernel, int Stride, int Dilation, int PadBefore, int PadAfter)
{
    /// <summary>Input positions that a dilated kernel spans: Dilation*(Kernel-1) + 1.</summary>
    public int Span => (Dilation * (Kernel - 1)) + 1;

    /// <summary>The first output position all of whose taps lie inside the input; <see cref="InteriorEnd"/> where there is none.</summary>
    public int InteriorStart => Math.Min(CeilingDivide(PadBefore, Stride), InteriorEnd);

    /// <summary>One past the last output position all of whose taps lie inside the input.</summary>
    public int InteriorEnd
    {
        get
        {
            var room = (long)In + PadBefore - Span;
            return room < 0 ? 0 : (int)Math.Min(Out, (room / Stride) + 1);
        }
    }

    /// <summary>The input position that tap 0 of an output position reads; outside the input where it is negative or too large.</summary>
    /// <param name="output">The output position.</param>
    /// <returns>output*Stride - PadBefore.</returns>
    public int InputStart(int output) => (output * Stride) - PadBefore;

    /// <summary>The taps of an output position that lie inside the input: from Start up to and without End.</summary>
    /// <param name="output">The output position.</param>
    /// <returns>The range; empty where the whole kernel lies in the border.</returns>
    public (int Start, int End) Taps(int output)
    {
        var origin = InputStart(output);
        var start = origin >= 0 ? 0 : CeilingDivide(-origin, Dilation);
        var end = origin >= In ? 0 : Math.Min(Kernel, ((In - 1 - origin) / Dilation) + 1);
        return start < end ? (start, end) : (0, 0);
    }

    internal static AxisGeometry Create(
        string axis, int input, int kernel, int stride, int dilation, PaddingMode mode, int before, int after)
    {
        if (input <= 0)
            throw new ArgumentException($"The input has {axis} {input}; it must be at least 1.");
        if (kernel <= 0)
            throw new ArgumentException($"The kernel has {axis} {kernel}; it must be at least 1.");
        if (stride <= 0)
            throw new ArgumentException($"The stride has {axis} {stride}; it must be at least 1.");
        if (dilation <= 0)
            throw new ArgumentException($"The dilation has {axis} {dilation}; it must be at least 1.");

        var span = ((long)dilation * (kernel - 1)) + 1;
        if (mode is PaddingMode.SameUpper or PaddingMode.SameLower)
        {
            var output = ((long)input + stride - 1) / stride;
            var total = Math.Max(0, ((output - 1) * stride) + span - input);
            CheckRange(axis, total + input);
            var smaller = (int)(total / 2);
            var larger = (int)(total - smaller);
            return mode == PaddingMode.SameUpper
                ? new(input, (int)output, kernel, stride, dilation, smaller, larger)
                : new(input, (int)output, kernel, stride, dilation, larger, smaller);
        }

        var padded = (long)input + before + after;
        CheckRange(axis, Math.Max(padded, span));
        if (padded < span)
        {
            var dilated = dilation > 1 ? $" (dilation {dilation}: it spans {span})" : "";
            var bordered = before + after > 0 ? $" with padding {before}+{after}" : "";
            throw new ArgumentException(
                $"The output would have {axis} 0 or less: kernel {axis} {kernel}{dilated} is larger than input {axis} {input}{bordered}; "
                + "use a smaller kernel, more padding, or padding 'same'.");
        }

        return new(input, (int)((padded - span) / stride) + 1, kernel, stride, dilation, before, after);
    }

    // Positions are ints in every kernel; half of the range leaves room for the sums.
    private static void CheckRange(string axis, long positions)
    {
        if (positions > int.MaxValue / 2)
            throw new ArgumentException(
                $"The padded {axis} of {positions} is too large; at most {int.MaxValue / 2} positions are supported.");
    }

    // A stride, or the dilation of a single tap, may be as large as an int: the sum is not.
    private static int CeilingDivide(int value, int divisor) => (int)(((long)value + divisor - 1) / divisor);
}
