namespace SeparableConv.Networks.Formats;

/// <summary>Makes names from a file fit for a message of one line.</summary>
internal static class OneLine
{
    private const int Longest = 80;
    private const int LongestMessage = 1000;

    /// <summary>The name without control characters, shortened where it is long.</summary>
    public static string Of(string name) => Clean(name.Length > Longest ? name[..Longest] + "..." : name);

    /// <summary>A message, cut where what it lists has no end.</summary>
    public static string Short(string message) => message.Length > LongestMessage ? message[..LongestMessage] + "..." : message;

    /// <summary>The name without control characters.</summary>
    public static string Clean(string name) => name.Any(IsControl) ? new string([.. name.Select(c => IsControl(c) ? '?' : c)]) : name;

    private static bool IsControl(char c) => char.IsControl(c) || c is '\u2028' or '\u2029';
}
