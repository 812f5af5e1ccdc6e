using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>Whether a filter's taps are the same from both ends.</summary>
internal enum Mirror
{
    /// <summary>They are not.</summary>
    None,

    /// <summary>Tap t weighs as much as tap t from the end, as in every smoothing filter.</summary>
    Even,

    /// <summary>Tap t weighs as much with the other sign, as in every first derivative; a tap in the middle weighs nothing.</summary>
    Odd,
}

/// <summary>What is done with two elements that mirrored taps read, known to the JIT; their weight is multiplied once.</summary>
internal interface IMirror
{
    /// <summary>Whether the sign changes: the pair is subtracted.</summary>
    static abstract bool IsOdd { get; }
}

internal readonly struct EvenMirror : IMirror
{
    public static bool IsOdd => false;
}

internal readonly struct OddMirror : IMirror
{
    public static bool IsOdd => true;
}

/// <summary>
/// Mirrored taps. They are summed in pairs, a + b or a - b before it is multiplied, from the outermost to the innermost, and the tap in
/// the middle last. Every body keeps to that order, so that all of them give the same bits.
/// </summary>
internal static class Mirrors
{
    /// <summary>Taps from which on pairs are summed. Fewer have bodies of their own, which are bound by other things.</summary>
    public const int LeastTaps = 8;

    /// <summary>How taps, none of them zero, mirror; <see cref="Mirror.None"/> where they are few.</summary>
    public static Mirror Of(ReadOnlySpan<float> weights)
    {
        if (weights.Length < LeastTaps)
            return Mirror.None;
        var (isEven, isOdd) = (true, weights.Length % 2 == 0);
        for (var t = 0; t < weights.Length / 2; t++)
        {
            isEven &= weights[t] == weights[^(t + 1)];
            isOdd &= weights[t] == -weights[^(t + 1)];
        }

        return isEven ? Mirror.Even : isOdd ? Mirror.Odd : Mirror.None;
    }

    /// <summary>Two elements together.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Join<TSimd, TVec, TMirror>(TVec first, TVec last)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TMirror : struct, IMirror => TMirror.IsOdd ? TSimd.Subtract(first, last) : TSimd.Add(first, last);
}
