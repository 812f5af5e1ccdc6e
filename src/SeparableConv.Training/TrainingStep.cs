using System.IO.Enumeration;
using SeparableConv.Networks.Gradients;
using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Inference;
using SeparableConv.Networks.Operators;
using SeparableConv.Networks.Rewriting;

namespace SeparableConv.Training;

/// <summary>
/// One step of a training, compiled: forward pass, loss, gradients, update. For those who write the loop themselves; <see cref="Trainer"/>
/// is one.
/// </summary>
/// <remarks>
/// Nothing is allocated after the first step. A step gives the same bits on any number of threads. One caller at a time.
/// </remarks>
/// <example><code>
/// using var step = new TrainingStep(network, new() { BatchSize = 64, Optimizer = Optimizer.AdamW() });
/// for (var i = 0; i &lt; 1000; i++)
/// {
///     var batch = batches.Next();
///     batch.Pixels.CopyTo(step.Pixels);
///     batch.Labels.CopyTo(step.Labels);
///     var loss = step.Forward();
///     step.Backward();
///     step.Update(rate: 1e-3);
/// }
///
/// OnnxWriter.Write(step.ToNetwork(), "model.onnx");
/// </code></example>
public sealed unsafe class TrainingStep : IDisposable
{
    private readonly Network _network;
    private readonly TrainingOptions _options;
    private readonly TrainingGraph _graph;
    private readonly CompiledNetwork _compiled;
    private readonly StepRunner _runner;
    private readonly TeacherRun? _teacher;
    private readonly int _forwardEnd;
    private readonly int _updateStart;
    private readonly bool _hasLabels;
    private readonly int _mixed;

    // Of the step's inputs: what a dropout is drawn from lies before the labels, the teacher's logits behind all that belongs to these.
    private readonly int _labels;
    private readonly int _teacherLogits;

    /// <summary>Compiles a step.</summary>
    /// <param name="network">A network with one input and one output, a list of classes; it is not changed.</param>
    /// <param name="options">Batch size, optimizer and the rest; the defaults where null.</param>
    /// <exception cref="ArgumentException">An option is out of range, or the teacher has other inputs or classes.</exception>
    /// <exception cref="NetworkException">
    /// An operator has no gradient (the message names all of them), the network does not suit a training of classes, or the teacher cannot
    /// be run.
    /// </exception>
    public TrainingStep(Network network, TrainingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        _options = options ?? new();
        Check(_options);
        _network = network.WithBatch(_options.BatchSize);
        if (_network.Inputs.Count != 1)
            throw new NetworkException($"The network has {_network.Inputs.Count} inputs; a training takes one with one input.");
        CheckAgainst(_network, _options);
        _graph = TrainingGraph.Create(_network, Plan(_options));
        Classes = _graph.Step.Outputs[1].Shape[^1];
        if (_options.Distillation is { } distillation)
            _teacher = new TeacherRun(distillation.Teacher, _network.Inputs[0].Type, Classes, _options.Threads);
        _compiled = new CompiledNetwork(_graph.Step, new() { Threads = _options.Threads }, PassList.Step);
        _runner = new StepRunner(_compiled);
        _hasLabels = _options.Distillation?.NeedsLabels != false;
        _mixed = _hasLabels && _options.Augmentation.IsMixing ? 2 : 0;
        _labels = _graph.Step.Inputs[1].Type.Element == ElementType.Int64 ? 2 : 1;
        _teacherLogits = _labels + (_hasLabels ? 1 : 0) + _mixed;
        var steps = _compiled.Steps;
        var loss = _graph.Step.Outputs[0].Producer!.Operator.Kind;
        _forwardEnd = IndexOf(steps, step => step.Kind == loss) + 1;
        _updateStart = IndexOf(
            steps, step => step.Kind is "ClipFactor" or "MovingAverage" || Enum.TryParse<OptimizerKind>(step.Kind, out _));
        MemoryBytes = _compiled.ActivationBytes + _compiled.ScratchBytes + (_teacher?.MemoryBytes ?? 0);
        if (_mixed > 0)
            MixWeights.Fill(1);
    }

    /// <summary>Pictures in a step.</summary>
    public int BatchSize => _options.BatchSize;

    /// <summary>How many classes the network tells apart.</summary>
    public int Classes { get; }

    /// <summary>How many steps were made.</summary>
    public long Steps { get; internal set; }

    /// <summary>Bytes that a step works in, weights not counted.</summary>
    public long MemoryBytes { get; }

    /// <summary>The network's input, to be written before a step: as the network has it, channels last or first.</summary>
    public Span<float> Pixels => _runner.Inputs[0].Span<float>();

