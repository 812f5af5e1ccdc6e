namespace SeparableConv.Networks.Operators;

/// <summary>
/// A statistic that follows a moment of the batch, in its own memory: statistic s, moment m of its shape -> s*momentum + m*(1 - momentum).
/// All float32.
/// </summary>
internal sealed class MovingAverageOperator(float momentum) : Operator
{
    public override string Kind => "MovingAverage";

    internal override Aliasing Aliasing => Aliasing.Update;

    internal override InputRole RoleOf(int input, TensorType type) => input == 0 ? InputRole.Statistic : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var statistic = OperatorChecks.Required(inputs, 0, "statistic");
        OperatorChecks.SameElement(statistic, OperatorChecks.Required(inputs, 1, "moment"));
        OperatorChecks.SameShape(statistic, inputs[1]!);
        return [statistic];
    }

    internal override void Forward(ForwardContext context)
    {
        var before = context.Inputs[0].Span<float>();
        var moment = context.Inputs[1].Span<float>();
        var after = context.Outputs[0].Span<float>();
        for (var i = 0; i < after.Length; i++)
            after[i] = (before[i] * momentum) + (moment[i] * (1 - momentum));
    }
}
