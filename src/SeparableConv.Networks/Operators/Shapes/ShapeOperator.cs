namespace SeparableConv.Networks.Operators;

/// <summary>An operator that only moves elements: its step follows from the types of its inputs alone.</summary>
internal abstract class ShapeOperator : Operator
{
    internal sealed override Step Prepare(Node node)
    {
        var inputs = new TensorType[node.Inputs.Count];
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = node.Inputs[i]!.Type;
        return Plan(inputs);
    }

    internal sealed override void Forward(ForwardContext context) =>
        Plan(Array.ConvertAll(context.Inputs, input => input.Type)).Run(context);

    /// <summary>The step for inputs of these types, which <see cref="Operator.Infer"/> has accepted.</summary>
    private protected abstract Step Plan(TensorType[] inputs);
}
