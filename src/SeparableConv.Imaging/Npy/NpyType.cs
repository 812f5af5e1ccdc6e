namespace SeparableConv.Imaging;

/// <summary>The element types of <see cref="NpyArray"/>.</summary>
public enum NpyType
{
    /// <summary>'|u1': <see cref="byte"/>.</summary>
    UInt8,

    /// <summary>'|i1': <see cref="sbyte"/>.</summary>
    Int8,

    /// <summary>'u2': <see cref="ushort"/>.</summary>
    UInt16,

    /// <summary>'i2': <see cref="short"/>.</summary>
    Int16,

    /// <summary>'i4': <see cref="int"/>.</summary>
    Int32,

    /// <summary>'i8': <see cref="long"/>.</summary>
    Int64,

    /// <summary>'f4': <see cref="float"/>.</summary>
    Float32,

    /// <summary>'f8': <see cref="double"/>.</summary>
    Float64,

    /// <summary>'f2': <see cref="Half"/>.</summary>
    Float16,

    /// <summary>'u4': <see cref="uint"/>.</summary>
    UInt32,

    /// <summary>'u8': <see cref="ulong"/>.</summary>
    UInt64,

    /// <summary>'|b1': <see cref="bool"/>.</summary>
    Bool,
}
