using System.Globalization;
using System.Numerics.Tensors;
using SeparableConv.Imaging;
using SeparableConv.Networks;
using SeparableConv.Networks.Rewriting;
using SeparableConv.Networks.Separating;
using SeparableConv.Training;

namespace SeparableConv.Bench;

/// <summary>
/// Error against multiply-accumulates of every method of separating, without data and with it, beside Tucker-2 fitted and chosen in the
/// same way; no training. Judged by pictures that nothing was fitted to.
/// </summary>
internal static class SeparationSuite
{
    private const int JudgedByError = 2000;
    private const string Tucker = "tucker-2";

    // Of a photograph's rows of crops, one in so many is judged by.
    private const int JudgedRow = 4;

    private static readonly double[] TuckerShares = [0.08, 0.12, 0.16, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8];

    private static readonly (string Name, SeparationMethod Method, bool IsUniform)[] Ways =
    [
        ("dp", SeparationMethod.DepthwisePointwise, false),
        ("dp --uniform", SeparationMethod.DepthwisePointwise, true),
        ("pd", SeparationMethod.PointwiseDepthwise, false),
        ("spatial", SeparationMethod.Spatial, false),
        ("spatial+dp", SeparationMethod.SpatialDepthwise, false),
        ("auto", SeparationMethod.Auto, false),
    ];

