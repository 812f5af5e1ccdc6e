using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// PReLU with slopes that broadcast to the input: x, slope -> the input's shape, y = x where x is 0 or more, slope*x below. The
/// slopes are a parameter; where they are frozen, one for all or one a channel, a convolution before them can take them over as
/// <see cref="SeparableConv.Activation.PReLU"/>.
/// </summary>
internal sealed class PReluOperator : Operator
{
    public override string Kind => "PReLU";

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override InputRole RoleOf(int input, TensorType type) => input > 0 ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (x, slope) = (OperatorChecks.Required(inputs, 0, "input"), OperatorChecks.Required(inputs, 1, "slope"));
        OperatorChecks.SameElement(x, slope);
        OperatorChecks.Takes(BinaryRow.ForSlope(x.Element).Exists, x, "floats, or integers of 32 or 64 bits");
        if (TensorShapes.Broadcast(x.Shape, slope.Shape) != x.Shape)
            throw new ArgumentException($"The slopes {slope.Shape} do not broadcast to the input's shape {x.Shape}.");
        _ = StridedLoops.Broadcast(x.Shape, slope.Shape, x.Shape);
        return [x with { Quantization = null }];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Shape.ElementCount);

    internal override Step Prepare(Node node) => Prepare(node.Inputs[0]!.Type, node.Inputs[1]!.Type);

    internal override void Forward(ForwardContext context) => Prepare(context.Inputs[0].Type, context.Inputs[1].Type).Run(context);

    private static BroadcastStep Prepare(TensorType x, TensorType slope) =>
        new(new BroadcastWork(BinaryRow.ForSlope(x.Element), x, slope, x, Activation.None), Activation.None);

    /// <summary>
    /// dx = dy where x is above 0, else slope * dy; dslope = the sum of x * dy over those elements of the slope that are not above 0.
    /// </summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        var (x, slope, dy) = (context.Input(0), context.Input(1), context.Output(0));
        if (!x.Type.Element.IsFloat())
            return null;
        var gradients = context.Nothing();
        if (context.Wants(0))
            gradients[0] = context.Add("input", new BinaryGradientOperator(BinaryDerivative.SlopeByInput), dy, x, slope);
        if (context.Wants(1))
        {
            var each = context.Add("slope", new BinaryGradientOperator(BinaryDerivative.SlopeBySlope), dy, x, slope);
            gradients[1] = context.SumTo(each, slope.Shape);
        }

        return gradients;
    }
}
