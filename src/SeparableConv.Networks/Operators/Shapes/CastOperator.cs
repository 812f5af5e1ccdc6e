using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The same numbers in another type. Floating-point numbers lose their fraction on the way to integers and stop at the ends of
/// their range (not-a-number becomes 0); integers keep their lowest bits; a bool is 0 or 1, and all but 0 is true.
/// </summary>
internal sealed class CastOperator(ElementType element) : Operator
{
    public override string Kind => "Cast";

    /// <summary>The output's element type.</summary>
    public ElementType Element => element;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = ShapeRules.Only(inputs);
        return [input.Element == element ? input : new(element, input.Shape)];
    }

    internal override void Forward(ForwardContext context)
    {
        var (x, y) = (context.Inputs[0], context.Outputs[0]);
        if (x.Type.Element == y.Type.Element)
        {
            x.Bytes().CopyTo(y.Bytes());
            return;
        }

        // A bool is a byte that is 0 or 1.
        var work = new FromWork { X = x, Y = y };
        ElementDispatch.Numbers(x.Type.Element == ElementType.Bool ? ElementType.UInt8 : x.Type.Element, ref work);
    }

    /// <summary>From floats to floats the gradient is cast back; a cast of or to whole numbers has none.</summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        var (from, dy) = (context.Input(0).Type.Element, context.Output(0)!);
        if (!from.IsFloat() || !element.IsFloat())
            return null;
        return [from == element ? dy : context.Add("input", new CastOperator(from), dy)];
    }

    private struct FromWork : INumberWork
    {
        public TensorBuffer X;
        public TensorBuffer Y;

        public readonly void Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            if (Y.Type.Element == ElementType.Bool)
            {
                ToBool(Values<T>(X), Y.Span<bool>());
                return;
            }

            var work = new ToWork<T> { X = X, Y = Y };
            ElementDispatch.Numbers(Y.Type.Element, ref work);
        }
    }

    private struct ToWork<TFrom> : INumberWork
        where TFrom : unmanaged, INumber<TFrom>
    {
        public TensorBuffer X;
        public TensorBuffer Y;

        public readonly void Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T> => TensorPrimitives.ConvertTruncating(Values<TFrom>(X), Y.Span<T>());
    }

    private static ReadOnlySpan<T> Values<T>(TensorBuffer x)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(x.Bytes());

    private static void ToBool<T>(ReadOnlySpan<T> values, Span<bool> result)
        where T : unmanaged, INumber<T>
    {
        for (var i = 0; i < values.Length; i++)
            result[i] = !T.IsZero(values[i]);
    }
}
