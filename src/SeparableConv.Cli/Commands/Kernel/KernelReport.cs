namespace SeparableConv.Cli.Commands;

/// <summary>What a kernel separates into, as text or as JSON.</summary>
/// <param name="Decomposition">All of it.</param>
/// <param name="Terms">The terms asked for.</param>
/// <param name="Plan">How pictures would be filtered.</param>
internal sealed record KernelReport(KernelDecomposition Decomposition, SeparableKernel Terms, FilterPlan Plan)
{
    // More would be no help on a screen; JSON has all.
    private const int LargestMatrixPrinted = 9;
    private const int LongestFactorPrinted = 15;
    private const int MostTermsPrinted = 6;
    private const int LabelWidth = 17;

    private FilterKernel Kernel => Decomposition.Kernel;

    /// <summary>Prints it for people.</summary>
    public void Print(TextWriter output)
    {
        output.WriteLine($"{Kernel.Name}, {Kernel.Size}, sum {Numbers.Short(Kernel.Sum)}");
        if (Kernel.Height <= LargestMatrixPrinted && Kernel.Width <= LargestMatrixPrinted)
            PrintMatrix(output);

        Line(output, "rank", $"{Decomposition.Rank}{(Decomposition.IsSeparable ? ": separable" : "")}");
        Line(output, "singular values", Values(Decomposition.SingularValues));
        for (var t = 0; t < Math.Min(Terms.Rank, MostTermsPrinted); t++)
        {
            Line(output, $"term {t + 1}", "column " + Values(Terms.Terms[t].Column));
            Line(output, "", "row    " + Values(Terms.Terms[t].Row));
        }

        if (Terms.Rank > MostTermsPrinted)
            Line(output, "", $"and {Terms.Rank - MostTermsPrinted} more terms; --json prints all");
        var (worst, inKernel) = (Numbers.Short(WorstError), Numbers.Short(Terms.MaxError));
        Line(output, "error", $"{worst} at most in an output, for inputs between -1 and 1; {inKernel} in a number of the kernel");
        var terms = Terms.Rank == 1 ? "1 separable term" : $"{Terms.Rank} separable terms";
        Line(output, "multiplications", $"a pixel: {Numbers.Count(Dense)} dense, {Numbers.Count(Separable)} in {terms}");
        Line(output, "plan", $"{PlanNames.Of(Plan.Chosen)}, for {PlanNames.Of(Plan.Shape)} pictures");
        Line(output, "why", Plan.Reason);
    }

    /// <summary>Prints one line of JSON.</summary>
    public void PrintJson(TextWriter output) => Json.Print(output, json =>
    {
        json.WriteStartObject();
        json.Shape("size", Kernel.Height, Kernel.Width);
        json.WriteNumber("rank", Decomposition.Rank);
        json.Numbers("singularValues", Decomposition.SingularValues);
        json.WriteStartArray("terms");
        foreach (var term in Terms.Terms)
        {
            json.WriteStartObject();
            json.Numbers("column", term.Column);
            json.Numbers("row", term.Row);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.Number("error", WorstError);
        json.WriteStartObject("multiplicationsPerPixel");
        json.WriteNumber("dense", Dense);
        json.WriteNumber("separable", Separable);
        json.WriteEndObject();
        json.WriteString("plan", PlanNames.Of(Plan.Chosen));
        json.WriteString("reason", Plan.Reason);
        json.WriteString("name", Kernel.Name);
        json.Number("errorBound", Decomposition.ErrorBound(Terms.Rank));
        json.Number("kernelError", Terms.MaxError);
        json.WriteEndObject();
    });

    private double WorstError => Decomposition.WorstError(Terms.Rank);

    private long Dense => ConvCost.FilterMultiplications(Kernel.Size);

    private long Separable => ConvCost.FilterMultiplications(Kernel.Size, Terms.Rank);

    private static void Line(TextWriter output, string label, string text) => output.WriteLine(label.PadRight(LabelWidth) + text);

    private static string Values(ReadOnlySpan<double> values)
    {
        var shown = values.Length <= LongestFactorPrinted ? values : values[..LongestFactorPrinted];
        var text = string.Join(' ', Array.ConvertAll(shown.ToArray(), Numbers.Short));
        return shown.Length == values.Length ? text : $"{text} ... ({values.Length} in all; --json prints them)";
    }

    private void PrintMatrix(TextWriter output)
    {
        var cells = Array.ConvertAll(Kernel.Values.ToArray(), Numbers.Short);
        var width = cells.Max(c => c.Length);
        output.WriteLine();
        for (var i = 0; i < Kernel.Height; i++)
        {
            output.WriteLine(
                "  " + string.Join("  ", cells.AsSpan(i * Kernel.Width, Kernel.Width).ToArray().Select(c => c.PadLeft(width))));
        }

        output.WriteLine();
    }
}
