namespace SeparableConv.Imaging;

/// <summary>The type of one sample of an <see cref="Image"/>.</summary>
public enum SampleType
{
    /// <summary>8 bits without sign: black is 0, white is 255.</summary>
    Byte,

    /// <summary>16 bits without sign: black is 0, white is 65535.</summary>
    UInt16,

    /// <summary>32-bit floating point; its range is whatever the file or the caller put there.</summary>
    Single,
}
