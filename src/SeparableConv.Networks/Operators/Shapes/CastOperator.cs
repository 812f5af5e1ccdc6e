using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

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

        switch (x.Type.Element)
        {
            case ElementType.Float32:
                From<float>(x, y);
                break;
            case ElementType.Float64:
                From<double>(x, y);
                break;
            case ElementType.Float16:
                From<Half>(x, y);
                break;
            case ElementType.Int8:
                From<sbyte>(x, y);
                break;
            case ElementType.Int16:
                From<short>(x, y);
                break;
            case ElementType.UInt16:
                From<ushort>(x, y);
                break;
            case ElementType.Int32:
                From<int>(x, y);
                break;
            case ElementType.UInt32:
                From<uint>(x, y);
                break;
            case ElementType.Int64:
                From<long>(x, y);
                break;
            case ElementType.UInt64:
                From<ulong>(x, y);
                break;
            default:
                From<byte>(x, y);
                break;
        }
    }

    private static void From<T>(TensorBuffer x, TensorBuffer y)
        where T : unmanaged, INumber<T>
    {
        ReadOnlySpan<T> values = MemoryMarshal.Cast<byte, T>(x.Bytes());
        switch (y.Type.Element)
        {
            case ElementType.Float32:
                TensorPrimitives.ConvertTruncating(values, y.Span<float>());
                break;
            case ElementType.Float64:
                TensorPrimitives.ConvertTruncating(values, y.Span<double>());
                break;
            case ElementType.Float16:
                TensorPrimitives.ConvertTruncating(values, y.Span<Half>());
                break;
            case ElementType.Int8:
                TensorPrimitives.ConvertTruncating(values, y.Span<sbyte>());
                break;
            case ElementType.UInt8:
                TensorPrimitives.ConvertTruncating(values, y.Span<byte>());
                break;
            case ElementType.Int16:
                TensorPrimitives.ConvertTruncating(values, y.Span<short>());
                break;
            case ElementType.UInt16:
                TensorPrimitives.ConvertTruncating(values, y.Span<ushort>());
                break;
            case ElementType.Int32:
                TensorPrimitives.ConvertTruncating(values, y.Span<int>());
                break;
            case ElementType.UInt32:
                TensorPrimitives.ConvertTruncating(values, y.Span<uint>());
                break;
            case ElementType.Int64:
                TensorPrimitives.ConvertTruncating(values, y.Span<long>());
                break;
            case ElementType.UInt64:
                TensorPrimitives.ConvertTruncating(values, y.Span<ulong>());
                break;
            default:
                ToBool(values, y.Span<bool>());
                break;
        }
    }

    private static void ToBool<T>(ReadOnlySpan<T> values, Span<bool> result)
        where T : unmanaged, INumber<T>
    {
        for (var i = 0; i < values.Length; i++)
            result[i] = !T.IsZero(values[i]);
    }
}
