using System.Globalization;

namespace SeparableConv.Cli.Commands;

/// <summary>How well one class is told from the others.</summary>
/// <param name="Name">The class.</param>
/// <param name="Precision">Of the pictures that were given this class, the share that are of it; NaN where none was.</param>
/// <param name="Recall">Of the pictures of this class, the share that were given it; NaN where there are none.</param>
/// <param name="Count">Pictures of this class.</param>
internal sealed record ClassFigures(string Name, double Precision, double Recall, int Count)
{
    /// <summary>Classes up to which a table of all confusions is still read.</summary>
    public const int MostTableClasses = 60;

    /// <summary>The figures of every class.</summary>
    public static ClassFigures[] Of(Evaluation evaluation)
    {
        var figures = new ClassFigures[evaluation.Classes.Count];
        for (var c = 0; c < figures.Length; c++)
        {
            var (given, there) = (0, 0);
            for (var other = 0; other < figures.Length; other++)
            {
                given += evaluation.Confusion(other, c);
                there += evaluation.Confusion(c, other);
            }

            double right = evaluation.Confusion(c, c);
            figures[c] = new(Failure.OneLine(evaluation.Classes[c]), right / given, right / there, there);
        }

        return figures;
    }

    /// <summary>Pairs of classes that were taken for each other, the most frequent first.</summary>
    public static IEnumerable<(int Label, int Predicted, int Count)> Confusions(Evaluation evaluation)
    {
        var classes = evaluation.Classes.Count;
        return
            from label in Enumerable.Range(0, classes)
            from predicted in Enumerable.Range(0, classes)
            where label != predicted && evaluation.Confusion(label, predicted) > 0
            orderby evaluation.Confusion(label, predicted) descending
            select (label, predicted, evaluation.Confusion(label, predicted));
    }

    /// <summary>A share with three decimals, a dash for none.</summary>
    public static string Text(double share) => double.IsFinite(share) ? share.ToString("0.000", CultureInfo.InvariantCulture) : "-";
}
