using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using SeparableConv.Tests.Support.Fuzz;

namespace SeparableConv.Tests.Networks.Fuzz;

/// <summary>Damages the header of a safetensors file: its length stays right, what it says of the tensors does not.</summary>
internal static partial class SafetensorsMutator
{
    private static readonly string[] s_pieces =
    [
        "{", "}", "[", "]", ":", ",", "\"", "null", "true", "{}", "[]", "\"\"", "\"a\"", "-", "1e9", "0.5", "\\u0000", "\\ud800", "\u2028",
        "__metadata__", "dtype", "shape", "data_offsets", "F64", "F32", "F16", "BF16", "I64", "I8", "BOOL", "F8_E4M3", " ", "\n",
        "\"__metadata__\":{\"a\":\"b\"},", "{\"a\":", "[[[[", "99999999999999999999",
    ];

    /// <summary>A damaged copy.</summary>
    public static byte[] Mutate(byte[] file, byte[] other, Random random)
    {
        var end = sizeof(ulong) + (int)BinaryPrimitives.ReadUInt64LittleEndian(file);
        var header = Encoding.UTF8.GetString(file.AsSpan(sizeof(ulong)..end));
        for (var left = Edges.Times(random); left > 0; left--)
            header = Once(header, random);

        // The data too may be of another length than it was.
        var data = random.Next(4) > 0 ? file[end..] : other[Math.Min(other.Length, random.Next(end))..];
        var text = Encoding.UTF8.GetBytes(header);
        var start = new byte[sizeof(ulong)];
        var length = random.Next(16) == 0 ? Edges.Integer(random, text.Length) : text.Length;
        BinaryPrimitives.WriteInt64LittleEndian(start, length);
        return [.. start, .. text, .. data];
    }

    private static string Once(string header, Random random)
    {
        var numbers = Number().Matches(header);
        var strings = Quoted().Matches(header);
        if (header.Length == 0)
            return "{}";
        switch (random.Next(8))
        {
            case 0 or 1 or 2 when numbers.Count > 0:
                var number = numbers[random.Next(numbers.Count)];
                return Replaced(header, number, Edges.Integer(random, Value(number)).ToString(CultureInfo.InvariantCulture));
            case 3 when strings.Count > 1:
                return Replaced(header, strings[random.Next(strings.Count)], strings[random.Next(strings.Count)].Value);
            case 4 when numbers.Count > 1:
                return Replaced(header, numbers[random.Next(numbers.Count)], numbers[random.Next(numbers.Count)].Value);
            case 5:
                return header.Insert(random.Next(header.Length), s_pieces[random.Next(s_pieces.Length)]);
            case 6:
                var at = random.Next(header.Length);
                return header.Remove(at, Math.Min(random.Next(1, 12), header.Length - at));
            default:
                var from = random.Next(header.Length);
                var count = Math.Min(random.Next(1, 60), header.Length - from);
                return header.Insert(random.Next(header.Length), header.Substring(from, count));
        }
    }

    private static long Value(Match number) => long.TryParse(number.Value, CultureInfo.InvariantCulture, out var value) ? value : 0;

    private static string Replaced(string text, Match place, string with) =>
        string.Concat(text.AsSpan(0, place.Index), with, text.AsSpan(place.Index + place.Length));

    [GeneratedRegex("-?[0-9]+")]
    private static partial Regex Number();

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Quoted();
}
