using System.Globalization;
using SeparableConv.Networks.Formats;
using SeparableConv.Networks.Graph;

namespace SeparableConv.Training;

/// <summary>
/// A training as far as it has come, in a safetensors file: weights, the optimizer's own tensors, statistics, where it stands, and the sums
/// of the epoch it is in. What is random follows from the seed and the numbers of epoch and batch, which are among them.
/// </summary>
/// <param name="step">The training's step, which has the tensors.</param>
/// <param name="settings">All that the bits of the rest follow from.</param>
/// <param name="steps">Steps of the whole training.</param>
/// <param name="stepsPerEpoch">Steps in an epoch.</param>
internal sealed class Checkpoint(TrainingStep step, string settings, long steps, int stepsPerEpoch)
{
    private const string Format = "separableconv-training-1";
    private const string FormatKey = "format";
    private const string StepsKey = "steps";
    private const string SettingsKey = "settings";
    private const string EpochStepsKey = "epochSteps";
    private const string EpochLossKey = "epochLoss";
    private const string EpochRightKey = "epochRight";

    /// <summary>Writes a checkpoint; a file that is there stays until the new one is on the disk.</summary>
    public void Save(string path, EpochSums sums) => SafetensorsFile.Save(path, Tensors(), Metadata(sums));

    /// <summary>Writes what a checkpoint would hold.</summary>
    public void Write(Stream stream, EpochSums sums) => SafetensorsFile.Write(stream, Tensors(), Metadata(sums));

    /// <summary>Brings the training to where a checkpoint stands; one that is refused changes nothing.</summary>
    /// <returns>The sums of the epoch that it is in.</returns>
    /// <exception cref="InvalidDataException">It is no checkpoint, is damaged, or is that of a training with other settings.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public EpochSums Load(string path)
    {
        using var file = File.OpenRead(path);
        return Read(file, path);
    }

    /// <summary>As <see cref="Load"/>, of what a file would hold.</summary>
    /// <param name="stream">From where the stream stands to its end.</param>
    /// <param name="path">What the file is called.</param>
    public EpochSums Read(Stream stream, string path)
    {
        SafetensorsFile file;
        try
        {
            file = SafetensorsFile.Read(stream);
        }
        catch (NetworkException e)
        {
            throw new InvalidDataException($"'{path}' is no checkpoint: {e.Message}", e);
        }

        if (file.Metadata.GetValueOrDefault(FormatKey) != Format
            || !long.TryParse(file.Metadata.GetValueOrDefault(StepsKey), NumberStyles.None, CultureInfo.InvariantCulture, out var done))
        {
            throw new InvalidDataException($"'{path}' holds tensors but is no checkpoint of a training; give one that a training wrote.");
        }

        if (file.Metadata.GetValueOrDefault(SettingsKey) is var written && written != settings)
        {
            var other = OneLine.Short(OneLine.Clean(written ?? "none"));
            throw new InvalidDataException(
                $"'{path}' is of a training with other settings: {other}; this one has {settings}. Go on with the same, or begin anew.");
        }

        if (done > steps)
            throw new InvalidDataException($"'{path}' is damaged: it stands at step {done} of {steps}. Begin anew.");
        var sums = Sums(file.Metadata, done) ?? throw new InvalidDataException(
            $"'{path}' is damaged: what its epoch has added up to cannot be that of step {done}. Begin anew.");
        Check(file, path);
        foreach (var value in Stored())
            file.Tensors[value.Name].Span<float>().CopyTo(step.Stored(value));
        step.Steps = done;
        return sums;
    }

    // None in files that were written before figures were kept: those of the epoch then cover the steps behind.
    private EpochSums? Sums(IReadOnlyDictionary<string, string> metadata, long done)
    {
        if (!metadata.ContainsKey(EpochStepsKey) && !metadata.ContainsKey(EpochLossKey) && !metadata.ContainsKey(EpochRightKey))
            return default(EpochSums);

        // At an epoch's end its sums are there until it has been told, and then gone.
        var most = done == 0 ? 0 : (int)((done - 1) % stepsPerEpoch) + 1;
        var culture = CultureInfo.InvariantCulture;
        return int.TryParse(metadata.GetValueOrDefault(EpochStepsKey), NumberStyles.None, culture, out var count) && count <= most
            && double.TryParse(metadata.GetValueOrDefault(EpochLossKey), NumberStyles.Float, culture, out var loss)
            && double.IsFinite(loss) && (count > 0 || loss == 0)
            && long.TryParse(metadata.GetValueOrDefault(EpochRightKey), NumberStyles.None, culture, out var right)
            && right <= (long)count * step.BatchSize
            ? new EpochSums(count, loss, right)
            : null;
    }

    // What was written had no number that is none among its weights: whoever went on from one would learn of it a step later.
    private void Check(SafetensorsFile file, string path)
    {
        foreach (var value in Stored())
        {
            if (!file.Tensors.TryGetValue(value.Name, out var tensor) || tensor.Type.Element != value.Type.Element
                || tensor.Type.Shape != value.Type.Shape)
            {
                throw new InvalidDataException($"'{path}' has no tensor '{value.Name}' of {value.Type}; is it of another network?");
            }
        }

        foreach (var value in step.Weights)
        {
            foreach (var number in file.Tensors[value.Name].Span<float>())
            {
                if (!float.IsFinite(number))
                {
                    throw new InvalidDataException(
                        FormattableString.Invariant($"'{path}' is damaged: its '{value.Name}' holds {number}. Begin anew."));
                }
            }
        }
    }

    private Dictionary<string, TensorData> Tensors() =>
        Stored().ToDictionary(value => value.Name, value => new TensorData(value.Type, step.Stored(value).ToArray()));

    private Dictionary<string, string> Metadata(EpochSums sums) => new()
    {
        [FormatKey] = Format,
        [StepsKey] = step.Steps.ToString(CultureInfo.InvariantCulture),
        [SettingsKey] = settings,
        [EpochStepsKey] = sums.Steps.ToString(CultureInfo.InvariantCulture),
        [EpochLossKey] = sums.Loss.ToString("R", CultureInfo.InvariantCulture),
        [EpochRightKey] = sums.Right.ToString(CultureInfo.InvariantCulture),
    };

    private IEnumerable<Value> Stored()
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
