namespace SeparableConv;

/// <summary>How a border of zeros around the input is chosen.</summary>
public enum PaddingMode
{
    /// <summary>No border: out = floor((in - dilation*(kernel-1) - 1)/stride) + 1.</summary>
    Valid,

    /// <summary>
    /// out = ceil(in/stride); where the border is odd, the larger part comes after (TensorFlow and Keras "same", ONNX SAME_UPPER).
    /// </summary>
    SameUpper,

    /// <summary>out = ceil(in/stride); where the border is odd, the larger part comes before (ONNX SAME_LOWER).</summary>
    SameLower,

    /// <summary>Four given numbers.</summary>
    Explicit,
}

/// <summary>The border of zeros around the input of a convolution.</summary>
public readonly record struct Padding
{
    private Padding(PaddingMode mode, int top, int bottom, int left, int right)
    {
        Mode = mode;
        Top = top;
        Bottom = bottom;
        Left = left;
        Right = right;
    }

    /// <summary>No border, the default.</summary>
    public static Padding Valid => default;

    /// <summary>out = ceil(in/stride), odd one after: Keras's <c>padding="same"</c>.</summary>
    public static Padding Same => new(PaddingMode.SameUpper, 0, 0, 0, 0);

    /// <summary>out = ceil(in/stride), odd one before.</summary>
    public static Padding SameLower => new(PaddingMode.SameLower, 0, 0, 0, 0);

    /// <summary>How the border is chosen.</summary>
    public PaddingMode Mode { get; }

    /// <summary>Rows of zeros above the input, where the mode is <see cref="PaddingMode.Explicit"/>.</summary>
    public int Top { get; }

    /// <summary>Rows of zeros below the input, where the mode is <see cref="PaddingMode.Explicit"/>.</summary>
    public int Bottom { get; }

    /// <summary>Columns of zeros left of the input, where the mode is <see cref="PaddingMode.Explicit"/>.</summary>
    public int Left { get; }

    /// <summary>Columns of zeros right of the input, where the mode is <see cref="PaddingMode.Explicit"/>.</summary>
    public int Right { get; }

    /// <summary>A border given in numbers. ONNX's <c>pads</c> are [top, left, bottom, right].</summary>
    /// <param name="top">Rows above, 0 or more.</param>
    /// <param name="bottom">Rows below, 0 or more.</param>
    /// <param name="left">Columns left, 0 or more.</param>
    /// <param name="right">Columns right, 0 or more.</param>
    /// <returns>The border.</returns>
    /// <exception cref="ArgumentException">A number is negative.</exception>
    public static Padding Explicit(int top, int bottom, int left, int right)
    {
        if (top < 0 || bottom < 0 || left < 0 || right < 0)
        {
            throw new ArgumentException(
                $"Padding (top {top}, bottom {bottom}, left {left}, right {right}) has a negative number; give 0 or more on each side.");
        }

        return new(PaddingMode.Explicit, top, bottom, left, right);
    }

    /// <summary>For example <c>valid</c>, <c>same</c>, <c>same-lower</c> or <c>1,1,0,0</c> (top, bottom, left, right).</summary>
    /// <returns>The border in words.</returns>
    public override string ToString() => Mode switch
    {
        PaddingMode.Valid => "valid",
        PaddingMode.SameUpper => "same",
        PaddingMode.SameLower => "same-lower",
        _ => $"{Top},{Bottom},{Left},{Right}",
    };
}
