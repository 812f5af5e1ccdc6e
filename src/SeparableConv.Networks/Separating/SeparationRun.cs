using SeparableConv.Networks.Rewriting;

namespace SeparableConv.Networks.Separating;

/// <summary>One separation of a network: studies the layers, chooses their forms, fits them.</summary>
internal sealed class SeparationRun
{
    // Inputs and samples by which layers are compared with each other; the fit at the end takes all.
    private const int StudiedInputs = 512;
    private const int StudiedSamples = 8192;
    private const int ProbedInputs = 256;
    private const int ProbedSamples = 6000;

    // Multiply-accumulates of one run on the inputs that layers are compared by, and on those whose scores are compared: for large networks
    // there are fewer.
    private const double ProbedMacs = 256e9;
    private const double JudgedMacs = 8e9;
    private const int FewestInputs = 2;

    // Errors of a layer by itself at which its harm to the scores is measured; fewer in networks whose layers take long.
    private const double LargeMacs = 8e9;
    private static readonly double[] ProbedErrors = [0.4, 0.2, 0.1, 0.04];
    private static readonly double[] ProbedErrorsOfLarge = [0.3, 0.1, 0.04];

    // Dense layers may read so many numbers that their covariance would not fit; they are taken apart by their weights.
    private const int LargestPatch = 8192;

    private const long MostStudiedNumbers = 64L << 20;

    // Shares that are tried where the one that keeps a bound is searched for.
    private const int Searches = 6;
    private const double SmallestShare = 0.03;

    // Of the budget of time what is aimed at, as times are never the same again, and what is near enough.
    private const double Aim = 0.96;
    private const double NearEnough = 0.92;

    private const int CurvePoints = 24;
    private const long MostGarbage = 768L << 20;

    private readonly SeparationSettings _settings;
    private readonly IProgress<SeparationProgress>? _progress;
    private readonly CancellationToken _cancellation;
    private readonly Network _folded;
    private readonly List<LayerStudy> _studies;
    private readonly LayerTimer _timer;

    // The network and the inputs as the fits run them, and what it gives; null without a calibration.
    private readonly Network? _batched;
    private readonly CalibrationSet? _probes;
    private readonly CalibrationSet? _judged;
    private readonly CalibrationSet? _fitted;
    private readonly Lazy<float[]> _scores;
    private readonly Lazy<double> _time;

    // By what is counted: when all harms are known they change no more.
    private readonly Dictionary<SeparationGoal, List<FormOption[]>> _options = [];
    private long _memory = GC.GetTotalMemory(forceFullCollection: false);
    private double _done;
    private double _steps = 1;

    public SeparationRun(SeparationSettings settings, IProgress<SeparationProgress>? progress, CancellationToken cancellation)
    {
        (_settings, _progress, _cancellation) = (settings, progress, cancellation);
        _folded = PassList.Separating.Run(settings.Network);
        var layers = _folded.Nodes.Select(StandardLayer.Of).OfType<StandardLayer>().Where(layer => !layer.IsDense || settings.TakesDense);
        _studies = [.. layers.Select(layer => new LayerStudy(layer, settings.Threads))];
        if (_studies.Count == 0)
            throw new NetworkException(Reason(_folded));
        _timer = new(settings.Threads);
        if (settings.Inputs is { } inputs)
        {
            var set = new CalibrationSet(inputs, settings.InputCount, settings.Threads);
            _batched = set.Batched(_folded);
            (_fitted, _judged) = set.HoldBack(Count(ProbedInputs, JudgedMacs));
            _probes = _fitted.First(Count(ProbedInputs, ProbedMacs));
        }

        _time = new(() => _timer.Time(_folded));
        _scores = new(() => _judged!.Scores(_batched!, cancellation));
    }

    public SeparationResult Run()
    {
        var isSearch = _settings.Goal is SeparationGoal.Error or SeparationGoal.Loss;
        _steps = Steps(isSearch);
        Study();
        var (chosen, network, fits) = isSearch ? Search() : Build(Chosen());
        return Report(chosen, network, fits);
    }

