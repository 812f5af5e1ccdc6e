using System.Runtime.InteropServices;
using SeparableConv.Imaging.Npy;

namespace SeparableConv.Imaging;

/// <summary>
/// An array as a NumPy .npy file holds it: a type, a shape and the elements, row-major (C order), in the machine's byte order.
/// </summary>
public sealed class NpyArray
{
    private readonly int[] _shape;
    private readonly byte[] _data;

    internal NpyArray(ElementType type, int[] shape, byte[] data)
    {
        Type = type;
        _shape = shape;
        _data = data;
    }

    /// <summary>The element type.</summary>
    public ElementType Type { get; }

    /// <summary>The extent of every axis, slowest first; empty for a single number.</summary>
    public ReadOnlySpan<int> Shape => _shape;

    /// <summary>Number of elements.</summary>
    public int Count => _data.Length / Type.Size();

    /// <summary>The elements as bytes, in the machine's byte order.</summary>
    public ReadOnlySpan<byte> Data => _data;

    /// <summary>Copies elements into a new array.</summary>
    /// <typeparam name="T">bool, an integer of 8 to 64 bits, Half, float or double.</typeparam>
    /// <param name="elements">Row-major, as many as the shape has.</param>
    /// <param name="shape">The extent of every axis, slowest first, none negative.</param>
    /// <returns>The array.</returns>
    /// <exception cref="ArgumentException">The type is another, or shape and number of elements do not agree.</exception>
    public static NpyArray Create<T>(ReadOnlySpan<T> elements, params ReadOnlySpan<int> shape)
        where T : unmanaged
    {
        CheckCount(elements.Length, shape);
        return new NpyArray(ElementTypes.Of<T>(), shape.ToArray(), MemoryMarshal.AsBytes(elements).ToArray());
    }

    /// <summary>Copies elements, as they lie in memory, into a new array.</summary>
    /// <param name="type">What they are.</param>
    /// <param name="data">Their bytes in the machine's byte order, row-major, as many elements as the shape has.</param>
    /// <param name="shape">The extent of every axis, slowest first, none negative.</param>
    /// <returns>The array.</returns>
    /// <exception cref="ArgumentException">Shape and number of bytes do not agree.</exception>
    public static NpyArray FromBytes(ElementType type, ReadOnlySpan<byte> data, params ReadOnlySpan<int> shape)
    {
        var size = type.Size();
        if (data.Length % size != 0)
            throw new ArgumentException($"Elements of {type} have {size} bytes, but {data.Length} bytes were given.", nameof(data));
        CheckCount(data.Length / size, shape);
        return new NpyArray(type, shape.ToArray(), data.ToArray());
    }

    /// <summary>The elements, not converted.</summary>
    /// <typeparam name="T">The type that <see cref="Type"/> names.</typeparam>
    /// <returns>A view of the array's memory, row-major.</returns>
    /// <exception cref="ArgumentException">The elements are of another type.</exception>
    public ReadOnlySpan<T> As<T>()
        where T : unmanaged
    {
        if (ElementTypes.Of<T>() != Type)
        {
            throw new ArgumentException(
                $"The array's elements are {Type}, but {typeof(T).Name} was asked for; use {nameof(ToDoubles)} to convert them.");
        }

        return MemoryMarshal.Cast<byte, T>(_data);
    }

    /// <summary>The elements converted to double; only 64-bit integers beyond 2^53 are rounded.</summary>
    /// <returns>A new array, row-major.</returns>
    public double[] ToDoubles() => Convert<double>();

    /// <summary>The elements converted to float, each rounded to the nearest.</summary>
    /// <returns>A new array, row-major.</returns>
    public float[] ToFloats() => Convert<float>();

    private static void CheckCount(int elements, ReadOnlySpan<int> shape)
    {
        Int128 count = 1;
        foreach (var extent in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(extent, nameof(shape));

            // Capped, so that not even many large extents overflow; such a product equals no array's length.
            count = Int128.Min(count * extent, long.MaxValue);
        }

        if (count != elements)
        {
            throw new ArgumentException(
                $"An array of shape ({string.Join(", ", shape.ToArray())}) has {count} elements, but {elements} were given.",
                nameof(elements));
        }
    }

    private T[] Convert<T>()
        where T : unmanaged, System.Numerics.INumber<T>
    {
        var numbers = new T[Count];
        Type.Convert<T>(_data, numbers);
        return numbers;
    }
}
