using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Gives a network another batch: inputs whose first dimension was the old batch get the new one, and all shapes behind them are inferred
/// anew. Shapes that were written into the network follow where the batch can be found in them.
/// </summary>
internal sealed class Rebatching(int before, int after) : NetworkPass
{
    protected override TensorType InputType(Value input) =>
        input.Shape.Rank > 0 && input.Shape[0] == before
            ? input.Type with { Shape = new TensorShape([after, .. input.Shape.Lengths[1..]]) }
            : input.Type;

    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        var changes = false;
        for (var i = 0; i < inputs.Length; i++)
            changes |= inputs[i] is { } input && input.Shape != node.Inputs[i]!.Shape;
        if (!changes)
            return null;
        var op = node.Operator switch
        {
            ReshapeOperator => new ReshapeOperator(Reshaped(node, inputs[0]!.Shape)),
            ExpandOperator { Shape: { Rank: > 0 } shape } when shape[0] == before && shape.Rank >= inputs[0]!.Shape.Rank =>
                new ExpandOperator(new TensorShape([after, .. shape.Lengths[1..]])),
            _ => node.Operator,
        };
        var outputs = Graph.AddNode(node.Name, op, inputs).Outputs;
        for (var i = 0; i < outputs.Count; i++)
        {
            if (outputs[i].Shape == node.Outputs[i].Shape)
                throw Refusal(node, $"gives {outputs[i].Shape} for any batch");
        }

        return outputs;
    }

    // The batch lies where as many elements lie before it as before: dimensions in front of it keep their product.
    private TensorShape Reshaped(Node node, TensorShape input)
    {
        var (old, target) = (node.Inputs[0]!.Shape, node.Outputs[0].Shape);
        var axis = 0;
        while (old[axis] == input[axis])
            axis++;
        var product = Product(old, axis);
        for (var i = 0; i < target.Rank; i++)
        {
            if (Product(target, i) == product && (long)target[i] * after % before == 0 && target[i] != 0)
            {
                var lengths = target.Lengths.ToArray();
                lengths[i] = checked((int)((long)target[i] * after / before));
                return new TensorShape(lengths);
            }
        }

        throw Refusal(node, $"joins the batch of {old} with other dimensions to {target}");
    }

    private static long Product(TensorShape shape, int dimensions)
    {
        long product = 1;
        for (var i = 0; i < dimensions; i++)
            product *= shape[i];
        return product;
    }

    private NetworkException Refusal(Node node, string what) => new(
        $"The batch cannot be changed from {before} to {after}: node '{node.Name}' ({node.Operator.Kind}) {what}; "
        + "make the network with that batch.");
}
