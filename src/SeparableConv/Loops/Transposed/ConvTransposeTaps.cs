using System.Numerics;

namespace SeparableConv.Loops;

/// <summary>
/// Finds the taps of one axis that reach an output position: those t for which (output + before - t*dilation) / stride is an input
/// position. They lie an equal step apart, so the first and the step are all that is stored.
/// </summary>
internal sealed class ConvTransposeTaps
{
    private readonly int _input;
    private readonly int _taps;
    private readonly int _stride;
    private readonly int _dilation;
    private readonly int _before;

    // The first tap for each remainder of output + before by the stride; remainders that no tap reaches are missing.
    private readonly Dictionary<int, int> _first = [];

    /// <param name="input">Length of the input.</param>
    /// <param name="taps">Length of the kernel.</param>
    /// <param name="stride">Output positions from one input position to the next.</param>
    /// <param name="dilation">Output positions from one tap to the next.</param>
    /// <param name="before">Positions cut off in front of the output.</param>
    public ConvTransposeTaps(int input, int taps, int stride, int dilation, int before)
    {
        (_input, _taps, _stride, _dilation, _before) = (input, taps, stride, dilation, before);

        // A step beyond the kernel is as good as one to its end, and a tap plus a step stays an int.
        Step = Math.Min(taps, stride / (int)BigInteger.GreatestCommonDivisor(stride, dilation));
        for (var tap = 0; tap < Step; tap++)
            _first.Add((int)((long)tap * dilation % stride), tap);
    }

    /// <summary>The distance between two taps that reach the same position.</summary>
    public int Step { get; }

    /// <summary>
    /// The taps, from the first one by <see cref="Step"/> to the last, that reach a position; none where the first is beyond the last.
    /// </summary>
    public (int First, int Last) Reaching(int output) => Reaching(output, First(output), 0);

    /// <summary>
    /// The first tap that would reach an output position, and all positions whole strides away, if the input were endless; below 0 where
    /// none would.
    /// </summary>
    public int First(int output) =>
        _first.TryGetValue((int)(((((long)output + _before) % _stride) + _stride) % _stride), out var first) ? first : -1;

    /// <summary>The taps that reach a position or one of some positions behind it.</summary>
    /// <param name="output">The position.</param>
    /// <param name="first">What <see cref="First"/> says of it.</param>
    /// <param name="more">How many positions behind it, each a stride further on, may be reached instead.</param>
    public (int First, int Last) Reaching(long output, int first, int more)
    {
        // Beyond these the input would be left on either side.
        var place = output + _before;
        var most = place + ((long)more * _stride);
        var least = place - ((long)(_input - 1) * _stride);
        if (first < 0 || most < 0)
            return (0, -1);
        var skipped = least <= (long)first * _dilation ? 0 : (((least + _dilation - 1) / _dilation) - first + Step - 1) / Step;
        return ((int)Math.Min(int.MaxValue, first + (skipped * Step)), (int)Math.Min(_taps - 1, most / _dilation));
    }

    /// <summary>The input position from which a tap reaches an output position; only for taps that do.</summary>
    public int Input(long output, int tap) => (int)((output + _before - ((long)tap * _dilation)) / _stride);
}
