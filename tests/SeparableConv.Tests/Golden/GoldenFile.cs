using System.Text.Json;

namespace SeparableConv.Tests.Golden;

/// <summary>A committed JSON file of numbers that another library gave; the script beside it made it.</summary>
internal static class GoldenFile
{
    /// <summary>The whole file.</summary>
    public static JsonElement Read(string name) => JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(TestFiles.Golden(name)));

    /// <summary>Its cases.</summary>
    public static IEnumerable<JsonElement> Cases(string name) => Read(name).GetProperty("cases").EnumerateArray();

    /// <summary>A property of a case that is a list of numbers.</summary>
    public static double[] Numbers(this JsonElement vector, string name) => vector.GetProperty(name).Numbers();

    /// <summary>A list of numbers.</summary>
    public static double[] Numbers(this JsonElement list) => [.. list.EnumerateArray().Select(v => v.GetDouble())];
}
