namespace SeparableConv.Networks.Separating;

/// <summary>A form that a layer could have.</summary>
/// <param name="Form">The form; null for the layer as it is.</param>
/// <param name="Cost">What it costs, in the unit of the budget.</param>
/// <param name="Error">What it adds to the network's error, a share of the variance of its scores.</param>
internal readonly record struct FormOption(LayerForm? Form, double Cost, double Error);

/// <summary>
/// One form for every layer, so that their errors together are least for what they cost together.
/// </summary>
/// <remarks>
/// At a price for cost, each layer by itself takes the option of least error + price*cost; every choice so made is the best for what it
/// costs (Everett, 1963). The lowest price that keeps the budget is searched for, and what is left is then spent where it buys most.
/// </remarks>
internal static class FormChoice
{
    private const int Halvings = 60;

    /// <summary>Chooses within a budget; the cheapest of all where none keeps it.</summary>
    /// <param name="layers">The options of each layer, at least one.</param>
    /// <param name="budget">What they may cost together.</param>
    /// <returns>An option for each layer.</returns>
    public static FormOption[] Within(IReadOnlyList<FormOption[]> layers, double budget)
    {
        var (low, high) = (-60.0, 60.0);
        for (var i = 0; i < Halvings; i++)
        {
            var middle = (low + high) / 2;
            if (Cost(AtPrice(layers, Math.Exp(middle))) <= budget)
                high = middle;
            else
                low = middle;
        }

        var chosen = AtPrice(layers, Math.Exp(high));
        while (Improve(layers, chosen, budget - Cost(chosen)))
        {
        }

        return chosen;
    }

    /// <summary>What a choice costs.</summary>
    public static double Cost(FormOption[] chosen) => chosen.Sum(option => option.Cost);

    /// <summary>What a choice adds to the error.</summary>
    public static double Error(FormOption[] chosen) => chosen.Sum(option => option.Error);

    private static FormOption[] AtPrice(IReadOnlyList<FormOption[]> layers, double price) =>
        [.. layers.Select(options => options.MinBy(option => option.Error + (price * option.Cost)))];

    private static bool Improve(IReadOnlyList<FormOption[]> layers, FormOption[] chosen, double left)
    {
        var (best, at, to) = (0.0, -1, default(FormOption));
        for (var i = 0; i < chosen.Length; i++)
        {
            foreach (var option in layers[i])
            {
                var (dearer, gain) = (option.Cost - chosen[i].Cost, chosen[i].Error - option.Error);
                if (gain <= 0 || dearer > left)
                    continue;
                var rate = dearer <= 0 ? double.MaxValue : gain / dearer;
                if (rate > best)
                    (best, at, to) = (rate, i, option);
            }
        }

        if (at < 0)
            return false;
        chosen[at] = to;
        return true;
    }
}
