namespace SeparableConv.Cli.Commands;

/// <summary>How sure a network is of a class: its output's own number, in real numbers where the output is quantized.</summary>
internal sealed record ClassScore(int Index, string? Label, double Score)
{
    /// <summary>The best classes, best first; of equal ones the one with the lower index.</summary>
    public static ClassScore[] Best(double[] scores, int count, ClassLabels? labels)
    {
        var order = new int[scores.Length];
        for (var i = 0; i < order.Length; i++)
            order[i] = i;

        // NaN is last: it compares as less than every number.
        Array.Sort(order, (a, b) => scores[b].CompareTo(scores[a]) is var better && better != 0 ? better : a - b);
        var best = new ClassScore[Math.Min(count, order.Length)];
        for (var i = 0; i < best.Length; i++)
            best[i] = new ClassScore(order[i], labels?[order[i]], scores[order[i]]);
        return best;
    }
}
