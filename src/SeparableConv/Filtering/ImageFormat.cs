namespace SeparableConv;

/// <summary>Size and type of a picture: (Height, Width, Channels), channels innermost.</summary>
/// <param name="Height">Rows of pixels, 1 or more.</param>
/// <param name="Width">Pixels a row, 1 or more.</param>
/// <param name="Channels">Elements a pixel, 1 to 4; with 2 or 4 the last one is alpha.</param>
/// <param name="Type">The type of an element.</param>
public readonly record struct ImageFormat(int Height, int Width, int Channels, PixelType Type)
{
    /// <summary>The most channels a filter takes.</summary>
    public const int MaxChannels = 4;

    /// <summary>Whether the last channel is alpha: with 2 (grey, alpha) and with 4 channels (red, green, blue, alpha).</summary>
    public bool HasAlpha => Channels is 2 or 4;

    /// <summary>Elements a row: width * channels.</summary>
    public int RowElements => Width * Channels;

    /// <summary>The largest value of an integer type; 1 for floats, whose usual range is 0 to 1.</summary>
    public double MaxValue => Type switch
    {
        PixelType.UInt8 => byte.MaxValue,
        PixelType.UInt16 => ushort.MaxValue,
        _ => 1,
    };

    /// <summary>Bytes an element: 1, 2 or 4.</summary>
    public int ElementBytes => Type switch
    {
        PixelType.UInt8 => sizeof(byte),
        PixelType.UInt16 => sizeof(ushort),
        _ => sizeof(float),
    };

    /// <summary>For example <c>2160x3840x3 UInt8</c>.</summary>
    /// <returns>Height, width, channels and type.</returns>
    public override string ToString() => $"{Height}x{Width}x{Channels} {Type}";

    internal static PixelType TypeOf<T>()
        where T : unmanaged
    {
        if (typeof(T) == typeof(byte))
            return PixelType.UInt8;
        if (typeof(T) == typeof(ushort))
            return PixelType.UInt16;
        if (typeof(T) == typeof(float))
            return PixelType.Float32;
        throw new ArgumentException($"A picture has elements of type byte, ushort or float, not {typeof(T).Name}; convert it first.");
    }

    internal void Check()
    {
        if (Height <= 0 || Width <= 0)
            throw new ArgumentException($"The picture is {Height}x{Width} pixels; both sides must be at least 1.");
        if (Channels is < 1 or > MaxChannels)
            throw new ArgumentException($"The picture has {Channels} channels; a filter takes 1 to {MaxChannels}. Filter the channels in groups.");
        if (!Enum.IsDefined(Type))
            throw new ArgumentException($"The pixel type {(int)Type} is unknown; use UInt8, UInt16 or Float32.");

        // Positions within a row are ints, a border's included.
        if ((long)Width * Channels > int.MaxValue / 4)
            throw new ArgumentException($"A row of {Width} pixels of {Channels} channels is too long; at most {int.MaxValue / 4} elements are supported.");
    }
}
