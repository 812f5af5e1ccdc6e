using System.Globalization;
using SeparableConv.Networks.Graph;

namespace SeparableConv.Training;

/// <summary>
/// A training as far as it has come, in a safetensors file: weights, the optimizer's own tensors, statistics, and where it stands. What is
/// random follows from the seed and the numbers of epoch and batch, which are among them.
/// </summary>
internal static class Checkpoint
{
    private const string Format = "separableconv-training-1";

    /// <summary>Writes a checkpoint; a file that is there stays until the new one is on the disk.</summary>
    public static void Save(string path, TrainingStep step, string settings)
    {
        var tensors = new Dictionary<string, TensorData>();
        foreach (var value in Stored(step))
            tensors[value.Name] = new TensorData(value.Type, step.Stored(value).ToArray());
        var metadata = new Dictionary<string, string>
        {
            ["format"] = Format,
            ["steps"] = step.Steps.ToString(CultureInfo.InvariantCulture),
            ["settings"] = settings,
        };
        SafetensorsFile.Save(path, tensors, metadata);
    }

    /// <summary>Brings a training to where a checkpoint stands.</summary>
    /// <exception cref="InvalidDataException">It is no checkpoint, or that of a training with other settings.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static void Load(string path, TrainingStep step, string settings)
    {
        SafetensorsFile file;
        try
        {
            file = SafetensorsFile.Load(path);
        }
        catch (NetworkException e)
        {
            throw new InvalidDataException($"'{path}' is no checkpoint: {e.Message}", e);
        }

        if (file.Metadata.GetValueOrDefault("format") != Format
            || !long.TryParse(file.Metadata.GetValueOrDefault("steps"), NumberStyles.None, CultureInfo.InvariantCulture, out var steps))
        {
            throw new InvalidDataException($"'{path}' holds tensors but is no checkpoint of a training; give one that a training wrote.");
        }

        if (file.Metadata.GetValueOrDefault("settings") is var written && written != settings)
        {
            throw new InvalidDataException(
                $"'{path}' is of a training with other settings: {written}; this one has {settings}. Go on with the same, or begin anew.");
        }

        var values = Stored(step).ToArray();
        foreach (var value in values)
        {
            if (!file.Tensors.TryGetValue(value.Name, out var tensor) || tensor.Type.Element != value.Type.Element
                || tensor.Type.Shape != value.Type.Shape)
            {
                throw new InvalidDataException($"'{path}' has no tensor '{value.Name}' of {value.Type}; is it of another network?");
            }
        }

        foreach (var value in values)
            file.Tensors[value.Name].Span<float>().CopyTo(step.Stored(value));
        step.Steps = steps;
    }

    private static IEnumerable<Value> Stored(TrainingStep step)
    {
        foreach (var trained in step.Graph.Trained)
        {
            yield return trained.Parameter;
            foreach (var state in trained.States)
                yield return state;
            if (trained.Average is { } average)
                yield return average;
        }

        foreach (var statistic in step.Graph.Statistics)
            yield return statistic;
    }
}
