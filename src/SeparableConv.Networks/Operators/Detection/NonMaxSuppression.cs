namespace SeparableConv.Networks.Operators;

/// <summary>
/// Of boxes that overlap, the one with the best score is kept. How many are kept is known only then, so that this is no operator of a
/// network that is planned.
/// </summary>
/// <param name="boxes">Four numbers a box: two opposite corners (y, x, y, x), or centre and size (x, y, width, height).</param>
/// <param name="isCentered">Whether boxes are given by centre and size.</param>
internal readonly ref struct NonMaxSuppression(ReadOnlySpan<float> boxes, bool isCentered)
{
    private readonly ReadOnlySpan<float> _boxes = boxes;

    /// <summary>Selects boxes by their scores; of equal scores the box that comes first is the better.</summary>
    /// <param name="scores">A score a box.</param>
    /// <param name="most">How many boxes are kept at most.</param>
    /// <param name="overlap">
    /// A box goes that has more than this in common with a better one, as a share of what both cover (0 to 1).
    /// </param>
    /// <param name="least">A box goes whose score is not greater than this.</param>
    /// <param name="spend">Is told how many boxes one is compared with, before it is.</param>
    /// <returns>The boxes that are kept, the best first.</returns>
    public List<int> Select(ReadOnlySpan<float> scores, long most, float overlap, float least, Action<long> spend)
    {
        var candidates = new List<(float Score, int Box)>();
        for (var i = 0; i < scores.Length; i++)
        {
            if (scores[i] > least)
                candidates.Add((scores[i], i));
        }

        candidates.Sort((a, b) => a.Score == b.Score ? a.Box.CompareTo(b.Box) : b.Score.CompareTo(a.Score));
        var kept = new List<int>();
        foreach (var (_, box) in candidates)
        {
            if (kept.Count >= most)
                break;
            spend(kept.Count);
            if (!OverlapsAny(box, kept, overlap))
                kept.Add(box);
        }

        return kept;
    }

    private bool OverlapsAny(int box, List<int> kept, float overlap)
    {
        var one = Corners(box);
        foreach (var other in kept)
        {
            if (Overlap(one, Corners(other)) > overlap)
                return true;
        }

        return false;
    }

    private (float Top, float Left, float Bottom, float Right) Corners(int box)
    {
        var b = _boxes.Slice(box * 4, 4);
        return isCentered
            ? (b[1] - (b[3] / 2), b[0] - (b[2] / 2), b[1] + (b[3] / 2), b[0] + (b[2] / 2))
            : (Math.Min(b[0], b[2]), Math.Min(b[1], b[3]), Math.Max(b[0], b[2]), Math.Max(b[1], b[3]));
    }

    // What both cover together over what either covers; boxes without area have nothing in common.
    private static float Overlap(
        (float Top, float Left, float Bottom, float Right) a, (float Top, float Left, float Bottom, float Right) b)
    {
        var common = Math.Max(0, Math.Min(a.Bottom, b.Bottom) - Math.Max(a.Top, b.Top))
            * Math.Max(0, Math.Min(a.Right, b.Right) - Math.Max(a.Left, b.Left));
        var (areaA, areaB) = ((a.Bottom - a.Top) * (a.Right - a.Left), (b.Bottom - b.Top) * (b.Right - b.Left));
        return common <= 0 || areaA <= 0 || areaB <= 0 ? 0 : common / (areaA + areaB - common);
    }
}
