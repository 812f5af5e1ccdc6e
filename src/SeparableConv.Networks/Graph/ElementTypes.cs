namespace SeparableConv.Networks.Graph;

/// <summary>The element types beside .NET's.</summary>
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
    /// <remarks>By comparison: Type.GetTypeCode keeps what it looks up in an object that any collection may take, and then makes another.</remarks>
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
}
