namespace SeparableConv.Cli.Commands;

/// <summary>What a bank of kernels separates into, as text or as JSON.</summary>
/// <param name="Bank">All of it.</param>
/// <param name="Terms">The terms asked for, kernel by kernel.</param>
/// <param name="Forms">The bank without sharing, then with each way of it, all of about the same error.</param>
internal sealed record KernelBankReport(
    KernelBankDecomposition Bank, IReadOnlyList<SeparableKernel> Terms, IReadOnlyList<KernelBankForm> Forms)
{
    // More would be no help on a screen; JSON has all.
    private const int MostKernelsPrinted = 32;

    /// <summary>Prints it for people.</summary>
    public void Print(Terminal terminal)
    {
        var count = Bank.Kernels.Count;
        terminal.Output.WriteLine(
            $"{count} kernels, {Bank.Size}; multiplications are a pixel's, errors those of an output for inputs between -1 and 1");
        terminal.Output.WriteLine();
        var kernels = new TextTable("kernel", "rank", "terms", "multiplications", "error at most");
        for (var n = 0; n < Math.Min(count, MostKernelsPrinted); n++)
        {
            kernels.Add(
                Terms[n].Name, Numbers.Count(Bank.Kernels[n].Rank), Numbers.Count(Terms[n].Rank), Numbers.Count(Separable(n)),
                Numbers.Short(WorstError(n)));
        }

        kernels.Print(terminal);
        if (count > MostKernelsPrinted)
            terminal.Output.WriteLine($"and {count - MostKernelsPrinted} more kernels; --json prints all");
        terminal.Output.WriteLine();

        var forms = new TextTable("all together", "terms", "multiplications", "error at most", "Frobenius error");
        forms.Add("dense", "-", Numbers.Count(Dense), "0", "0");
        foreach (var form in Forms)
        {
            forms.Add(
                Words(form.Sharing), Numbers.Count(form.Terms), Numbers.Count(form.MultiplicationsPerPixel), Numbers.Short(form.WorstError),
                Numbers.Short(form.FrobeniusError));
        }

        forms.Print(terminal);
        terminal.Output.WriteLine();
        var fewest = Forms.MinBy(f => f.MultiplicationsPerPixel)!;
        terminal.Output.WriteLine(fewest.MultiplicationsPerPixel < Dense
            ? $"fewest multiplications: {Words(fewest.Sharing)}, {Numbers.Count(fewest.MultiplicationsPerPixel)} of {Numbers.Count(Dense)}"
            : "fewest multiplications: dense");
    }

    /// <summary>Prints one line of JSON.</summary>
    public void PrintJson(TextWriter output) => Json.Print(output, json =>
    {
        json.WriteStartObject();
        json.WriteNumber("count", Bank.Kernels.Count);
        json.Shape("size", Bank.Size.Height, Bank.Size.Width);
        json.WriteStartArray("kernels");
        for (var n = 0; n < Terms.Count; n++)
        {
            json.WriteStartObject();
            json.WriteString("name", Terms[n].Name);
            json.WriteNumber("rank", Bank.Kernels[n].Rank);
            json.WriteNumber("terms", Terms[n].Rank);
            json.WriteNumber("multiplicationsPerPixel", Separable(n));
            json.Number("error", WorstError(n));
            json.Number("kernelError", Terms[n].MaxError);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("denseMultiplicationsPerPixel", Dense);
        json.WriteStartArray("forms");
        foreach (var form in Forms)
        {
            json.WriteStartObject();
            json.WriteString("shared", Word(form.Sharing));
            json.WriteNumber("terms", form.Terms);
            json.WriteNumber("multiplicationsPerPixel", form.MultiplicationsPerPixel);
            json.Number("error", form.WorstError);
            json.Number("frobeniusError", form.FrobeniusError);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    private long Dense => Bank.DenseMultiplicationsPerPixel;

    private static string Words(BankSharing sharing) =>
        sharing == BankSharing.Nothing ? "each by itself" : $"shared {Word(sharing)}";

    private static string Word(BankSharing sharing) => sharing switch
    {
        BankSharing.Nothing => "nothing",
        BankSharing.Columns => "columns",
        BankSharing.Rows => "rows",
        _ => "kernels",
    };

    private double WorstError(int kernel) => Bank.Kernels[kernel].WorstError(Terms[kernel].Rank);

    private long Separable(int kernel) => ConvCost.FilterMultiplications(Bank.Size, Terms[kernel].Rank);
}
