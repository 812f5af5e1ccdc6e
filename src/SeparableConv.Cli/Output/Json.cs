using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace SeparableConv.Cli.Output;

/// <summary>Writes reports as one line of JSON, numbers with all their digits.</summary>
internal static class Json
{
    /// <summary>Writes one value and a line end.</summary>
    public static void Print(TextWriter output, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            write(json);
        output.WriteLine(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    /// <summary>A number; JSON has none for infinities and NaN, which become null.</summary>
    public static void Number(this Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
            json.WriteNumber(name, value);
        else
            json.WriteNull(name);
    }

    /// <summary>An array of numbers.</summary>
    public static void Numbers(this Utf8JsonWriter json, string name, ReadOnlySpan<double> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            if (double.IsFinite(value))
                json.WriteNumberValue(value);
            else
                json.WriteNullValue();
        }

        json.WriteEndArray();
    }

    /// <summary>A shape.</summary>
    public static void Shape(this Utf8JsonWriter json, string name, params ReadOnlySpan<int> extents)
    {
        json.WriteStartArray(name);
        foreach (var extent in extents)
            json.WriteNumberValue(extent);
        json.WriteEndArray();
    }

    /// <summary>Times as <c>"milliseconds":{"min":..,"median":..}</c>.</summary>
    public static void Milliseconds(this Utf8JsonWriter json, RunTimes times)
    {
        json.WriteStartObject("milliseconds");
        json.WriteNumber("min", times.Min);
        json.WriteNumber("median", times.Median);
        json.WriteEndObject();
    }
}