    /// <summary>The class of each picture, to be written before a step; none where a teacher counts alone.</summary>
    public Span<int> Labels => _hasLabels ? _runner.Inputs[_labels].Span<int>() : default;

    /// <summary>Where pictures are mixed, the class of what was mixed in.</summary>
    public Span<int> SecondLabels => _mixed > 0 ? _runner.Inputs[_labels + 1].Span<int>() : default;

    /// <summary>Where pictures are mixed, the share of <see cref="Labels"/>.</summary>
    public Span<float> MixWeights => _mixed > 0 ? _runner.Inputs[_labels + 2].Span<float>() : default;

    /// <summary>The loss of each picture, behind <see cref="Forward"/>.</summary>
    public ReadOnlySpan<float> Losses => _runner.Outputs[0].Span<float>();

    /// <summary>(N, classes): what the network made of the pictures, before softmax, behind <see cref="Forward"/>.</summary>
    public ReadOnlySpan<float> Logits => _runner.Outputs[1].Span<float>();

    /// <summary>
    /// (N, classes): what the teacher made of the pictures, before softmax, behind <see cref="Forward"/>; none without a teacher.
    /// </summary>
    public ReadOnlySpan<float> TeacherLogits => _teacher is null ? default : _runner.Inputs[_teacherLogits].Span<float>();

    /// <summary>The norm of all gradients together before they were clipped; null where they are not.</summary>
    public double? GradientNorm => _options.ClipNorm > 0 ? _runner.Outputs[2].Span<float>()[0] : null;

    internal TrainingGraph Graph => _graph;

    /// <summary>What the network that is trained is made of: parameters and statistics, without what the optimizer keeps.</summary>
    internal IEnumerable<Value> Weights => _graph.Trained.Select(trained => trained.Parameter).Concat(_graph.Statistics);

    internal IReadOnlyList<CompiledStep> CompiledSteps => _compiled.Steps;

    private Span<float> Numbers => _runner.Inputs[^1].Span<float>();

    /// <summary>Runs the network and the loss, and the teacher where there is one.</summary>
    /// <returns>
    /// The mean loss: that of the data, without weight decay and L1. With a teacher that of <see cref="Distillation"/>.
    /// </returns>
    /// <exception cref="ArgumentException">A label is no class.</exception>
    public double Forward()
    {
        CheckLabels(Labels);
        CheckLabels(SecondLabels);
        if (_labels > 1)
        {
            var random = _runner.Inputs[1].Span<long>();
            (random[0], random[1]) = (_options.Seed, Steps);
        }

        _teacher?.Run(Pixels, _runner.Inputs[_teacherLogits].Span<float>());
        _runner.Run(0, _forwardEnd);
        var sum = 0.0;
        foreach (var loss in Losses)
            sum += loss;
        return sum / BatchSize;
    }

    /// <summary>Computes the gradients of the mean loss by all parameters; behind <see cref="Forward"/>.</summary>
    public void Backward() => _runner.Run(_forwardEnd, _updateStart);

    /// <summary>Changes the parameters; behind <see cref="Backward"/>.</summary>
    /// <param name="rate">The learning rate of this step.</param>
    public void Update(double rate)
    {
        Steps++;
        var rule = _options.Optimizer.Rule;
        var numbers = Numbers;
        numbers[(int)OptimizerNumber.Rate] = (float)rate;
        numbers[(int)OptimizerNumber.WeightDecay] = (float)_options.Optimizer.WeightDecay;
        numbers[(int)OptimizerNumber.L1] = (float)_options.Optimizer.L1;
        numbers[(int)OptimizerNumber.MeanCorrection] = (float)(1 - Math.Pow(rule.Beta1, Steps));
        numbers[(int)OptimizerNumber.SquareCorrection] = (float)(1 - Math.Pow(rule.Beta2, Steps));
        numbers[(int)OptimizerNumber.AverageDecay] = (float)_options.AverageDecay;
        _runner.Run(_updateStart, _compiled.Steps.Count);
    }

    /// <summary>The network with the parameters as they are now.</summary>
    /// <param name="averaged">Whether it gets their moving average, where one is kept.</param>
    /// <returns>A new network of the same batch size as a step.</returns>
    public Network ToNetwork(bool averaged = false)
    {
        var numbers = new Dictionary<Value, TensorData>();
        foreach (var trained in _graph.Trained)
        {
            var value = averaged && trained.Average is { } average ? average : trained.Parameter;
            numbers[trained.Parameter] = Copy(value, trained.Parameter.Type);
        }

        foreach (var statistic in _graph.Statistics)
            numbers[statistic] = Copy(statistic, statistic.Type);
        return new ParameterReplacement(numbers).Run(_network);
    }

