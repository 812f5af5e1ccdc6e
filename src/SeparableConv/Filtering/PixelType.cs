namespace SeparableConv;

/// <summary>The type of one element of a picture.</summary>
public enum PixelType
{
    /// <summary><see cref="byte"/>, 0 to 255.</summary>
    UInt8,

    /// <summary><see cref="ushort"/>, 0 to 65535.</summary>
    UInt16,

    /// <summary><see cref="float"/>; any range, NaN and infinities too.</summary>
    Float32,
}
