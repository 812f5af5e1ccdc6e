using System.Text.Json;
using SeparableConv.Cli.Options;

namespace SeparableConv.Cli.Commands;

/// <summary>One training of a comparison.</summary>
/// <param name="Form">The network.</param>
/// <param name="Seed">What its weights and the order of pictures followed from.</param>
/// <param name="Parameters">The network's parameters.</param>
/// <param name="Macs">Its multiply-accumulates a picture.</param>
/// <param name="Steps">Steps that were made.</param>
/// <param name="Seconds">What they took, without the evaluation behind them.</param>
/// <param name="Loss">The loss on the pictures for validation.</param>
/// <param name="Accuracy">The share of these told right.</param>
internal sealed record ComparedTraining(
    NetworkForm Form, int Seed, long Parameters, long Macs, long Steps, double Seconds, double Loss, double Accuracy)
{
    /// <summary>Writes it as an object.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        WriteForm(json, Form);
        json.WriteNumber("seed", Seed);
        json.WriteNumber("parameters", Parameters);
        json.WriteNumber("macs", Macs);
        json.WriteNumber("steps", Steps);
        json.WriteNumber("seconds", Math.Round(Seconds, 3));
        json.Number("loss", Loss);
        json.Number("accuracy", Accuracy);
        json.WriteEndObject();
    }

    /// <summary>Writes the properties that tell a network.</summary>
    public static void WriteForm(Utf8JsonWriter json, NetworkForm form)
    {
        json.WriteString("convolutions", form.Convolutions == Convolutions.Standard ? "standard" : "separable");
        json.WriteNumber("filters", form.Filters);
        json.WriteNumber("depthMultiplier", form.DepthMultiplier);
    }

    /// <summary>Reads what <see cref="Write"/> wrote; null for anything else.</summary>
    public static ComparedTraining? Parse(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            var convolutions = root.GetProperty("convolutions").GetString() == "standard" ? Convolutions.Standard : Convolutions.Separable;
            return new(
                new(convolutions, root.GetProperty("filters").GetInt32(), root.GetProperty("depthMultiplier").GetInt32()),
                root.GetProperty("seed").GetInt32(),
                root.GetProperty("parameters").GetInt64(),
                root.GetProperty("macs").GetInt64(),
                root.GetProperty("steps").GetInt64(),
                root.GetProperty("seconds").GetDouble(),
                root.GetProperty("loss").GetDouble(),
                root.GetProperty("accuracy").GetDouble());
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }
}
