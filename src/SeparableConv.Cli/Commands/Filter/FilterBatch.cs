using SeparableConv.Cli.Pictures;

namespace SeparableConv.Cli.Commands;

/// <summary>Filters one picture or many.</summary>
/// <param name="terminal">Where pictures come from and reports go.</param>
/// <param name="settings">What is done with every picture.</param>
/// <param name="inputs">The pictures' files, or - for standard input.</param>
/// <param name="target">Where results go.</param>
/// <param name="json">Whether reports are JSON.</param>
internal sealed class FilterBatch(Terminal terminal, FilterSettings settings, IReadOnlyList<string> inputs, FilterTarget target, bool json)
{
    private readonly PictureFilter _filter = new(settings);

    // A picture on standard output must not be mixed with words.
    private TextWriter Reports => target.IsStandardOutput ? terminal.Error : terminal.Output;

    /// <summary>Filters every picture. Of many, those that cannot be read or written are reported and passed over.</summary>
    /// <exception cref="InputException">A picture failed.</exception>
    public void Run()
    {
        target.Prepare(inputs);
        if (target.IsDirectory)
            RunMany();
        else
            RunOne();
    }

    private void RunOne()
    {
        var report = Filter(inputs[0]);
        if (json)
            Json.Print(Reports, report.Write);
        else
            report.Print(Reports, terminal with { IsInteractive = terminal.IsInteractive && !target.IsStandardOutput });
    }

    private void RunMany()
    {
        var batch = Batch.Run(terminal, "filtering", inputs, Filter, json ? null : report => report.PrintLine(terminal.Output));
        if (batch.HadBar)
            terminal.Output.WriteLine($"{batch.Reports.Count} pictures in {target.Output}");
        if (json)
        {
            Json.Print(Reports, writer =>
            {
                writer.WriteStartArray();
                foreach (var report in batch.Reports)
                    report.Write(writer);
                writer.WriteEndArray();
            });
        }

        if (batch.Failed > 0)
            throw new InputException($"{batch.Failed} of {inputs.Count} pictures failed; the others are in '{target.Output}'.");
    }

    private FilterReport Filter(string input)
    {
        var picture = PictureFile.Load(input, terminal, settings.Reading);
        var path = target.PathFor(input);
        var extension = target.IsStandardOutput ? target.StreamExtension(picture) : Path.GetExtension(path);
        var (result, report) = _filter.Run(picture, input, path, PictureFile.HoldsProfile(extension));
        if (target.IsStandardOutput)
            PictureFile.Write(result, terminal, extension);
        else
            PictureFile.Save(result, path);
        return report;
    }
}
