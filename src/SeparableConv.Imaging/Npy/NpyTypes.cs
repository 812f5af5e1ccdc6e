namespace SeparableConv.Imaging.Npy;

/// <summary>Sizes and names of <see cref="NpyType"/>.</summary>
internal static class NpyTypes
{
    /// <summary>Bytes of an element.</summary>
    public static int Size(NpyType type) => type switch
    {
        NpyType.UInt8 or NpyType.Int8 or NpyType.Bool => 1,
        NpyType.UInt16 or NpyType.Int16 or NpyType.Float16 => 2,
        NpyType.Int32 or NpyType.UInt32 or NpyType.Float32 => 4,
        _ => 8,
    };

    /// <summary>The name in a file's header, without the byte order.</summary>
    public static string Name(NpyType type) => type switch
    {
        NpyType.UInt8 => "u1",
        NpyType.Int8 => "i1",
        NpyType.UInt16 => "u2",
        NpyType.Int16 => "i2",
        NpyType.Int32 => "i4",
        NpyType.Int64 => "i8",
        NpyType.UInt32 => "u4",
        NpyType.UInt64 => "u8",
        NpyType.Bool => "b1",
        NpyType.Float16 => "f2",
        NpyType.Float32 => "f4",
        _ => "f8",
    };

    /// <summary>The type with this name.</summary>
    public static NpyType? FromName(ReadOnlySpan<char> name)
    {
        foreach (var type in Enum.GetValues<NpyType>())
        {
            if (name.SequenceEqual(Name(type)))
                return type;
        }

        return null;
    }

    /// <summary>The type that stands for <typeparamref name="T"/>.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static NpyType Of<T>()
        where T : unmanaged
    {
        var type = typeof(T);
        return type == typeof(byte) ? NpyType.UInt8
            : type == typeof(sbyte) ? NpyType.Int8
            : type == typeof(ushort) ? NpyType.UInt16
            : type == typeof(short) ? NpyType.Int16
            : type == typeof(int) ? NpyType.Int32
            : type == typeof(long) ? NpyType.Int64
            : type == typeof(uint) ? NpyType.UInt32
            : type == typeof(ulong) ? NpyType.UInt64
            : type == typeof(bool) ? NpyType.Bool
            : type == typeof(Half) ? NpyType.Float16
            : type == typeof(float) ? NpyType.Float32
            : type == typeof(double) ? NpyType.Float64
            : throw new ArgumentException($"An .npy array holds bool, integers of 8 to 64 bits, Half, float or double, not {type.Name}.");
    }
}
