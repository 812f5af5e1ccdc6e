using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace SeparableConv;

/// <summary>What the libraries ask of an <see cref="ElementType"/>: its size, its .NET type, its numbers as another type.</summary>
internal static class ElementTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this ElementType type) => type switch
    {
        ElementType.Float64 or ElementType.Int64 or ElementType.UInt64 => 8,
        ElementType.Float32 or ElementType.Int32 or ElementType.UInt32 => 4,
        ElementType.Float16 or ElementType.Int16 or ElementType.UInt16 => 2,
        _ => 1,
    };

    /// <summary>Whether the elements are floating-point numbers.</summary>
    public static bool IsFloat(this ElementType type) => type is ElementType.Float32 or ElementType.Float64 or ElementType.Float16;

    /// <summary>Whether the elements are the bytes of a quantized network.</summary>
    public static bool IsByte(this ElementType type) => type is ElementType.Int8 or ElementType.UInt8;

    /// <summary>The element type that a .NET type stands for.</summary>
    /// <exception cref="ArgumentException">None does.</exception>
    public static ElementType Of<T>() => Of(typeof(T));

    /// <inheritdoc cref="Of{T}"/>
    /// <remarks>
    /// By comparison: Type.GetTypeCode keeps what it looks up in an object that any collection may take, and then makes another.
    /// </remarks>
    public static ElementType Of(Type type) =>
        type == typeof(float) ? ElementType.Float32
        : type == typeof(byte) ? ElementType.UInt8
        : type == typeof(sbyte) ? ElementType.Int8
        : type == typeof(int) ? ElementType.Int32
        : type == typeof(long) ? ElementType.Int64
        : type == typeof(bool) ? ElementType.Bool
        : type == typeof(double) ? ElementType.Float64
        : type == typeof(Half) ? ElementType.Float16
        : type == typeof(short) ? ElementType.Int16
        : type == typeof(ushort) ? ElementType.UInt16
        : type == typeof(uint) ? ElementType.UInt32
        : type == typeof(ulong) ? ElementType.UInt64
        : throw new ArgumentException($"{type} is no element type; use float, double, Half, bool or an integer of 8 to 64 bits.");

    /// <summary>An array of so many zeros.</summary>
    public static Array CreateArray(this ElementType type, int length) => type switch
    {
        ElementType.Float32 => new float[length],
        ElementType.Float64 => new double[length],
        ElementType.Float16 => new Half[length],
        ElementType.Int8 => new sbyte[length],
        ElementType.UInt8 => new byte[length],
        ElementType.Int16 => new short[length],
        ElementType.UInt16 => new ushort[length],
        ElementType.Int32 => new int[length],
        ElementType.UInt32 => new uint[length],
        ElementType.Int64 => new long[length],
        ElementType.UInt64 => new ulong[length],
        _ => new bool[length],
    };

    /// <summary>The numbers that lie in some bytes, each rounded to the nearest that the target has; true is 1.</summary>
    /// <param name="type">What the bytes are elements of, in the machine's byte order.</param>
    /// <param name="elements">The elements.</param>
    /// <param name="numbers">Receives as many numbers as there are elements.</param>
    public static void Convert<T>(this ElementType type, ReadOnlySpan<byte> elements, Span<T> numbers)
        where T : unmanaged, INumberBase<T>
    {
        switch (type)
        {
            case ElementType.Float32:
                Convert<float, T>(elements, numbers);
                break;
            case ElementType.Float64:
                Convert<double, T>(elements, numbers);
                break;
            case ElementType.Float16:
                Convert<Half, T>(elements, numbers);
                break;
            case ElementType.Int8:
                Convert<sbyte, T>(elements, numbers);
                break;
            case ElementType.Int16:
                Convert<short, T>(elements, numbers);
                break;
            case ElementType.UInt16:
                Convert<ushort, T>(elements, numbers);
                break;
            case ElementType.Int32:
                Convert<int, T>(elements, numbers);
                break;
            case ElementType.UInt32:
                Convert<uint, T>(elements, numbers);
                break;
            case ElementType.Int64:
                Convert<long, T>(elements, numbers);
                break;
            case ElementType.UInt64:
                Convert<ulong, T>(elements, numbers);
                break;
            default:
                Convert<byte, T>(elements, numbers);
                break;
        }
    }

    private static void Convert<TSource, T>(ReadOnlySpan<byte> elements, Span<T> numbers)
        where TSource : unmanaged, INumberBase<TSource>
        where T : unmanaged, INumberBase<T> =>
        TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, TSource>(elements), numbers);
}