    private static string Reason(Network network)
    {
        var kinds = network.Nodes.Select(node => node.Operator.Kind).ToArray();
        if (Array.Exists(kinds, kind => kind.StartsWith("Quantized", StringComparison.Ordinal)))
            return "The network is quantized; only float32 weights are taken apart: take the float network.";
        var count = network.Nodes.Count(node => node.Operator is FloatConvOperator);
        return count == 0
            ? "The network has no convolution; there is nothing to take apart."
            : $"None of the network's {count} convolutions is a standard one with a kernel larger than 1x1 and stored weights; "
                + "depthwise and 1x1 convolutions are what others are taken apart into.";
    }

    // So many inputs that a run takes no more multiply-accumulates.
    private int Count(int most, double macs) =>
        (int)Math.Clamp(macs / Math.Max(1, _folded.Macs), Math.Min(FewestInputs, most), most);

    // About: of layers that are fitted it is not known yet which they are.
    private double Steps(bool isSearch)
    {
        var fitted = _fitted is null ? 0 : (isSearch ? Searches : 1) * (_studies.Count + 1);
        return (_studies.Count * (_fitted is null ? 1 : 2)) + fitted + (_settings.Goal == SeparationGoal.Latency ? Searches : 0) + 2;
    }

    private void Tell(string step)
    {
        _cancellation.ThrowIfCancellationRequested();

        // The patches of one layer may be hundreds of megabytes, and where there is much memory nobody hurries to clear them away.
        if (GC.GetTotalMemory(forceFullCollection: false) > _memory + MostGarbage)
        {
            GC.Collect();
            _memory = GC.GetTotalMemory(forceFullCollection: false);
        }

        _progress?.Report(new(step, Math.Min(1, _done++ / _steps)));
    }

    private void Study()
    {
        var inputs = _fitted?.First(Count(StudiedInputs, ProbedMacs));
        var studied = inputs is null ? null : new NetworkFit(_batched!, inputs, _settings.Threads, _cancellation);
        foreach (var study in _studies)
        {
            Tell($"studying {study.Name}");
            study.Look(_settings.Method, _settings.IsUniform, Moments(study.Layer, studied));
        }

        if (_probes is null)
            return;
        var fit = new NetworkFit(_batched!, _probes, _settings.Threads, _cancellation);
        var errors = _folded.Macs > LargeMacs ? ProbedErrorsOfLarge : ProbedErrors;
        var probed = _studies
            .Select(study => (Study: study, Forms: study.Near(errors).Where(one => one.Error > 0).ToArray()))
            .Where(one => one.Forms.Length > 0)
            .ToDictionary(one => one.Study.Name);
        var chains = probed.ToDictionary(
            pair => pair.Key, pair => Array.ConvertAll(pair.Value.Forms, one => pair.Value.Study.Chain(one.Form)));
        foreach (var (name, fitted) in fit.FitEach(chains, ProbedSamples, name => Tell($"weighing {name}")))
        {
            var (study, forms) = probed[name];
            var scores = LayerProbe.Scores(_batched!, name, fitted, _judged!, _cancellation);
            foreach (var ((_, error), has) in forms.Zip(scores))
            {
                if (CalibrationSet.Lost(_scores.Value, has) is > 0 and var harm)
                    study.Measured(error, harm);
            }
        }
    }

    private PatchMoments Moments(StandardLayer layer, NetworkFit? studied)
    {
        if (studied is null || layer.PatchLength > LargestPatch)
            return PatchMoments.White(layer, _settings.Threads);
        var wanted = (int)Math.Min(Math.Max(StudiedSamples, 2L * layer.PatchLength), MostStudiedNumbers / layer.PatchLength / layer.Groups);
        var (patches, samples) = studied.Patches(layer.Node.Name, wanted);
        return PatchMoments.Of(layer, patches, samples, _settings.Threads);
    }

