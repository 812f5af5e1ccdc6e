namespace SeparableConv.Networks.Operators;

/// <summary>What the operators share that only move elements: all that a run needs follows from the types of the inputs.</summary>
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
