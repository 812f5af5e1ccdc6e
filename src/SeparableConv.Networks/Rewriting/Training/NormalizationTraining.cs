namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Makes each batch normalization one that is trained: it divides by the batch's own moments, and the statistics that were stored follow
/// these. A clamp behind it becomes part of it.
/// </summary>
/// <param name="isFrozen">Whether a stored value stays as it is; a normalization of which a statistic is frozen goes on using both.</param>
internal sealed class NormalizationTraining(Func<Value, bool> isFrozen) : NetworkPass
{
    private readonly List<(Value Statistic, Value Moment)> _followed = [];

    /// <summary>The statistics, and the moment of a batch that each follows.</summary>
    public IReadOnlyList<(Value Statistic, Value Moment)> Followed => _followed;

    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        switch (node.Operator)
        {
            case BatchNormalizationOperator normalization when inputs is [{ } x, { } gamma, { } beta, { } mean, { } variance]:
                var (center, spread) = (mean, variance);
                if (!isFrozen(mean) && !isFrozen(variance) && mean.IsStored && variance.IsStored)
                {
                    var moments = Graph.AddNode($"{node.Name}/moments", new BatchMomentsOperator(), x).Outputs;
                    (center, spread) = (moments[0], moments[1]);
                    _followed.Add((mean, center));
                    _followed.Add((variance, spread));
                }

                var scale = Graph.Add($"{node.Name}/scale", new NormalizationScaleOperator(normalization.Epsilon), spread, gamma);
                return [Replace(node, new ChannelMapOperator(Activation.None), x, scale, center, beta)];
            case ActivationOperator { Activation: { IsClamp: true } clamp } when HasOneReader(node.Inputs[0])
                && inputs[0]!.Producer is { Operator: ChannelMapOperator { Clamp.IsNone: true } } map:
                return [Replace(node, new ChannelMapOperator(clamp), [.. map.Inputs])];
            default:
                return null;
        }
    }
}
