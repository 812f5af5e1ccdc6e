namespace SeparableConv.Networks.Operators;

/// <summary>A box by its corners.</summary>
internal readonly record struct Box(float Top, float Left, float Bottom, float Right)
{
    private float Area => (Bottom - Top) * (Right - Left);

    /// <summary>Intersection over union with another; 0 where either is empty.</summary>
    public float Overlap(in Box other)
    {
        var (area, otherArea) = (Area, other.Area);
        if (area <= 0 || otherArea <= 0)
            return 0;
        var height = Math.Max(Least(Bottom, other.Bottom) - Most(Top, other.Top), 0);
        var width = Math.Max(Least(Right, other.Right) - Most(Left, other.Left), 0);
        var intersection = height * width;
        return intersection / (area + otherArea - intersection);
    }

    // The first where they do not compare, as C++'s.
    private static float Most(float a, float b) => a < b ? b : a;

    private static float Least(float a, float b) => b < a ? b : a;
}

/// <summary>Greedy non-maximum suppression: boxes by falling score, without those that overlap one before them too much.</summary>
internal static class BoxSuppression
{
    /// <summary>Chooses boxes, the one with the highest score first; of equal scores the one with the lower index.</summary>
    /// <param name="boxes">All boxes.</param>
    /// <param name="scores">Their scores, of which each counts from <paramref name="leastScore"/> on.</param>
    /// <param name="leastScore">That.</param>
    /// <param name="mostOverlap">Intersection over union above which the box with the lower score goes.</param>
    /// <param name="order">Memory, as much as there are boxes.</param>
    /// <param name="selected">The chosen ones; not more than its length.</param>
    /// <returns>How many were chosen.</returns>
    public static int Run(
        ReadOnlySpan<Box> boxes,
        ReadOnlySpan<float> scores,
        float leastScore,
        float mostOverlap,
        Span<ulong> order,
        Span<int> selected)
    {
        var left = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            if (scores[i] >= leastScore)
                order[left++] = Key(scores[i], i);
        }

        order = order[..left];
        order.Sort();
        var count = 0;
        while (!order.IsEmpty && count < selected.Length)
        {
            // What overlaps the best one goes; the rest keeps its order.
            var best = (int)(uint)order[0];
            selected[count++] = best;
            left = 0;
            foreach (var key in order[1..])
            {
                if (!(boxes[best].Overlap(boxes[(int)(uint)key]) > mostOverlap))
                    order[left++] = key;
            }

            order = order[..left];
        }

        return count;
    }

    /// <summary>A number that sorts by falling score and then by rising index, which are its two halves.</summary>
    public static ulong Key(float score, int index)
    {
        // As unsigned numbers the bits of floats rise with them, once those below 0 are turned over; -0 is made 0.
        var bits = BitConverter.SingleToUInt32Bits(score + 0f);
        var rising = (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
        return ((ulong)~rising << 32) | (uint)index;
    }
}
