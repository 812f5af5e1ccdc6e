using SeparableConv.Networks.Rewriting;

namespace SeparableConv.Networks.Gradients;

/// <summary>A parameter that a training changes, and what the optimizer keeps beside it.</summary>
/// <param name="Parameter">The parameter.</param>
/// <param name="States">The optimizer's own tensors.</param>
/// <param name="Average">Its moving average, where one is kept.</param>
internal sealed record TrainedParameter(Value Parameter, IReadOnlyList<Value> States, Value? Average);

/// <summary>One step of a training as a network: forward pass, loss, gradients, updates.</summary>
/// <remarks>
/// Inputs of <see cref="Step"/>: those of the network, seed and step where there is a dropout (<see cref="DropoutTraining"/>), then the
/// classes (N) int32, or the numbers to come near to; for mixtures the second classes and the weights of the first (N each); the teacher's
/// logits where there is one, and where it counts alone in place of the classes; last the optimizer's numbers. Outputs: the loss of each
/// sample (N), the logits or predictions, the norm of all gradients where they are clipped, then the updates.
/// </remarks>
internal sealed class TrainingGraph
{
    private TrainingGraph(Network step, IReadOnlyList<TrainedParameter> trained, IReadOnlyList<Value> statistics)
    {
        Step = step;
        Trained = trained;
        Statistics = statistics;
    }

    /// <summary>The step.</summary>
    public Network Step { get; }

    /// <summary>The parameters that are trained.</summary>
    public IReadOnlyList<TrainedParameter> Trained { get; }

    /// <summary>The statistics of batch normalizations that follow the batches.</summary>
    public IReadOnlyList<Value> Statistics { get; }

    /// <summary>Adds to a network all that a step takes.</summary>
    /// <exception cref="NetworkException">
    /// An operator has no gradient, nothing is left to train, or the network's outputs do not suit the loss.
    /// </exception>
    public static TrainingGraph Create(Network network, TrainingPlan plan)
    {
        if (network.Outputs.Count != 1)
            throw new NetworkException($"The network has {network.Outputs.Count} outputs; a training takes one with one output.");
        var normalized = new NormalizationTraining(value => plan.IsFrozen(value.Name));
        var apart = normalized.Run(new DropoutTraining().Run(PassList.Training.Run(network)));
        var residuals = new ResidualFusion();
        var summed = residuals.Run(apart);
        var fusion = new TrainedConvFusion(summed);
        var forward = fusion.Run(summed);

        var graph = new GraphBuilder(forward);
        var (losses, predictions, seed) = AddLoss(graph, forward.Outputs[0], plan);
        var numbers = graph.Input("numbers", new(ElementType.Float32, new TensorShape((int)OptimizerNumber.Count)));
        var parameters = forward.Parameters.Where(parameter => IsTrained(parameter, plan)).ToArray();
        if (parameters.Length == 0)
            throw new NetworkException("Nothing is left to train: the network has no parameters, or all of them are frozen.");
        var gradients = GradientGraph.Add(graph, [seed], parameters);

        var outputs = new List<Value> { losses, predictions };
        Value? factor = null;
        if (plan.ClipNorm > 0)
        {
            var clip = graph.AddNode("clip", new ClipFactorOperator(plan.ClipNorm), [.. gradients.OfType<Value>()]);
            factor = clip.Outputs[0];
            outputs.Add(clip.Outputs[1]);
        }

        var trained = new List<TrainedParameter>();
        for (var i = 0; i < parameters.Length; i++)
        {
            if (gradients[i] is { } gradient)
                trained.Add(AddUpdate(graph, plan, parameters[i], gradient, numbers, factor, outputs));
        }

        foreach (var (statistic, moment) in normalized.Followed)
        {
            var average = new MovingAverageOperator(plan.StatisticsMomentum);
            outputs.Add(graph.Add($"{statistic.Name}/update", average, statistic, fusion.Find(residuals.Find(moment))));
        }

        var step = graph.BuildWithParameters(network.Name, [.. outputs]);
        return new(step, trained, [.. normalized.Followed.Select(followed => followed.Statistic)]);
    }

