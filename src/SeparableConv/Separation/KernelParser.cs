using System.Text;
using System.Text.Json;
using SeparableConv.Separation;

namespace SeparableConv;

/// <summary>Reads kernels that a user wrote: as numbers, as a name with parameters, or as the text of a file.</summary>
public static class KernelParser
{
    /// <summary>Reads what a user typed.</summary>
    /// <remarks>
    /// Numbers: <c>3 6 9; 4 8 12; 5 10 15</c>, with spaces or commas between numbers and semicolons or line ends between rows,
    /// or nested as in JSON; <c>1/16</c> is a number too. A name: <c>gauss</c>, <c>gauss:15:2.6</c>, <c>gauss:size=15:sigma=2.6</c>; the
    /// names and parameters are those of <see cref="KernelCatalog"/>.
    /// </remarks>
    /// <param name="text">The kernel.</param>
    /// <returns>The kernel; numbers count as doubles.</returns>
    /// <exception cref="ArgumentException">
    /// The text is empty, a name or parameter is not known or out of range, or the numbers are no matrix.
    /// </exception>
    public static FilterKernel Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var trimmed = text.AsSpan().Trim();
        if (trimmed.IsEmpty)
            throw new ArgumentException("The kernel is empty; write numbers such as \"1 2 1; 2 4 2; 1 2 1\" or a name such as gauss:5.");
        if (char.IsAsciiLetter(trimmed[0]) && !IsWordNumber(trimmed))
            return ParseName(trimmed.ToString());

        try
        {
            return ParseText(text, "kernel");
        }
        catch (InvalidDataException e)
        {
            throw new ArgumentException(e.Message, nameof(text), e);
        }
    }

    /// <summary>Reads the content of a text, CSV or JSON file; JSON is recognized by its first bracket.</summary>
    /// <param name="content">
    /// Numbers as in <see cref="Parse"/>; a line that begins with # is a comment. Spreadsheets are read as they save: of several lines with
    /// single numbers between semicolons these stand between columns, and numbers between semicolons or tabs may have decimal commas.
    /// </param>
    /// <param name="name">A name for messages and reports, such as the file's.</param>
    /// <returns>The kernel; numbers count as doubles.</returns>
    /// <exception cref="InvalidDataException">
    /// The content is no matrix of finite numbers, its commas may be decimal ones or not, or a side is larger than
    /// <see cref="KernelLibrary.MaxSide"/>.
    /// </exception>
    public static FilterKernel ParseText(string content, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(content);
        name ??= "kernel";
        return content.AsSpan().TrimStart().StartsWith("[") ? ParseJson(content, name) : KernelText.Parse(content, name);
    }

    private static FilterKernel ParseName(string text)
    {
        var parts = text.Split(':');
        var definition = KernelCatalog.Find(parts[0].Trim());
        return definition.Create(new KernelArguments(definition, parts.AsSpan(1)));
    }

    // "nan" and "inf" are numbers that were meant as such, and are refused as such.
    private static bool IsWordNumber(ReadOnlySpan<char> text)
    {
        var end = text.IndexOfAny(" ,;\t\r\n");
        var word = end < 0 ? text : text[..end];
        return word.Equals("nan", StringComparison.OrdinalIgnoreCase)
            || word.Equals("inf", StringComparison.OrdinalIgnoreCase)
            || word.Equals("infinity", StringComparison.OrdinalIgnoreCase);
    }

    private static FilterKernel ParseJson(string content, string name)
    {
        var rows = new KernelRows(name);
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(content.TrimStart('\uFEFF')));
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartArray when reader.CurrentDepth <= 1:
                        break;
                    case JsonTokenType.Number when reader.CurrentDepth >= 1:
                        rows.Add(Encoding.ASCII.GetString(reader.ValueSpan));
                        break;
                    case JsonTokenType.EndArray when reader.CurrentDepth == 1 || rows.HasOpenRow:
                        rows.EndRow();
                        break;
                    case JsonTokenType.EndArray when reader.CurrentDepth == 0:
                        break;
                    default:
                        throw new InvalidDataException(
                            $"{name}: JSON kernels are rows of numbers, [[1,2],[3,4]]; "
                            + $"found {reader.TokenType} at byte {reader.TokenStartIndex}.");
                }
            }
        }
        catch (JsonException e)
        {
            throw new InvalidDataException(
                $"{name}: not valid JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}; write [[1,2],[3,4]].", e);
        }

        return rows.ToKernel();
    }
}