    private FormOption[] Chosen()
    {
        if (_settings.Goal == SeparationGoal.Latency)
            return ChosenByTime();
        var chosen = Choose(_settings.Goal, _settings.Share);
        var (budget, all, whole) = Budget(_settings.Goal, _settings.Share);
        return FormChoice.Cost(chosen) is var least && least <= budget
            ? chosen
            : throw new NetworkException(
                $"The network cannot be brought to {Percent(_settings.Share)} of its {Unit(_settings.Goal)}: what can be taken apart is "
                + $"{Percent(whole / all)} of it, and {Percent((all - whole + least) / all)} is the least; ask for more.");
    }

    // Layers take other times in a network than by themselves: about the dearest choice that keeps the budget in the network. Each guess
    // is the share at which the last one's network would have been a little below it, where that lies between what is known of shares.
    private FormOption[] ChosenByTime()
    {
        var (best, least, share) = (default(FormOption[]), double.PositiveInfinity, _settings.Share);
        var (low, high) = (Math.Min(SmallestShare, share / 2), 1.0);
        FormOption[] slow = [];
        for (var i = 0; i < Searches && low < Aim * high; i++)
        {
            Tell("measuring");
            var chosen = Choose(SeparationGoal.Latency, share);

            // A lower share may choose what was too slow already; where it is the cheapest of all, every lower one does.
            if (chosen.SequenceEqual(slow))
            {
                (high, share) = (share, Math.Sqrt(low * share));
                continue;
            }

            var (before, after) = _timer.Times(_settings.Network, Finish(Chains(chosen)));
            var left = after / before;
            least = Math.Min(least, left);
            if (left <= _settings.Share)
                (best, low) = (chosen, share);
            else
                (slow, high) = (chosen, share);
            if (best == chosen && left >= NearEnough * _settings.Share)
                break;
            share *= Aim * _settings.Share / left;
            if (share <= low || share >= high)
                share = Math.Sqrt(low * high);
        }

        return best ?? throw new NetworkException(
            $"The network cannot be brought to {Percent(_settings.Share)} of its time: {Percent(least)} was the least that was measured; "
            + "ask for more.");
    }

    private FormOption[] Choose(SeparationGoal goal, double share) => FormChoice.Within(Options(goal), Budget(goal, share).Left);

    // What the layers may cost together, what the whole network costs, and what the layers do as they are.
    private (double Left, double All, double Whole) Budget(SeparationGoal goal, double share)
    {
        var whole = Options(goal).Sum(layer => layer[0].Cost);
        var all = goal switch
        {
            SeparationGoal.Latency => _time.Value,
            SeparationGoal.Parameters => _settings.Network.ParameterCount,
            _ => _folded.Macs,
        };
        return ((share * all) - (all - whole), all, whole);
    }

    private List<FormOption[]> Options(SeparationGoal goal)
    {
        if (!_options.TryGetValue(goal, out var options))
            _options[goal] = options = _studies.ConvertAll(study => study.Options(goal, _timer));
        return options;
    }

    private static string Percent(double share) => FormattableString.Invariant($"{100 * share:0.#} %");

    private static string Unit(SeparationGoal goal) => goal == SeparationGoal.Parameters ? "parameters" : "multiply-accumulates";

    private (FormOption[] Chosen, Network Network, Fits? Fits) Build(FormOption[] chosen)
    {
        var chains = Chains(chosen);
        if (_fitted is null || chains.Count == 0)
            return (chosen, Finish(chains), null);
        var fit = new NetworkFit(_batched!, _fitted, _settings.Threads, _cancellation);
        var (fitted, errors) = fit.FitAll(chains, name => Tell($"fitting {name}"));
        return (chosen, Finish(fitted), new(errors, Lost(fitted)));
    }

    private Dictionary<string, StageChain> Chains(FormOption[] chosen)
    {
        var chains = new Dictionary<string, StageChain>();
        for (var i = 0; i < chosen.Length; i++)
        {
            if (chosen[i].Form is { } form)
                chains[_studies[i].Name] = _studies[i].Chain(form);
        }

        return chains;
    }

    // Its stored tensors are parameters again, so that it can be trained on.
    private Network Finish(Dictionary<string, StageChain> chains)
    {
        var network = new LayerReplacement(chains).Run(_folded);
        ParameterRule.Mark(network.Nodes);
        return network;
    }

