namespace SeparableConv.Networks.Separating;

/// <summary>One layer before the choice: what it could become, for what error and cost.</summary>
internal sealed class LayerStudy
{
    // So many forms of a family are timed; a layer that takes long has fewer.
    private const int MostTimed = 10;
    private const int FewestTimed = 4;
    private const double LongMilliseconds = 5;

    private const double LeastRatio = 0.2;

    private readonly List<(LayerForm Form, double Error)> _forms = [];
    private readonly List<(double Error, double Harm)> _measured = [];

    public LayerStudy(StandardLayer layer, int threads) => Splits = new(layer, threads);

    public LayerSplits Splits { get; }

    public StandardLayer Layer => Splits.Layer;

    public string Name => Layer.Node.Name;

    /// <summary>Whether any form costs less than the layer.</summary>
    public bool HasForms => _forms.Count > 0;

    /// <summary>Looks at the forms of a method.</summary>
    public void Look(SeparationMethod method, bool isUniform, PatchMoments moments)
    {
        foreach (var family in Splits.Families(method, isUniform, moments))
            _forms.AddRange(family.Forms.Zip(moments.Errors(family)));
    }

    /// <summary>The forms whose errors are nearest to some.</summary>
    public IEnumerable<(LayerForm Form, double Error)> Near(IEnumerable<double> errors) => _forms.Count == 0
        ? []
        : errors.Select(error => _forms.MinBy(one => Math.Abs(Math.Log((one.Error + 1e-9) / error)))).Distinct();

    /// <summary>Takes down that an error of the layer's own was seen to do so much harm to the network's scores.</summary>
    public void Measured(double error, double harm)
    {
        // Of errors that are nearly the same one is enough: what lies between them would tell nothing of those beyond.
        if (_measured.Exists(one => Math.Abs(Math.Log(one.Error / error)) < LeastRatio))
            return;
        _measured.Add((error, harm));
        _measured.Sort();
    }

    /// <summary>
    /// The harm that an error of the layer's own does: between two that were measured a power of it, below the smallest in proportion.
    /// </summary>
    public double Harm(double error)
    {
        if (_measured.Count == 0 || error <= 0)
            return error;
        var after = _measured.FindIndex(one => one.Error >= error);
        if (after == 0 || _measured.Count == 1)
            return _measured[0].Harm * error / _measured[0].Error;
        if (after < 0)
            after = _measured.Count - 1;
        var (low, high) = (_measured[after - 1], _measured[after]);
        var power = Math.Log(high.Harm / low.Harm) / Math.Log(high.Error / low.Error);
        return high.Harm * Math.Pow(error / high.Error, Math.Max(0, power));
    }

    /// <summary>The layer as it is, and each form that costs less.</summary>
    public FormOption[] Options(SeparationGoal goal, LayerTimer timer)
    {
        var whole = Cost(goal, timer, null);
        IEnumerable<(LayerForm Form, double Error)> forms = _forms;
        if (goal == SeparationGoal.Latency)
        {
            var most = whole > LongMilliseconds ? FewestTimed : MostTimed;
            forms = _forms.GroupBy(one => one.Form.Method).SelectMany(family => Thinned([.. family.OrderBy(one => one.Error)], most));
        }

        return
        [
            new(null, whole, 0),
            .. forms.Select(one => new FormOption(one.Form, Cost(goal, timer, one.Form), Harm(one.Error)))
                .Where(option => option.Cost < whole),
        ];
    }

    public StageChain Chain(LayerForm? form) => form is null ? StageChain.Whole(Layer) : Splits.Build(form);

    private double Cost(SeparationGoal goal, LayerTimer timer, LayerForm? form) => goal switch
    {
        SeparationGoal.Latency => timer.Time(Layer, form?.ToString() ?? "", Chain(form)),
        SeparationGoal.Parameters => form is null ? Layer.Parameters : Splits.Outline(form).Parameters,
        _ => form is null ? Layer.Macs : Splits.Outline(form).Macs(Layer.Input),
    };

    private static IEnumerable<T> Thinned<T>(T[] all, int most)
    {
        if (all.Length <= most)
            return all;
        return Enumerable.Range(0, most).Select(i => all[i * (all.Length - 1) / (most - 1)]);
    }
}
