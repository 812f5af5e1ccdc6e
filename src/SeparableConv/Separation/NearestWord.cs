namespace SeparableConv.Separation;

/// <summary>Finds the word that a user most likely meant.</summary>
internal static class NearestWord
{
    // The known word with the fewest insertions, deletions and replacements; a shared beginning decides between equals.
    public static string Find(string typed, IEnumerable<string> known) =>
        known.MinBy(word => (Distance(typed.ToLowerInvariant(), word), -SharedStart(typed, word)))!;

    private static int SharedStart(string a, string b)
    {
        var n = 0;
        while (n < a.Length && n < b.Length && char.ToLowerInvariant(a[n]) == b[n])
            n++;
        return n;
    }

    private static int Distance(string a, string b)
    {
        var costs = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
            costs[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = costs[0];
            costs[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = costs[j];
                costs[j] = Math.Min(replaced, Math.Min(costs[j], costs[j - 1]) + 1);
            }
        }

        return costs[b.Length];
    }
}
