using System.Diagnostics;

namespace SeparableConv.Loops;

/// <summary>Positions beyond the edge, resolved to positions inside.</summary>
internal static class Borders
{
    /// <summary>The result of <see cref="Resolve"/> for a position outside the image where the border is a constant.</summary>
    public const int Outside = -1;

    /// <summary>The position, 0 .. length - 1, that stands for any position; <see cref="Outside"/> for a constant border.</summary>
    public static int Resolve(int position, int length, BorderMode mode)
    {
        if ((uint)position < (uint)length)
            return position;
        switch (mode)
        {
            case BorderMode.Constant:
                return Outside;
            case BorderMode.Replicate:
                return position < 0 ? 0 : length - 1;
            case BorderMode.Wrap:
                return Modulo(position, length);
            case BorderMode.Reflect:
                // a..h h..a repeats every 2*length.
                var folded = Modulo(position, 2L * length);
                return folded < length ? folded : (2 * length) - 1 - folded;
            case BorderMode.Reflect101:
                // a..h g..b repeats every 2*length - 2; a single pixel mirrors only itself.
                if (length == 1)
                    return 0;
                folded = Modulo(position, (2L * length) - 2);
                return folded < length ? folded : (2 * length) - 2 - folded;
            default:
                throw new UnreachableException($"The border {mode} is missing here.");
        }
    }

    private static int Modulo(long position, long period) => (int)(((position % period) + period) % period);
}
