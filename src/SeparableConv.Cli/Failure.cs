using System.Text;

namespace SeparableConv.Cli;

/// <summary>Makes of exceptions the one line that a user reads.</summary>
internal static class Failure
{
    // Longer lines come from files that were taken for text.
    private const int LongestLine = 600;

    /// <summary>
    /// Whether an exception is one that the libraries document for input that cannot be used; all others are faults of the program.
    /// </summary>
    public static bool IsExpected(Exception e) =>
        e is InputException or NetworkException or ArgumentException or InvalidDataException or IOException or UnauthorizedAccessException
            or DllNotFoundException or OverflowException or FormatException or OutOfMemoryException
            or InvalidOperationException { InnerException: OutOfMemoryException };

    /// <summary>The message on one line, free of what only a programmer needs.</summary>
    public static string Describe(Exception e) => e switch
    {
        OutOfMemoryException or InvalidOperationException { InnerException: OutOfMemoryException } =>
            "There is not enough memory for this; use a smaller picture or fewer threads.",
        FileNotFoundException { FileName: { } name } => $"'{name}' was not found; check the path.",
        ArgumentException { ParamName: { } parameter } => OneLine(e.Message.Replace(
            $" (Parameter '{parameter}')", "", StringComparison.Ordinal)),
        _ when IsExpected(e) => OneLine(e.Message),
        _ => OneLine($"{e.GetType().Name}: {e.Message} Set SEPCONV_TRACE=1 to see where."),
    };

    /// <summary>Makes a text one line: control characters and line ends become spaces, and what is too long is cut.</summary>
    public static string OneLine(string text)
    {
        var line = new StringBuilder(Math.Min(text.Length, LongestLine));
        foreach (var c in text)
        {
            if (line.Length == LongestLine)
                return line.Append("...").ToString();
            line.Append(char.IsControl(c) ? ' ' : c);
        }

        return line.ToString().TrimEnd();
    }
}
