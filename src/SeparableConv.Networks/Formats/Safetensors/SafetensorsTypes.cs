namespace SeparableConv.Networks.Formats.Safetensors;

/// <summary>The format's names of element types.</summary>
internal static class SafetensorsTypes
{
    /// <summary>
    /// The upper 16 bits of single precision. There is no such element type here: it is read as float32, which has all its numbers.
    /// </summary>
    public const string BrainFloat = "BF16";

    // In the order in which the reference implementation writes tensors: what needs the most alignment comes first, so that none is
    // needed between them.
    private static readonly (string Name, ElementType Type)[] Types =
    [
        ("U64", ElementType.UInt64), ("I64", ElementType.Int64), ("F64", ElementType.Float64),
        ("F32", ElementType.Float32), ("U32", ElementType.UInt32), ("I32", ElementType.Int32),
        ("F16", ElementType.Float16), ("U16", ElementType.UInt16), ("I16", ElementType.Int16),
        ("I8", ElementType.Int8), ("U8", ElementType.UInt8), ("BOOL", ElementType.Bool),
    ];

    /// <summary>The element type of that name.</summary>
    /// <exception cref="NetworkException">It is not supported.</exception>
    public static ElementType Read(string name, string what)
    {
        if (name == BrainFloat)
            return ElementType.Float32;
        var place = Array.FindIndex(Types, type => type.Name == name);
        return place >= 0 ? Types[place].Type : throw new NetworkException(
            $"{what} has elements of '{OneLine.Of(name)}', which is not supported; save it as one of "
            + $"{string.Join(", ", Types.Select(type => type.Name))} and {BrainFloat}.");
    }

    /// <summary>The name of an element type.</summary>
    public static string Name(ElementType type) => Types[Place(type)].Name;

    /// <summary>Tensors of smaller numbers are written before those of larger ones.</summary>
    public static int Place(ElementType type) => Array.FindIndex(Types, known => known.Type == type);
}