    /// <summary>Whether weight decay and L1 shrink a parameter: kernels and matrices, not biases, scales and slopes.</summary>
    public static bool Decays(Value parameter) => parameter.Shape.Rank > 1;

    /// <summary>What a network's output is the softmax of; the output itself where it is none.</summary>
    /// <param name="output">The output of a network that <see cref="PassList.Training"/> has made.</param>
    public static Value Logits(Value output) =>
        output.Producer is { Operator: ActivationOperator { Activation.NeedsAllChannels: true } or SoftmaxOperator } softmax
            ? softmax.Inputs[0]!
            : output;

    private static bool IsTrained(Value parameter, TrainingPlan plan) =>
        parameter.Kind == ValueKind.Parameter && parameter.Type.Element == ElementType.Float32 && !plan.IsFrozen(parameter.Name);

    private static TrainedParameter AddUpdate(
        GraphBuilder graph, TrainingPlan plan, Value parameter, Value gradient, Value numbers, Value? factor, List<Value> outputs)
    {
        var states = new Value[plan.Rule.States];
        for (var i = 0; i < states.Length; i++)
            states[i] = graph.Constant($"{parameter.Name}/state{i + 1}", TensorData.CreateZeros(parameter.Type));
        var average = plan.Averages ? graph.Constant($"{parameter.Name}/average", Copy(parameter)) : null;
        var update = new OptimizerOperator(plan.Rule, Decays(parameter), plan.Averages);
        Value?[] inputs = [parameter, .. states, .. average is null ? Array.Empty<Value>() : [average], gradient, numbers, factor];
        outputs.AddRange(graph.AddNode($"{parameter.Name}/update", update, inputs).Outputs);
        return new(parameter, states, average);
    }

    private static TensorData Copy(Value parameter) => new(parameter.Type, (Array)parameter.Data!.Values.Clone());

    // The losses, the predictions that they are of, and the gradient of the losses' mean by these.
    private static (Value Losses, Value Predictions, (Value Of, Value Seed) Seed) AddLoss(
        GraphBuilder graph, Value output, TrainingPlan plan)
    {
        if (plan.Loss == TrainingLoss.MeanSquaredError)
        {
            var target = graph.Input("targets", output.Type);
            var error = graph.AddNode("loss", new MeanSquaredErrorOperator(), output, target).Outputs;
            return (error[0], output, (output, error[1]));
        }

        // The loss has a softmax of its own.
        var logits = Logits(output);
        var (samples, classes) = (logits.Shape.Rank > 0 ? logits.Shape[0] : 1, logits.Shape.Rank > 0 ? logits.Shape[^1] : 0);
        if (logits.Shape.Rank < 2 || logits.Shape.ElementCount != (long)samples * classes)
            throw new NetworkException($"The network's output is {output}; a training of classes takes (N, classes).");
        var rows = logits.Shape.Rank == 2 ? logits : graph.Add("logits", new ReshapeOperator(new TensorShape(samples, classes)), logits);
        var labels = plan.TeacherWeight == 1 ? null : AddLabelsLoss(graph, rows, plan);
        if (plan.TeacherWeight is not { } weight)
            return (labels![0], rows, (rows, labels[1]));
        var teacher = graph.Input("teacher", rows.Type);
        Value?[] inputs = [rows, teacher, .. labels ?? []];
        var loss = graph.AddNode("teacher_loss", new DistillationOperator(weight, plan.Temperature), inputs).Outputs;
        return (loss[0], rows, (rows, loss[1]));
    }

    private static IReadOnlyList<Value> AddLabelsLoss(GraphBuilder graph, Value rows, TrainingPlan plan)
    {
        var label = new TensorType(ElementType.Int32, new TensorShape(rows.Shape[0]));
        var first = graph.Input("classes", label);
        var second = plan.Mixes ? graph.Input("second_classes", label) : null;
        var mix = plan.Mixes ? graph.Input("mix", label with { Element = ElementType.Float32 }) : null;
        var weights = plan.ClassWeights is { } numbers
            ? graph.Constant("class_weights", TensorData.Create(numbers, numbers.Length))
            : null;
        return graph.AddNode("loss", new SoftmaxCrossEntropyOperator(plan.Smoothing), rows, first, second, mix, weights).Outputs;
    }
}
