namespace SeparableConv;

/// <summary>The type of one element: of a tensor, of an .npy array, of a picture (there UInt8, UInt16 or Float32).</summary>
public enum ElementType
{
    /// <summary>
    /// IEEE 754 single precision, <see cref="float"/>. The usual range of a picture's samples is 0 to 1, but any value may occur.
    /// </summary>
    Float32,

    /// <summary>IEEE 754 double precision, <see cref="double"/>.</summary>
    Float64,

    /// <summary>IEEE 754 half precision, <see cref="Half"/>.</summary>
    Float16,

    /// <summary><see cref="sbyte"/>.</summary>
    Int8,

    /// <summary><see cref="byte"/>. In a picture black is 0 and white is 255.</summary>
    UInt8,

    /// <summary><see cref="short"/>.</summary>
    Int16,

    /// <summary><see cref="ushort"/>. In a picture black is 0 and white is 65535.</summary>
    UInt16,

    /// <summary><see cref="int"/>.</summary>
    Int32,

    /// <summary><see cref="uint"/>.</summary>
    UInt32,

    /// <summary><see cref="long"/>.</summary>
    Int64,

    /// <summary><see cref="ulong"/>.</summary>
    UInt64,

    /// <summary><see cref="bool"/>, one byte.</summary>
    Bool,
}