    // The smallest network that keeps the bound, by halving the range of budgets.
    private (FormOption[] Chosen, Network Network, Fits? Fits) Search()
    {
        var best = Build([.. Options(SeparationGoal.Macs).Select(options => options[0])]);
        var (low, high) = (Math.Log(SmallestShare), 0.0);
        for (var i = 0; i < Searches; i++)
        {
            var middle = i == 0 ? Math.Log(1.0 / 3) : (low + high) / 2;
            var built = Build(Choose(SeparationGoal.Macs, Math.Exp(middle)));
            if (Lost(built) <= _settings.Share)
                (best, high) = (built, middle);
            else
                low = middle;
        }

        return best;
    }

    private double Lost((FormOption[] Chosen, Network Network, Fits? Fits) built) => _settings.Goal == SeparationGoal.Loss
        ? _settings.Loss!(built.Network)
        : Math.Sqrt(built.Fits?.Error ?? FormChoice.Error(built.Chosen));

    private SeparationResult Report(FormOption[] chosen, Network network, Fits? fits)
    {
        Tell("measuring");
        var layers = new List<SeparatedLayer>();
        for (var i = 0; i < chosen.Length; i++)
        {
            var (study, form) = (_studies[i], chosen[i].Form);
            var layer = study.Layer;
            var (whole, chain) = (StageChain.Whole(layer), study.Chain(form));
            var input = layer.Input;
            var kind = layer.IsDense ? "dense" : $"{layer.Kernel}";
            var groups = layer.Groups > 1 ? $", {layer.Groups} groups" : "";
            layers.Add(new(
                NameOf(layer.Node),
                $"{kind}, {layer.Channels} to {layer.Filters}{groups}",
                form?.Method,
                form?.Describe(layer) ?? (study.HasForms
                    ? "whole: what it would save loses more than the same saving elsewhere"
                    : "whole: no form of it costs less"),
                form is null ? 0 : Math.Sqrt(fits?.Errors.GetValueOrDefault(study.Name) ?? chosen[i].Error),
                layer.Macs,
                chain.Macs(input),
                layer.Parameters,
                chain.Parameters,
                _timer.Time(layer, "", whole),
                _timer.Time(layer, form?.ToString() ?? "", chain),
                study.Splits.SingularValues()));
        }

        var (before, after) = _timer.Times(_settings.Network, network);
        return new(
            network,
            layers,
            fits is null ? null : Math.Sqrt(fits.Error),
            fits is null ? 0 : _settings.InputCount - _fitted!.Count,
            _settings.Network.Macs,
            _settings.Network.ParameterCount,
            before,
            after,
            Curve());
    }

    // A layer that applied its activation itself is two nodes here, the first of which has a new name.
    private string NameOf(Node node)
    {
        var reader = _folded.Nodes.FirstOrDefault(other => other.Inputs.Contains(node.Outputs[0]));
        return reader is not null && node.Name.StartsWith($"{reader.Name}/", StringComparison.Ordinal) ? reader.Name : node.Name;
    }

    private List<SeparationPoint> Curve()
    {
        var options = Options(SeparationGoal.Macs);
        var (all, whole) = ((double)_folded.Macs, options.Sum(layer => layer[0].Cost));
        var points = new List<SeparationPoint>();
        for (var i = 1; i <= CurvePoints; i++)
        {
            var chosen = FormChoice.Within(options, ((double)i / CurvePoints * all) - (all - whole));
            var share = (all - whole + FormChoice.Cost(chosen)) / all;
            if (points.Count == 0 || points[^1].MacsShare < share)
                points.Add(new(share, Math.Sqrt(FormChoice.Error(chosen))));
        }

        return points;
    }

    // The share of the variance of the scores that is lost with these layers in the place of the original's.
    private double Lost(Dictionary<string, StageChain> chains) =>
        CalibrationSet.Lost(_scores.Value, _judged!.Scores(new LayerReplacement(chains).Run(_batched!), _cancellation));

    private sealed record Fits(Dictionary<string, double> Errors, double Error);
}
