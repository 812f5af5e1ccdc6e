using SeparableConv.Cli.Pictures;
using SeparableConv.Networks.Pictures;

namespace SeparableConv.Cli.Commands;

/// <summary>Runs one network on pictures and tensors and reports what comes out.</summary>
internal sealed class NetworkRunner : IDisposable
{
    private readonly RunSettings _settings;
    private readonly RunTarget? _target;
    private readonly OpenShapes _pictures;
    private readonly ClassRanking? _ranking;
    private readonly InferenceSession _session;
    private readonly int _imageInput = -1;
    private readonly PixelNumbers? _pixels;

    /// <summary>Checks that the settings suit the network, and compiles it.</summary>
    /// <param name="network">The network.</param>
    /// <param name="known">Tensors of inputs that the network was loaded with, of which some are its own now.</param>
    /// <param name="settings">What was asked.</param>
    /// <param name="labels">The names of its classes, or null.</param>
    /// <param name="target">Where outputs go, or null.</param>
    /// <param name="pictures">Reads the pictures.</param>
    /// <exception cref="InputException">Something that was asked for does not suit the network.</exception>
    public NetworkRunner(
        Network network,
        IReadOnlyCollection<string> known,
        RunSettings settings,
        ClassLabels? labels,
        RunTarget? target,
        OpenShapes pictures)
    {
        (_settings, _target, _pictures) = (settings, target, pictures);
        Classes = ClassRanking.Count(network);
        if (Classes is null && (labels is not null || settings.Top is not null))
        {
            throw new InputException(
                $"{(labels is not null ? "--labels" : "--top")} is for networks whose only output is a list of classes; this one's "
                + $"{Outputs(network)}.");
        }

        labels?.Check(Classes!.Value);
        target?.PathsFor("", 1, network.Outputs);

        var free = Enumerable.Range(0, network.Inputs.Count).ToList();
        var named = BindNamed(network, known, free);
        if (settings.Images.Count > 0)
        {
            _imageInput = OnlyFree(network, free);
            if (settings.Images.Any(image => !TensorFile.Is(image)))
            {
                _pixels = PixelNumbers.For(
                    network.Inputs[_imageInput],
                    _settings.Mean,
                    _settings.Deviation,
                    SeparableConv.Networks.Normalization.Of(network));
            }
            else if (settings.Mean is not null || settings.Deviation is not null)
            {
                throw new InputException(
                    "--mean and --std change nothing: every input is a .npy tensor, which holds the network's own numbers.");
            }
        }
        else if (free.Count > 0)
        {
            throw new InputException(
                $"Nothing is given for {Names(free.Select(i => network.Inputs[i]))}; give --input NAME=FILE.npy for every input, or a "
                + "picture for one.");
        }

        _session = new InferenceSession(network, new CompileOptions { Threads = settings.Threads });
        _ranking = Classes is null ? null : new ClassRanking(_session.Outputs[0].Type, labels);

        // Inputs stay as they are written, from run to run.
        foreach (var (index, bytes) in named)
            bytes.CopyTo(_session.InputBytes(index));
    }

    /// <summary>How many classes the network tells apart; null where it is no classifier.</summary>
    public int? Classes { get; }

    /// <summary>What is done to pixels, in words for people; null where no picture is run.</summary>
    public string? Normalization => _pixels?.Description;

    /// <summary>The network's layers and their times, over the runs of the last input.</summary>
    public LayerProfile Profile() => LayerProfile.Measure(_session, _settings.Repeat ?? LayerProfile.DefaultRounds);

