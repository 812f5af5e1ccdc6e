using SeparableConv.Cli.Options;

namespace SeparableConv.Cli.Commands;

/// <summary>What <c>sepconv train --compare</c> was asked to do.</summary>
/// <param name="Training">How each network is trained; its output is the report.</param>
/// <param name="Filters">The widths that are compared, rising.</param>
/// <param name="Multipliers">The depth multipliers of the separable networks, rising.</param>
/// <param name="Seeds">Trainings of each network, the first with the seed of <paramref name="Training"/>.</param>
internal sealed record ComparisonSettings(TrainSettings Training, int[] Filters, int[] Multipliers, int Seeds)
{
    /// <summary>The trainings that have been done, a line each.</summary>
    public string Runs => Path.ChangeExtension(Training.Output, ".runs.jsonl");

    /// <summary>All networks: width by width, the standard one first.</summary>
    public IEnumerable<NetworkForm> Forms =>
        from filters in Filters
        from form in Multipliers.Select(m => new NetworkForm(Convolutions.Separable, filters, m))
            .Prepend(new NetworkForm(Convolutions.Standard, filters, 1))
        select form;

    /// <summary>The seeds.</summary>
    public IEnumerable<int> AllSeeds => Enumerable.Range(Training.Options.Seed, Seeds);

    /// <summary>
    /// What all trainings have in common, as it is typed. Threads change no result, and seeds are told with each training.
    /// </summary>
    public IEnumerable<(string Name, string Value)> Common =>
        Training.Describe(Training.Options.Steps ?? 0).Where(option => option.Name is not ("threads" or "seed"));
}
