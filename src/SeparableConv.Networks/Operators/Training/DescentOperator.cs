using System.Numerics.Tensors;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// One step of gradient descent, in the parameter's own memory: parameter p, gradient g of its shape, rate r (1) -> p - r*g. All float32.
/// </summary>
internal sealed unsafe class DescentOperator : Operator
{
    public override string Kind => "Descent";

    internal override Aliasing Aliasing => Aliasing.Update;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (parameter, gradient) = (OperatorChecks.Required(inputs, 0, "parameter"), OperatorChecks.Required(inputs, 1, "gradient"));
        var rate = OperatorChecks.Required(inputs, 2, "rate");
        foreach (var type in new[] { parameter, gradient, rate })
            OperatorChecks.Takes(type.Element == ElementType.Float32, type, "float32");
        if (gradient.Shape != parameter.Shape || rate.Shape.ElementCount != 1)
            throw new ArgumentException(
                $"The parameter is {parameter}, its gradient {gradient} and the rate {rate}; "
                + "expected a gradient of the parameter's shape and one rate.");
        return [parameter];
    }

    internal override OperatorCost Cost(Node node) => new(0, 2 * node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var (before, gradient, after) = (context.Inputs[0], context.Inputs[1], context.Outputs[0]);
        var work = new Work
        {
            Before = before.Pointer<float>(),
            Gradient = gradient.Pointer<float>(),
            After = after.Pointer<float>(),
            Rate = context.Inputs[2].Span<float>()[0],
        };
        ElementParts.Run(work, after.Shape.ElementCount, 1, context.Threads);
    }

    private struct Work : IRangeWork
    {
        public float* Before;
        public float* Gradient;
        public float* After;
        public float Rate;

        public readonly void Run(nint start, nint end)
        {
            var count = checked((int)(end - start));
            TensorPrimitives.FusedMultiplyAdd(
                new ReadOnlySpan<float>(Gradient + start, count),
                -Rate,
                new ReadOnlySpan<float>(Before + start, count),
                new Span<float>(After + start, count));
        }
    }
}
