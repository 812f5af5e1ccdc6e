namespace SeparableConv.Loops;

/// <summary>The image that a filter reads, the one that it writes, and which rectangle of them is written.</summary>
internal unsafe struct FilterPair
{
    /// <summary>Where the image's first pixel lies.</summary>
    public byte* Input;
    public nint InputRowBytes;
    public int InputElementBytes;

    /// <summary>Where the first pixel would lie if all were written.</summary>
    public byte* Output;
    public nint OutputRowBytes;
    public int OutputElementBytes;

    /// <summary>The first row written.</summary>
    public int Top;

    /// <summary>One more than the last row written.</summary>
    public int Bottom;

    /// <summary>The first column written.</summary>
    public int Left;

    /// <summary>One more than the last column written.</summary>
    public int Right;

    /// <summary>Not null where the last channel is copied: (source, target, pixels, channels).</summary>
    public delegate*<byte*, byte*, int, int, void> KeepAlpha;

    /// <summary>
    /// Not null where the whole picture is filtered as an opaque one: set to 1 by the first band that has a transparent pixel, and the
    /// result is then of no use.
    /// </summary>
    public int* FoundTransparent;

    /// <summary>Looks at the last channel: (picture, bytes a row, rows, pixels a row, channels).</summary>
    public delegate*<byte*, nint, int, int, int, bool> IsOpaque;

    /// <summary>Whether rows start to end - 1 are opaque, and all that was seen before; true where nobody asks.</summary>
    public readonly bool LooksOpaque(int start, int end, int channels)
    {
        if (FoundTransparent == null)
            return true;
        if (Volatile.Read(ref *FoundTransparent) == 0
            && IsOpaque(Input + (start * InputRowBytes), InputRowBytes, end - start, Right - Left, channels))
        {
            return true;
        }

        Volatile.Write(ref *FoundTransparent, 1);
        return false;
    }

    /// <summary>Copies the last channel of rows start to end - 1 where it is kept.</summary>
    public readonly void CopyAlpha(int start, int end, int channels)
    {
        if (KeepAlpha == null)
            return;
        var first = (nint)Left * channels;
        for (var y = start; y < end; y++)
        {
            KeepAlpha(
                Input + (y * InputRowBytes) + (first * InputElementBytes),
                Output + (y * OutputRowBytes) + (first * OutputElementBytes),
                Right - Left,
                channels);
        }
    }
}