    /// <summary>
    /// Options: --model FILE; --data DATA, of which the last --validation 10000 judge, or --photographs FOLDER, cut into the network's
    /// size; --samples 4000; --shares 0.5,0.333,0.25,0.167; --only TEXT; --threads N.
    /// </summary>
    public static int Run(string[] args)
    {
        var options = SuiteOptions.Parse(args, defaultThreads: "2");
        var network = ModelFile.Load(SuiteOptions.Value(args, "--model") ?? throw new InvalidOperationException("--model is missing."));
        var shares = (SuiteOptions.Value(args, "--shares") ?? "0.5,0.333,0.25,0.167").Split(',').Select(Number).ToArray();
        var samples = (int)Number(SuiteOptions.Value(args, "--samples") ?? "4000");
        var pictures = (SuiteOptions.Value(args, "--photographs"), SuiteOptions.Value(args, "--data")) switch
        {
            ({ } folder, _) => Photographs(folder, network, samples),
            (_, { } data) => Data(data, network, (int)Number(SuiteOptions.Value(args, "--validation") ?? "10000"), samples),
            _ => throw new InvalidOperationException("--data or --photographs is missing."),
        };
        var threads = options.Threads[0];
        var judge = new CalibrationSet(pictures.Judged, pictures.Judged.Length / pictures.Length, threads);
        var scores = judge.Scores(judge.Batched(network), default);
        var original = pictures.Accuracy?.Invoke(network);
        Console.WriteLine($"{network.Macs:N0} multiply-accumulates; {pictures.Fitted.Length / pictures.Length} pictures to fit by, "
            + $"{judge.Count} to judge by{(original is null ? "" : $", accuracy {100 * original:0.00} %")}");
        Console.WriteLine("relative error of the scores (points of accuracy lost) at a share of the multiply-accumulates of");
        Console.WriteLine($"{"",-24}{string.Concat(shares.Select(share => $"{share,18:0.###}"))}");
        foreach (var seeing in new[] { false, true })
        {
            foreach (var name in Ways.Select(way => way.Name).Append(Tucker).Where(options.Wants))
            {
                Console.Write($"{name + (seeing ? ", data" : ""),-24}");
                var tucker = name == Tucker ? new TuckerNetwork(network, seeing ? Set() : null, threads) : null;
                foreach (var share in shares)
                    Console.Write($"{Cell(name, share, seeing, tucker),18}");
                Console.WriteLine();
            }
        }

        return 0;

        CalibrationSet Set() => new(pictures.Fitted, pictures.Fitted.Length / pictures.Length, threads);

        string Cell(string name, double share, bool seeing, TuckerNetwork? tucker)
        {
            try
            {
                var result = tucker?.To(share) ?? Separated(name, share, seeing);
                var lost = Math.Sqrt(CalibrationSet.Lost(scores, judge.Scores(judge.Batched(result), default)));
                var points = pictures.Accuracy is { } accurate ? $" ({100 * (original - accurate(result)):0.00})" : "";
                return $"{lost:0.000}{points}";
            }
            catch (NetworkException)
            {
                return "-";
            }
        }

        Network Separated(string name, double share, bool seeing)
        {
            var way = Array.Find(Ways, way => way.Name == name);
            var separation = NetworkSeparation.Of(network).By(way.Method, way.IsUniform).WithThreads(threads).ToMacs(share);
            if (seeing)
            {
                var shape = network.Inputs[0].Type.Shape.Lengths[1..].ToArray();
                nint[] lengths = [pictures.Fitted.Length / pictures.Length, .. Array.ConvertAll(shape, length => (nint)length)];
                separation = separation.Calibrate(new ReadOnlyTensorSpan<float>(pictures.Fitted, lengths));
            }

            return separation.Run().Network;
        }
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static Pictures Data(string path, Network network, int validation, int samples)
    {
        var data = PictureDataSet.Load(path);
        var (training, judged) = data.SplitLast(validation);
        var normalization = Normalization.Of(network)
            ?? throw new InvalidOperationException("The model does not say how pixels become numbers.");
        var random = new Random(5);
        var chosen = Enumerable.Range(0, training.Count).ToArray();
        random.Shuffle(chosen);
        return new(
            data.PictureBytes,
            Numbers(training, chosen.Take(samples), normalization),
            Numbers(judged, Enumerable.Range(0, Math.Min(JudgedByError, judged.Count)), normalization),
            network => Evaluation.Run(network, judged, normalization, Environment.ProcessorCount).Accuracy);
    }

    private static float[] Numbers(PictureDataSet data, IEnumerable<int> which, Normalization normalization)
    {
        var (pixels, numbers) = (new byte[data.PictureBytes], new List<float>());
        foreach (var index in which)
        {
            data.Read(index, pixels);
            numbers.AddRange(pixels.Select(
                (pixel, i) => (float)((pixel - normalization.Mean[i % data.Channels]) / normalization.Deviation[i % data.Channels])));
        }

        return [.. numbers];
    }

    // Crops of the network's size, of photographs at a half to an eighth of theirs; pixels of 0 to 255 as they are.
    private static Pictures Photographs(string folder, Network network, int samples)
    {
        var shape = network.Inputs[0].Type.Shape;
        var (side, channels) = (shape[1], shape[3]);
        var (fitted, judged) = (new List<float[]>(), new List<float[]>());
        foreach (var file in Directory.GetFiles(folder).Order(StringComparer.Ordinal))
        {
            var whole = ImageFile.Load(file);
            if (whole.Channels != channels || whole.Height < 8 * side)
                continue;
            foreach (var scale in new[] { 2, 4, 8 })
            {
                var image = ImageResize.Bilinear(whole, whole.Width / scale, whole.Height / scale);
                for (var row = 0; row + side <= image.Height; row += side / 2)
                {
                    for (var column = 0; column + side <= image.Width; column += side / 2)
                        (row / side % JudgedRow == 0 ? judged : fitted).Add(Crop(image, row, column, side));
                }
            }
        }

        var random = new Random(5);
        var (a, b) = (fitted.ToArray(), judged.ToArray());
        random.Shuffle(a);
        random.Shuffle(b);
        return new(side * side * channels, [.. a.Take(samples).SelectMany(x => x)], [.. b.Take(JudgedByError).SelectMany(x => x)], null);
    }

    private static float[] Crop(Image<float> image, int row, int column, int side)
    {
        var crop = new List<float>();
        for (var i = 0; i < side; i++)
            crop.AddRange(image.Row(row + i).Slice(column * image.Channels, side * image.Channels));

        return [.. crop];
    }

    /// <summary>Numbers to fit by and to judge by, so many a picture, and the accuracy of a network where there are labels.</summary>
    private sealed record Pictures(int Length, float[] Fitted, float[] Judged, Func<Network, double>? Accuracy);

    /// <summary>A network of which every layer can become three by Tucker-2.</summary>
    private sealed class TuckerNetwork
    {
        private const int ProbedSamples = 6000;
        private const int ProbedInputs = 256;

        private readonly Network _folded;
        private readonly CalibrationSet? _fitted;
        private readonly CalibrationSet? _judged;
        private readonly Network? _batched;
        private readonly int _threads;
        private readonly List<StandardLayer> _layers;
        private readonly List<(StageChain Chain, double Lost)[]> _forms;
        private readonly List<FormOption[]> _options = [];

        public TuckerNetwork(Network network, CalibrationSet? set, int threads)
        {
            (_folded, _threads) = (PassList.Separating.Run(network), threads);
            _batched = set?.Batched(_folded);
            if (set is not null)
                (_fitted, _judged) = set.HoldBack(ProbedInputs);
            _layers = [.. _folded.Nodes.Select(StandardLayer.Of).OfType<StandardLayer>().Where(layer => !layer.IsDense)];
            _forms = _layers.ConvertAll(layer =>
            {
                var split = new TuckerSplit(layer);
                return Array.ConvertAll(TuckerShares, share => split.Keep(share));
            });
            var harms = _forms.ConvertAll(forms => Array.ConvertAll(forms, form => form.Lost));
            if (set is not null)
                Weigh(harms);
            for (var i = 0; i < _layers.Count; i++)
            {
                var input = _layers[i].Input;
                var forms = _forms[i].Select((form, at) => new FormOption(
                    new LayerForm(SeparationMethod.Auto, at), form.Chain.Macs(input), harms[i][at]));
                _options.Add([new(null, _layers[i].Macs, 0), .. forms.Where(form => form.Cost < 0.85 * _layers[i].Macs)]);
            }
        }

        public Network To(double share)
        {
            var whole = _options.Sum(layer => layer[0].Cost);
            var budget = (share * _folded.Macs) - (_folded.Macs - whole);
            var chosen = FormChoice.Within(_options, budget);
            if (FormChoice.Cost(chosen) > budget)
                throw new NetworkException("The budget cannot be kept.");
            var chains = new Dictionary<string, StageChain>();
            for (var i = 0; i < chosen.Length; i++)
            {
                if (chosen[i].Form is { } form)
                    chains[_layers[i].Node.Name] = _forms[i][form.Rank].Chain;
            }

            if (_fitted is not null)
                chains = new NetworkFit(_batched!, _fitted, _threads, default).FitAll(chains, _ => { }).Chains;
            return new LayerReplacement(chains).Run(_folded);
        }

        private void Weigh(List<double[]> harms)
        {
            var probes = _fitted!.First(ProbedInputs);
            var scores = _judged!.Scores(_batched!, default);
            var fit = new NetworkFit(_batched!, probes, _threads, default);
            var chains = new Dictionary<string, StageChain[]>();
            for (var i = 0; i < _layers.Count; i++)
                chains[_layers[i].Node.Name] = Array.ConvertAll(_forms[i], form => form.Chain);
            foreach (var (name, fitted) in fit.FitEach(chains, ProbedSamples, _ => { }))
            {
                var layer = _layers.FindIndex(layer => layer.Node.Name == name);
                var has = LayerProbe.Scores(_batched!, name, fitted, _judged, default);
                for (var at = 0; at < fitted.Length; at++)
                    harms[layer][at] = CalibrationSet.Lost(scores, has[at]);
            }
        }
    }
}