    /// <summary>Lets the memory go.</summary>
    public void Dispose()
    {
        _runner.Dispose();
        _compiled.Dispose();
        _teacher?.Dispose();
    }

    /// <summary>A stored value where it lies.</summary>
    internal Span<float> Stored(Value value) => _runner.Parameter(value).Span<float>();

    /// <summary>Runs a whole step with the time of each of its parts.</summary>
    internal void Profile(Span<double> milliseconds) => _runner.Run(milliseconds);

    private static void Check(TrainingOptions options)
    {
        if (options.BatchSize < 1)
            throw new ArgumentException($"The batch size is {options.BatchSize}; give 1 or more.");
        if (options.Epochs < 1)
            throw new ArgumentException($"There are {options.Epochs} epochs; give 1 or more.");
        if (options.Steps < 1)
            throw new ArgumentException($"There are {options.Steps} steps; give 1 or more.");
        Share(options.LabelSmoothing, "label smoothing");
        Share(options.AverageDecay, "decay of the weights' average");
        Share(options.StatisticsMomentum, "momentum of the statistics");
        if (!(options.ClipNorm >= 0 && double.IsFinite(options.ClipNorm)))
            throw new ArgumentException(FormattableString.Invariant($"Gradients are clipped at {options.ClipNorm}; give 0 or more."));
        if (options.Distillation is { } distillation)
            Check(distillation, options);
    }

    private static void Check(Distillation distillation, TrainingOptions options)
    {
        if (!(distillation.Weight is >= 0 and <= 1))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"The teacher's weight is {distillation.Weight}; give a number from 0 to 1."));
        }

        if (!((float)distillation.Temperature > 0 && float.IsFinite((float)distillation.Temperature)))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"The temperature is {distillation.Temperature}; give a number above 0, such as 2."));
        }

        if (!distillation.NeedsLabels && (options.LabelSmoothing > 0 || options.ClassWeights is not null))
        {
            throw new ArgumentException(
                "Label smoothing and class weights change nothing where a teacher counts alone; leave them out, or give the teacher a "
                + "weight below 1.");
        }
    }

    private static void CheckAgainst(Network network, TrainingOptions options)
    {
        foreach (var pattern in options.Freeze)
        {
            if (!network.Parameters.Any(parameter => Matches(pattern, parameter.Name)))
                throw new ArgumentException($"'{pattern}' was to be frozen, but no parameter has such a name.");
        }

        if (options.ClassWeights is not { } weights)
            return;
        if (network.Outputs is [{ Shape: { Rank: > 0 } shape }] && weights.Count != shape[^1])
            throw new ArgumentException($"There are {weights.Count} class weights but {shape[^1]} classes; give one a class.");
        foreach (var weight in weights)
        {
            if (!(weight >= 0 && double.IsFinite(weight)))
                throw new ArgumentException(FormattableString.Invariant($"A class weight is {weight}; give 0 or more."));
        }
    }

    private static void Share(double value, string what)
    {
        if (!(value is >= 0 and < 1))
            throw new ArgumentException(FormattableString.Invariant($"The {what} is {value}; give a number from 0 up to and without 1."));
    }

    private static TrainingPlan Plan(TrainingOptions options) => new(options.Optimizer.Rule)
    {
        Smoothing = (float)options.LabelSmoothing,
        ClassWeights = options.ClassWeights?.Select(weight => (float)weight).ToArray(),
        TeacherWeight = (float?)options.Distillation?.Weight,
        Temperature = (float)(options.Distillation?.Temperature ?? 1),
        Mixes = options.Augmentation.IsMixing,
        ClipNorm = (float)options.ClipNorm,
        Averages = options.AverageDecay > 0,
        StatisticsMomentum = (float)options.StatisticsMomentum,
        IsFrozen = name => options.Freeze.Any(pattern => Matches(pattern, name)),
    };

    private static bool Matches(string pattern, string name) =>
        FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);

    private static int IndexOf(IReadOnlyList<CompiledStep> steps, Func<CompiledStep, bool> isWanted)
    {
        for (var i = 0; i < steps.Count; i++)
        {
            if (isWanted(steps[i]))
                return i;
        }

        return steps.Count;
    }

    private void CheckLabels(ReadOnlySpan<int> labels)
    {
        foreach (var label in labels)
        {
            if ((uint)label >= (uint)Classes)
                throw new ArgumentException($"A picture is of class {label}, but the network has the classes 0 to {Classes - 1}.");
        }
    }

    private TensorData Copy(Value value, TensorType type) => new(type, Stored(value).ToArray());
}
