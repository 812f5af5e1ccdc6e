using System.Numerics;
using System.Numerics.Tensors;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A tensor times a number that does not change, as gradients of means need it: y[...] = factor * x[...]. Floats; the factor is rounded to
/// their type.
/// </summary>
internal sealed class ScaleOperator(double factor) : Operator
{
    public override string Kind => "Scale";

    public double Factor { get; } = factor;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = OperatorChecks.Required(inputs, 0, "input");
        OperatorChecks.Takes(input.Element.IsFloat(), input, "floats");
        return [input with { Quantization = null }];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var work = new FloatWork { Context = context, Factor = Factor };
        ElementDispatch.Floats(context.Outputs[0].Type.Element, ref work);
    }

    private struct FloatWork : IFloatWork
    {
        public ForwardContext Context;
        public double Factor;

        public readonly unsafe void Run<T>()
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            var work = new Work<T>
            {
                X = Context.Inputs[0].Pointer<T>(),
                Y = Context.Outputs[0].Pointer<T>(),
                Factor = T.CreateSaturating(Factor),
            };
            ElementParts.Run(work, Context.Outputs[0].Shape.ElementCount, 1, Context.Threads);
        }
    }

    private unsafe struct Work<T> : IRangeWork
        where T : unmanaged, INumber<T>
    {
        public T* X;
        public T* Y;
        public T Factor;

        public readonly void Run(nint start, nint end) => TensorPrimitives.Multiply(
            new ReadOnlySpan<T>(X + start, (int)(end - start)), Factor, new Span<T>(Y + start, (int)(end - start)));
    }
}
