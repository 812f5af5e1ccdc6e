using System.Numerics;
using System.Numerics.Tensors;
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Bounds of any element type: y = min(maximum, max(minimum, x)). A bound beyond the type's range is the end of the range; a minimum
/// above the maximum gives the maximum. For float32 <see cref="ActivationOperator"/> does the same and can be fused.
/// </summary>
internal sealed unsafe class ClipOperator(double minimum, double maximum) : Operator, INumberOperator
{
    public override string Kind => "Clip";

    public double Minimum { get; } = minimum;

    public double Maximum { get; } = maximum;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = OperatorChecks.Required(inputs, 0, "input");
        OperatorChecks.Takes(input.Element != ElementType.Bool, input, "numbers");
        if (double.IsNaN(Minimum) || double.IsNaN(Maximum))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"Clip has minimum {Minimum} and maximum {Maximum}; both must be numbers."));
        }

        return [input];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context) => ElementDispatch.Run(this, context.Inputs[0].Type.Element, context);

    /// <summary>dx = dy between the bounds, 0 at them and beyond; float32.</summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        var (minimum, maximum) = (float.CreateSaturating(Minimum), float.CreateSaturating(Maximum));
        return context.Input(0).Type.Element == ElementType.Float32
            ? [context.Add("input", new ClampGradientOperator(minimum, maximum), context.Output(0), context.Node.Outputs[0])]
            : null;
    }

    void INumberOperator.Run<T>(ForwardContext context)
    {
        var (x, y) = (context.Inputs[0], context.Outputs[0]);
        var work = new Work<T>
        {
            X = x.Pointer<T>(),
            Y = y.Pointer<T>(),
            Minimum = T.CreateSaturating(Minimum),
            Maximum = T.CreateSaturating(Maximum),
        };
        ElementParts.Run(work, y.Shape.ElementCount, 1, context.Threads);
    }

    private struct Work<T> : IRangeWork
        where T : unmanaged, INumber<T>
    {
        public T* X;
        public T* Y;
        public T Minimum;
        public T Maximum;

        public readonly void Run(nint start, nint end)
        {
            var target = new Span<T>(Y + start, (int)(end - start));
            TensorPrimitives.Max(new ReadOnlySpan<T>(X + start, target.Length), Minimum, target);
            TensorPrimitives.Min(target, Maximum, target);
        }
    }
}