    /// <summary>Runs one picture or tensor.</summary>
    /// <param name="image">Its file, or - for standard input; null where every input was named.</param>
    /// <exception cref="InputException">It cannot be read or does not suit the network, or an output cannot be written.</exception>
    public RunReport Run(string? image)
    {
        var description = image is null ? Names(_session.Inputs) : Fill(image);
        _session.Run();

        var source = image ?? _settings.Named[0].File;
        var files = Save(source);
        var (top, outputs) = _ranking is null ? ((ClassScore[]?)null, Summaries()) : (Top(_ranking), null);
        RunTimes? times = _settings.Repeat is { } rounds ? RunTimes.Repeat(rounds, _session.Run) : null;
        return new RunReport(source, description, top, outputs, files, times, _settings.Repeat ?? 1);
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    // Reads the named tensors, and leaves as free the inputs that none was named for.
    private List<(int Index, byte[] Bytes)> BindNamed(Network network, IReadOnlyCollection<string> known, List<int> free)
    {
        var named = new List<(int Index, byte[] Bytes)>();
        foreach (var (name, file) in _settings.Named)
        {
            var index = free.FindIndex(i => network.Inputs[i].Name == name);
            if (index < 0 && known.Contains(name))
                continue;
            if (index < 0)
                throw new InputException($"The network has no input '{name}'; it has {Names(network.Inputs)}.");
            var input = network.Inputs[free[index]];
            var bytes = new byte[checked((int)input.Type.Bytes)];
            TensorFile.Read(file, input, bytes);
            named.Add((free[index], bytes));
            free.RemoveAt(index);
        }

        return named;
    }

    private static int OnlyFree(Network network, List<int> free) => free.Count switch
    {
        1 => free[0],
        0 => throw new InputException(
            "Nothing is left for a picture: "
            + $"{(network.Inputs.Count == 0 ? "the network has no input" : "--input gives every input of the network")}; leave the "
            + "picture out."),
        _ => throw new InputException(
            $"The network has {network.Inputs.Count} inputs, and a picture is for one; give all others by --input NAME=FILE.npy. They are "
            + $"{Names(free.Select(i => network.Inputs[i]))}."),
    };

    private static string Names(IEnumerable<Value> values) => string.Join(", ", values.Select(value => $"'{value.Name}' {value.Type}"));

    private static string Outputs(Network network) =>
        network.Outputs.Count == 1 ? $"is {Names(network.Outputs)}" : $"are {Names(network.Outputs)}";

    private string Fill(string image)
    {
        var input = _session.Inputs[_imageInput];
        var memory = _session.InputBytes(_imageInput);
        if (image != Terminal.Dash && TensorFile.Is(image))
        {
            TensorFile.Read(image, input, memory);
            return input.Type.ToString();
        }

        var picture = _pictures.Picture(image);
        _pixels!.Transform.Write(picture, memory);
        return $"{picture.Width}x{picture.Height}x{picture.Channels} {PlanNames.Of(picture.Type)} to {input.Type}";
    }

    // A label is part of a line, whatever its file has.
    private ClassScore[] Top(ClassRanking ranking)
    {
        var top = new ClassScore[Math.Min(_settings.Top ?? RunSettings.DefaultTop, Classes!.Value)];
        ranking.Best(_session.OutputBytes(0), top);
        return Array.ConvertAll(top, score => score.Label is null ? score : score with { Label = Failure.OneLine(score.Label) });
    }

    private OutputSummary[] Summaries()
    {
        var summaries = new OutputSummary[_session.Outputs.Count];
        for (var i = 0; i < summaries.Length; i++)
            summaries[i] = OutputSummary.Of(_session.Outputs[i].Name, _session.OutputType(i), _session.OutputBytes(i));
        return summaries;
    }

    private string[] Save(string source)
    {
        if (_target is null)
            return [];
        var arrays = new NpyArray[_session.Outputs.Count];
        for (var i = 0; i < arrays.Length; i++)
            arrays[i] = TensorFile.ArrayOf(_session.OutputType(i), _session.OutputBytes(i));
        if (_target.IsStandardOutput)
        {
            using var output = _pictures.Terminal.OpenOutput();
            NpyFile.Write(output, arrays[0]);
            output.Flush();
            return [];
        }

        var paths = _target.PathsFor(source, _settings.Images.Count, _session.Outputs);
        RunTarget.Save(arrays, paths);
        return paths;
    }
}
