namespace SeparableConv.Networks.Operators;

/// <summary>A tensor's type and the memory that it lies in. The owner of the memory keeps it alive and in place.</summary>
internal readonly unsafe struct TensorBuffer(TensorType type, void* memory)
{
    public TensorType Type { get; } = type;

    public void* Memory { get; } = memory;

    public TensorShape Shape => Type.Shape;

    public bool IsPresent => Memory is not null;

    /// <summary>The elements; none where there is no tensor.</summary>
    /// <exception cref="InvalidOperationException">They are of another type.</exception>
    public Span<T> Span<T>()
        where T : unmanaged => IsPresent ? new(Pointer<T>(), checked((int)Type.Shape.ElementCount)) : default;

    /// <summary>The first element.</summary>
    /// <exception cref="InvalidOperationException">The elements are of another type.</exception>
    public T* Pointer<T>()
        where T : unmanaged => ElementTypes.Of<T>() == Type.Element
            ? (T*)Memory
            : throw new InvalidOperationException($"A tensor of {Type} was asked for elements of {ElementTypes.Of<T>()}.");

    /// <summary>The bytes that the elements take.</summary>
    public Span<byte> Bytes() => new(Memory, checked((int)Type.Bytes));
}
