using SeparableConv.Cli.Options;

namespace SeparableConv.Cli.Commands;

/// <summary>What came out of a network's trainings.</summary>
/// <param name="Form">The network.</param>
/// <param name="Trainings">One for each seed.</param>
/// <param name="ToStandard">
/// How far its accuracy is above that of the standard network with as many filters, mean over the seeds; null for standard ones.
/// </param>
/// <param name="AtEqualParameters">
/// How far its accuracy is above that of a standard network with as many parameters: between the two that were trained, by the logarithm of
/// their parameters. Null for standard ones and beyond those that were trained.
/// </param>
internal sealed record ComparedNetwork(
    NetworkForm Form, IReadOnlyList<ComparedTraining> Trainings, double? ToStandard, double? AtEqualParameters)
{
    /// <summary>Parameters.</summary>
    public long Parameters => Trainings[0].Parameters;

    /// <summary>Multiply-accumulates a picture.</summary>
    public long Macs => Trainings[0].Macs;

    /// <summary>The mean time of a training.</summary>
    public double Seconds => Trainings.Average(training => training.Seconds);

    /// <summary>The mean accuracy.</summary>
    public double Accuracy => Trainings.Average(training => training.Accuracy);

    /// <summary>The worst training's accuracy.</summary>
    public double Least => Trainings.Min(training => training.Accuracy);

    /// <summary>The best training's.</summary>
    public double Most => Trainings.Max(training => training.Accuracy);

    /// <summary>The standard deviation of the accuracies (that of a sample); 0 for a single one.</summary>
    public double Deviation => Trainings.Count == 1
        ? 0
        : Math.Sqrt(Trainings.Sum(training => Math.Pow(training.Accuracy - Accuracy, 2)) / (Trainings.Count - 1));

    /// <summary>Puts trainings together and beside those of standard networks.</summary>
    public static IReadOnlyList<ComparedNetwork> Of(ComparisonSettings settings, IEnumerable<ComparedTraining> trainings)
    {
        var seeds = settings.AllSeeds.ToHashSet();
        var byForm = trainings.Where(training => seeds.Contains(training.Seed)).ToLookup(training => training.Form);
        ComparedNetwork[] plain = [.. settings.Forms.Select(form => new ComparedNetwork(
            form, [.. byForm[form].OrderBy(training => training.Seed)], null, null))];
        ComparedNetwork[] standard = [.. plain.Where(network => network.Form.Convolutions == Convolutions.Standard)];
        return
        [
            .. plain.Select(network => network.Form.Convolutions == Convolutions.Standard ? network : network with
            {
                ToStandard = network.Accuracy - standard.Single(twin => twin.Form.Filters == network.Form.Filters).Accuracy,
                AtEqualParameters = network.Accuracy - AccuracyAt(network.Parameters, standard),
            }),
        ];
    }

    private static double? AccuracyAt(long parameters, ComparedNetwork[] rising)
    {
        for (var i = 1; i < rising.Length; i++)
        {
            var (low, high) = (rising[i - 1], rising[i]);
            if (parameters < low.Parameters || parameters > high.Parameters)
                continue;
            var share = Math.Log((double)parameters / low.Parameters) / Math.Log((double)high.Parameters / low.Parameters);
            return low.Accuracy + (share * (high.Accuracy - low.Accuracy));
        }

        return null;
    }
}
