using SeparableConv.Networks.Graph;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Softmax along one axis: y = e^(x - m) / sum of e^(x - m) over the axis, m the largest along it. Floats of any size; the axis counts from
/// the back where it is negative.
/// </summary>
internal sealed class SoftmaxOperator(int axis) : Operator
{
    public override string Kind => "Softmax";

    public int Axis { get; } = axis;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = ConvShapes.Required(inputs, 0, "input");
        OperatorChecks.Takes(input.Element.IsFloat(), input, "floats");
        _ = TensorAxis.Resolve(Axis, input.Shape.Rank);
        return [input with { Quantization = null }];
    }

    internal override OperatorCost Cost(Node node) => new(0, 3 * node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var (x, y) = (context.Inputs[0], context.Outputs[0]);
        switch (x.Type.Element)
        {
            case ElementType.Float32 when TensorAxis.Cut(x.Shape, Axis).Inner == 1:
                ActivationWork.Run(Activation.Softmax, x, y, TensorAxis.Cut(x.Shape, Axis).Length, context.Threads);
                break;
            case ElementType.Float32:
                SoftmaxWork<float>.Run(x, y, Axis, logarithm: false, context.Threads);
                break;
            case ElementType.Float64:
                SoftmaxWork<double>.Run(x, y, Axis, logarithm: false, context.Threads);
                break;
            default:
                SoftmaxWork<Half>.Run(x, y, Axis, logarithm: false, context.Threads);
                break;
        }
    }
}
