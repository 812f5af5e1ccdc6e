using System.Text.Json;

namespace SeparableConv.Cli.Commands;

/// <summary>What came out of a training.</summary>
/// <param name="Settings">What was asked.</param>
/// <param name="Files">Where it was saved.</param>
/// <param name="Training">The pictures that were learned from.</param>
/// <param name="Validation">Those that were not, or null.</param>
/// <param name="Trained">The network.</param>
/// <param name="Trainer">Has the numbers of steps and the normalization.</param>
/// <param name="Evaluation">The figures on the pictures for validation, or those for training where there are none.</param>
/// <param name="Epochs">The figures of all epochs.</param>
/// <param name="Time">How long all of it took.</param>
/// <param name="IsCut">Whether the time was over before the steps were.</param>
internal sealed record TrainResult(
    TrainSettings Settings,
    TrainFiles Files,
    PictureDataSet Training,
    PictureDataSet? Validation,
    Network Trained,
    Trainer Trainer,
    Evaluation Evaluation,
    IReadOnlyList<EpochFigures> Epochs,
    TimeSpan Time,
    bool IsCut)
{
    /// <summary>Multiply-accumulates for a picture.</summary>
    public long Macs => Trained.Macs;

    /// <summary>The pictures that the evaluation is of.</summary>
    public PictureDataSet Evaluated => Validation ?? Training;

    /// <summary>What these pictures are for, in a word.</summary>
    public string EvaluatedName => Validation is null ? "training" : "validation";

    /// <summary>Writes what is known of a training when it begins.</summary>
    public static void WriteRun(Utf8JsonWriter json, TrainSettings settings, Network network, Trainer trainer)
    {
        json.WriteStartObject("options");
        foreach (var (name, value) in settings.Describe(trainer.Steps))
            json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteNumber("parameters", network.ParameterCount);
        json.WriteNumber("macs", network.WithBatch(1).Macs);
        json.WriteNumber("steps", trainer.Steps);
        json.WriteNumber("stepsPerEpoch", trainer.StepsPerEpoch);
        json.Numbers("mean", trainer.Normalization.Mean);
        json.Numbers("std", trainer.Normalization.Deviation);
    }

    /// <summary>Prints it.</summary>
    public void Print(Terminal terminal)
    {
        if (Settings.Json)
        {
            Json.Print(terminal.Output, Write);
            return;
        }

        var output = terminal.Output;
        if (IsCut)
        {
            RunReport.Line(output, "cut", $"the time was over at step {Trainer.StepsDone} of {Trainer.Steps}: the machine was slower than "
                + "when it was measured");
        }

        RunReport.Line(output, EvaluatedName, $"accuracy {TrainDisplay.Percent(Evaluation.Accuracy)}, top 5 "
            + $"{TrainDisplay.Percent(Evaluation.Top5Accuracy)}, loss {Numbers.Short(Evaluation.Loss)}, {Numbers.Count(Evaluation.Count)} "
            + "pictures");
        RunReport.Line(output, "pixels", $"{Trainer.Normalization}, kept in the model: run and eval do it by themselves");
        RunReport.Line(output, "time", TrainDisplay.Time(Time));
        foreach (var file in (string[])[Files.Model, Files.Labels, Files.Metrics, Files.Report])
            RunReport.Line(output, "output", file);
    }

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        WriteRun(json, Settings, Trained, Trainer);
        json.WriteNumber("stepsDone", Trainer.StepsDone);
        json.WriteNumber("seed", Settings.Options.Seed);
        json.WriteString("evaluated", EvaluatedName);
        json.WriteNumber("pictures", Evaluation.Count);
        json.Number("loss", Evaluation.Loss);
        json.Number("accuracy", Evaluation.Accuracy);
        json.Number("top5", Evaluation.Top5Accuracy);
        json.Number("seconds", Math.Round(Time.TotalSeconds, 3));
        json.WriteString("output", Files.Model);
        json.WriteString("labels", Files.Labels);
        json.WriteString("metrics", Files.Metrics);
        json.WriteString("report", Files.Report);
        json.WriteEndObject();
    }
}
