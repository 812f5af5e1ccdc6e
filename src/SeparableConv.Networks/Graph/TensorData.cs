using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace SeparableConv.Networks;

/// <summary>A stored tensor, of a network or of a file: its type and its numbers, which do not change.</summary>
public sealed class TensorData
{
    /// <param name="type">Element type and shape.</param>
    /// <param name="values">An array of that element type, row-major, as long as the shape has elements; kept, not copied.</param>
    internal TensorData(TensorType type, Array values)
    {
        if (ElementTypes.Of(values.GetType().GetElementType()!) != type.Element || values.LongLength != type.Shape.ElementCount)
            throw new ArgumentException($"A tensor of {type} was given {values.LongLength} values of {values.GetType().GetElementType()}.");
        Type = type;
        Values = values;
    }

    /// <summary>Element type, shape and quantization.</summary>
    public TensorType Type { get; }

    internal Array Values { get; }

    /// <summary>The numbers as the bytes they lie in.</summary>
    internal Span<byte> Bytes => MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(Values), checked((int)Type.Bytes));

    /// <summary>Makes a tensor of an array.</summary>
    /// <typeparam name="T">The .NET type of its elements: bool, an integer of 8 to 64 bits, Half, float or double.</typeparam>
    /// <param name="values">The numbers, row-major; the array is kept, not copied, and must not change from here on.</param>
    /// <param name="shape">One length a dimension, as many elements as there are numbers; no length at all for a scalar.</param>
    /// <returns>The tensor.</returns>
    /// <exception cref="ArgumentException">The shape has more or fewer elements, or the type is none of an element.</exception>
    public static TensorData Create<T>(T[] values, params ReadOnlySpan<int> shape)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(values);
        return new(new TensorType(ElementTypes.Of<T>(), new TensorShape(shape)), values);
    }

    /// <summary>The numbers.</summary>
    /// <typeparam name="T">The .NET type of the elements.</typeparam>
    /// <returns>The numbers, in the tensor's shape.</returns>
    /// <exception cref="InvalidOperationException">The elements are of another type.</exception>
    public ReadOnlyTensorSpan<T> Read<T>()
        where T : unmanaged
    {
        // Not by the array's type: to the runtime an int[] is a uint[] as well.
        if (ElementTypes.Of<T>() != Type.Element)
        {
            throw new InvalidOperationException(
                $"A tensor of {Type} was asked for elements of {ElementTypes.Of<T>()}; ask for those it has.");
        }

        return new ReadOnlyTensorSpan<T>((T[])Values, Array.ConvertAll(Type.Shape.Lengths.ToArray(), length => (nint)length));
    }

    /// <summary>Element type and shape, for example <c>float32 (3,3,32,64)</c>.</summary>
    /// <returns>What the tensor is, without its numbers.</returns>
    public override string ToString() => Type.ToString();

    /// <summary>Zeros.</summary>
    /// <exception cref="ArgumentException">There are more elements than an array can hold.</exception>
    internal static TensorData CreateZeros(TensorType type)
    {
        if (type.Shape.ElementCount > Array.MaxLength)
            throw new ArgumentException(
                $"A tensor of {type} has {type.Shape.ElementCount} elements; at most {Array.MaxLength} fit an array.");
        return new(type, type.Element.CreateArray((int)type.Shape.ElementCount));
    }

    /// <summary>The numbers as what they are.</summary>
    /// <exception cref="InvalidCastException">The elements are of another type.</exception>
    internal ReadOnlySpan<T> Span<T>()
        where T : unmanaged => (T[])Values;
}
