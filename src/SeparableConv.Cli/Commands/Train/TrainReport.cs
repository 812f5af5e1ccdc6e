using System.Globalization;
using System.Text;

namespace SeparableConv.Cli.Commands;

/// <summary>Writes the report on a training: one page of HTML (well-formed XML too) that needs no other file and runs no script.</summary>
internal static class TrainReport
{
    private const int LeastPictureSide = 96;

    /// <summary>Writes it.</summary>
    public static string Write(TrainResult result)
    {
        var evaluation = result.Evaluation;
        var page = HtmlPage.Begin(result.Files.Model);
        page.Append(
            CultureInfo.InvariantCulture,
            $"<p class=\"large\">{TrainDisplay.Percent(evaluation.Accuracy)} of {Numbers.Count(evaluation.Count)} {result.EvaluatedName} ")
            .Append(CultureInfo.InvariantCulture, $"pictures right; top 5 {TrainDisplay.Percent(evaluation.Top5Accuracy)}, ")
            .Append(CultureInfo.InvariantCulture, $"loss {Numbers.Short(evaluation.Loss)}</p>\n");
        if (result.IsCut)
            page.Append("<p>The time was over before the planned steps were.</p>\n");
        Curves(page, result.Epochs);
        Classes(page, evaluation);
        Confusion(page, evaluation);
        Mistakes(page, result);
        Facts(page, result);
        return HtmlPage.End(page);
    }

    private static void Curves(StringBuilder page, IReadOnlyList<EpochFigures> epochs)
    {
        if (epochs.Count == 0)
            return;
        page.Append("<h2>Curves</h2>\n<div class=\"plots\">")
            .Append(LearningCurves.Draw("loss", epochs, epoch => epoch.Loss, epoch => epoch.ValidationLoss))
            .Append(LearningCurves.Draw("accuracy", epochs, epoch => epoch.Accuracy, epoch => epoch.ValidationAccuracy))
            .Append("</div>\n<p>Training figures are those of the batches while the network learned from them, augmented.</p>\n");
    }

    private static void Classes(StringBuilder page, Evaluation evaluation)
    {
        page.Append("<h2>Classes</h2>\n");
        HtmlPage.BeginTable(page, "class", "precision", "recall", "pictures");
        foreach (var (name, precision, recall, count) in ClassFigures.Of(evaluation))
            HtmlPage.Row(page, name, ClassFigures.Text(precision), ClassFigures.Text(recall), Numbers.Count(count));
        page.Append("</table>\n");
    }

    private static void Confusion(StringBuilder page, Evaluation evaluation)
    {
        var classes = evaluation.Classes;
        if (classes.Count > ClassFigures.MostTableClasses)
        {
            page.Append("<h2>Most frequent confusions</h2>\n");
            HtmlPage.BeginTable(page, "class", "told as", "pictures");
            foreach (var (label, predicted, count) in ClassFigures.Confusions(evaluation).Take(50))
                HtmlPage.Row(page, classes[label], classes[predicted], Numbers.Count(count));
            page.Append("</table>\n");
            return;
        }

        page.Append("<h2>Confusion</h2>\n<p>A row a class, a column what it was told as.</p>\n<table class=\"confusion\"><tr><th></th>");
        foreach (var name in classes)
            page.Append(CultureInfo.InvariantCulture, $"<th>{HtmlPage.Encoded(name)}</th>");
        page.Append("</tr>\n");
        for (var label = 0; label < classes.Count; label++)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{HtmlPage.Encoded(classes[label])}</td>");
            var all = Math.Max(1, Enumerable.Range(0, classes.Count).Sum(p => evaluation.Confusion(label, p)));
            for (var predicted = 0; predicted < classes.Count; predicted++)
            {
                var count = evaluation.Confusion(label, predicted);
                var color = label == predicted ? "44,123,182" : "215,48,39";
                var shade = Math.Sqrt((double)count / all);
                page.Append(CultureInfo.InvariantCulture, $"<td style=\"background:rgba({color},{shade:0.00})\">")
                    .Append(count == 0 ? "" : Numbers.Count(count))
                    .Append("</td>");
            }

            page.Append("</tr>\n");
        }

        page.Append("</table>\n");
    }

    private static void Mistakes(StringBuilder page, TrainResult result)
    {
        var (evaluation, data) = (result.Evaluation, result.Evaluated);
        if (evaluation.Mistakes.Count == 0)
            return;
        page.Append("<h2>Surest mistakes</h2>\n<div>");
        foreach (var mistake in evaluation.Mistakes)
        {
            var side = Math.Max(LeastPictureSide, data.Width);
            page.Append(CultureInfo.InvariantCulture, $"<figure><img width=\"{side}\" alt=\"sample {mistake.Index}\" src=\"")
                .Append(DataUri(data, mistake.Index))
                .Append(CultureInfo.InvariantCulture, $"\"/><figcaption>{HtmlPage.Encoded(evaluation.Classes[mistake.Label])}, told as ")
                .Append(CultureInfo.InvariantCulture, $"{HtmlPage.Encoded(evaluation.Classes[mistake.Predicted])} ")
                .Append(CultureInfo.InvariantCulture, $"({TrainDisplay.Percent(mistake.Probability)})</figcaption></figure>\n");
        }

        page.Append("</div>\n");
    }

    private static void Facts(StringBuilder page, TrainResult result)
    {
        page.Append("<h2>Training</h2>\n<table>");
        foreach (var (name, value) in result.Settings.Describe(result.Trainer.Steps))
            HtmlPage.Row(page, $"--{name}", value);
        HtmlPage.Row(page, "pictures to learn from", result.Training.ToString());
        HtmlPage.Row(page, "pictures to validate", result.Validation?.ToString() ?? "none");
        HtmlPage.Row(page, "mean and std", $"{result.Trainer.Normalization}");
        HtmlPage.Row(page, "steps", $"{Numbers.Count(result.Trainer.StepsDone)}, {Numbers.Count(result.Trainer.StepsPerEpoch)} an epoch");
        HtmlPage.Row(page, "parameters", Numbers.Count(result.Trained.ParameterCount));
        HtmlPage.Row(page, "multiply-accumulates a picture", Numbers.Count(result.Macs));
        HtmlPage.Row(page, "memory of a step", Numbers.Bytes(result.Trainer.MemoryBytes));
        HtmlPage.Row(page, "time", TrainDisplay.Time(result.Time));
        HtmlPage.Row(page, "processor", MachineInfo.ProcessorName);
        page.Append("</table>\n");
    }

    private static string DataUri(PictureDataSet data, int index)
    {
        var pixels = new byte[data.PictureBytes];
        data.Read(index, pixels);
        using var png = new MemoryStream();
        ImageFile.Save(Image.Create(data.Width, data.Height, data.Channels, pixels), png, ".png");
        return "data:image/png;base64," + Convert.ToBase64String(png.GetBuffer(), 0, (int)png.Length);
    }
}
