namespace SeparableConv.Networks.Separating;

/// <summary>One layer before the choice: what it could become, for what error and cost.</summary>
internal sealed class LayerStudy
{
    // So many forms of a family are timed; a layer that takes long has fewer.
    private const int MostTimed = 10;
    private const int FewestTimed = 4;
    private const double LongMilliseconds = 5;

    private readonly List<(LayerForm Form, double Error)> _forms = [];

    public LayerStudy(StandardLayer layer) => Splits = new(layer);

    public LayerSplits Splits { get; }

    public StandardLayer Layer => Splits.Layer;

    public string Name => Layer.Node.Name;

    /// <summary>What the network's error grows by for each unit of the layer's own.</summary>
    public double Sensitivity { get; set; } = 1;

    /// <summary>Looks at the forms of a method.</summary>
    public void Look(SeparationMethod method, bool isUniform, PatchMoments moments)
    {
        foreach (var family in Splits.Families(method, isUniform))
            _forms.AddRange(family.Forms.Zip(moments.Errors(family)));
    }

    /// <summary>The form whose cost is nearest to a share of the layer's; null where there is none.</summary>
    public (LayerForm Form, double Error)? Near(double share)
    {
        if (_forms.Count == 0)
            return null;
        return _forms.OrderBy(one => Math.Abs(Math.Log((double)Chain(one.Form).Macs(Input) / (share * Layer.Macs)))).First();
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
            .. forms.Select(one => new FormOption(one.Form, Cost(goal, timer, one.Form), Sensitivity * one.Error))
                .Where(option => option.Cost < whole),
        ];
    }

    public StageChain Chain(LayerForm? form) => form is null ? StageChain.Whole(Layer) : Splits.Build(form);

    private TensorShape Input => Layer.Node.Inputs[0]!.Shape;

    private double Cost(SeparationGoal goal, LayerTimer timer, LayerForm? form) => goal switch
    {
        SeparationGoal.Latency => timer.Time(Layer, form?.ToString() ?? "", Chain(form)),
        SeparationGoal.Parameters => Chain(form).Parameters,
        _ => Chain(form).Macs(Input),
    };

    private static IEnumerable<T> Thinned<T>(T[] all, int most)
    {
        if (all.Length <= most)
            return all;
        return Enumerable.Range(0, most).Select(i => all[i * (all.Length - 1) / (most - 1)]);
    }
}
