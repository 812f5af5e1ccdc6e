namespace SeparableConv;

/// <summary>The size of a picture and the type of its elements: (Height, Width, Channels), channels innermost.</summary>
/// <param name="Height">Rows of pixels, 1 or more.</param>
/// <param name="Width">Pixels a row, 1 or more.</param>
/// <param name="Channels">Elements a pixel, 1 to 4; with 2 or 4 the last one is alpha.</param>
/// <param name="Type"><see cref="ElementType.UInt8"/>, <see cref="ElementType.UInt16"/> or <see cref="ElementType.Float32"/>.</param>
public readonly record struct ImageShape(int Height, int Width, int Channels, ElementType Type)
{
    /// <summary>The most channels a picture has.</summary>
    public const int MaxChannels = 4;

    /// <summary>Whether the last channel is alpha: with 2 (gray, alpha) and with 4 channels (red, green, blue, alpha).</summary>
    public bool HasAlpha => Channels is 2 or 4;

    /// <summary>Elements a row: width * channels.</summary>
    public int RowElements => Width * Channels;

    /// <summary>The largest value of an integer type; 1 for floats, whose usual range is 0 to 1.</summary>
    public double MaxValue => Type switch
    {
        ElementType.UInt8 => byte.MaxValue,
        ElementType.UInt16 => ushort.MaxValue,
        _ => 1,
    };

    /// <summary>Bytes an element: 1, 2 or 4.</summary>
    public int ElementBytes => Type.Size();

    /// <summary>For example <c>2160x3840x3 UInt8</c>.</summary>
    /// <returns>Height, width, channels and type.</returns>
    public override string ToString() => $"{Height}x{Width}x{Channels} {Type}";

    /// <summary>The element type that a .NET type stands for in a picture.</summary>
    /// <exception cref="ArgumentException">Pictures have no such elements.</exception>
    internal static ElementType TypeOf<T>()
        where T : unmanaged
    {
        if (typeof(T) == typeof(byte))
            return ElementType.UInt8;
        if (typeof(T) == typeof(ushort))
            return ElementType.UInt16;
        if (typeof(T) == typeof(float))
            return ElementType.Float32;
        throw new ArgumentException($"A picture has elements of type byte, ushort or float, not {typeof(T).Name}; convert it first.");
    }

    internal void Check()
    {
        if (Height <= 0 || Width <= 0)
            throw new ArgumentException($"The picture is {Height}x{Width} pixels; both sides must be at least 1.");
        if (Channels is < 1 or > MaxChannels)
        {
            throw new ArgumentException(
                $"The picture has {Channels} channels; a filter takes 1 to {MaxChannels}. Filter the channels in groups.");
        }

        if (Type is not (ElementType.UInt8 or ElementType.UInt16 or ElementType.Float32))
        {
            throw new ArgumentException(
                $"The picture has elements of type {Type}; a filter takes UInt8, UInt16 or Float32. Convert it first.");
        }

        // Positions within a row are ints, a border's included.
        if ((long)Width * Channels > int.MaxValue / 4)
        {
            throw new ArgumentException(
                $"A row of {Width} pixels of {Channels} channels is too long; at most {int.MaxValue / 4} elements are supported.");
        }
    }
}
