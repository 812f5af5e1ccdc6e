namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Names from a file, made fit for a message of one line.</summary>
internal static class OneLine
{
    private const int Longest = 80;

    /// <summary>The name without control characters, shortened where it is long.</summary>
    public static string Of(string name)
    {
        if (name.Length > Longest)
            name = name[..Longest] + "...";
        return string.Create(name.Length, name, (characters, source) =>
        {
            for (var i = 0; i < characters.Length; i++)
                characters[i] = char.IsControl(source[i]) || source[i] is '\u2028' or '\u2029' ? '?' : source[i];
        });
    }
}
