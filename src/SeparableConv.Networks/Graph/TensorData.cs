using System.Runtime.InteropServices;

namespace SeparableConv.Networks.Graph;

/// <summary>A constant of a network: its type and its numbers.</summary>
internal sealed class TensorData
{
    /// <param name="type">Element type and shape.</param>
    /// <param name="values">An array of that element type, row-major, as long as the shape has elements; kept, not copied.</param>
    public TensorData(TensorType type, Array values)
    {
        if (ElementTypes.Of(values.GetType().GetElementType()!) != type.Element || values.LongLength != type.Shape.ElementCount)
            throw new ArgumentException($"A tensor of {type} was given {values.LongLength} values of {values.GetType().GetElementType()}.");
        Type = type;
        Values = values;
    }

    public TensorType Type { get; }

    public Array Values { get; }

    /// <summary>A constant from an array whose length is the shape's number of elements.</summary>
    public static TensorData Create<T>(T[] values, params ReadOnlySpan<int> shape)
        where T : unmanaged => new(new TensorType(ElementTypes.Of<T>(), new TensorShape(shape)), values);

    /// <summary>Zeros.</summary>
    /// <exception cref="ArgumentException">There are more elements than an array can hold.</exception>
    public static TensorData CreateZeros(TensorType type)
    {
        if (type.Shape.ElementCount > Array.MaxLength)
            throw new ArgumentException(
                $"A tensor of {type} has {type.Shape.ElementCount} elements; at most {Array.MaxLength} fit an array.");
        return new(type, type.Element.CreateArray((int)type.Shape.ElementCount));
    }

    /// <summary>The numbers as what they are.</summary>
    /// <exception cref="InvalidCastException">The elements are of another type.</exception>
    public ReadOnlySpan<T> Span<T>()
        where T : unmanaged => (T[])Values;

    /// <summary>The numbers as the bytes they lie in.</summary>
    public Span<byte> Bytes => MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(Values), checked((int)Type.Bytes));
}
