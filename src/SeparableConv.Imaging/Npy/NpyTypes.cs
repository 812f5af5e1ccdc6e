namespace SeparableConv.Imaging.Npy;

/// <summary>The names that .npy files have for element types, without the byte order.</summary>
internal static class NpyTypes
{
    /// <summary>The name in a file's header.</summary>
    public static string Name(ElementType type) => type switch
    {
        ElementType.UInt8 => "u1",
        ElementType.Int8 => "i1",
        ElementType.UInt16 => "u2",
        ElementType.Int16 => "i2",
        ElementType.Int32 => "i4",
        ElementType.Int64 => "i8",
        ElementType.UInt32 => "u4",
        ElementType.UInt64 => "u8",
        ElementType.Bool => "b1",
        ElementType.Float16 => "f2",
        ElementType.Float32 => "f4",
        _ => "f8",
    };

    /// <summary>The type with this name; null where there is none.</summary>
    public static ElementType? FromName(ReadOnlySpan<char> name)
    {
        foreach (var type in Enum.GetValues<ElementType>())
        {
            if (name.SequenceEqual(Name(type)))
                return type;
        }

        return null;
    }
}
