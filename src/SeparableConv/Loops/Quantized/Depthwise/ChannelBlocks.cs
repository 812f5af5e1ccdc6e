namespace SeparableConv.Loops;

/// <summary>
/// How channels are cut into blocks of two vectors. <see cref="IIntegerSimd{TVec}.JoinLow"/> and its sibling take the channels of a block
/// apart, so that they stand in another order there: the columns of a block are the lanes of its first vector, then those of its second.
/// The last block ends with the last channel and may overlap the one before.
/// </summary>
internal readonly struct ChannelBlocks
{
    /// <param name="width">The widest vector to use.</param>
    /// <param name="channels">Channels; where they fill no block they are padded to one.</param>
    public ChannelBlocks(SimdWidth width, int channels)
    {
        // The narrowest vectors of which two hold all channels.
        while (width > SimdWidth.V128 && channels <= (int)width)
            width = (SimdWidth)((int)width / 2);
        (Width, Channels) = (width, Math.Max(channels, 2 * (int)width));
        Used = channels;
    }

    public SimdWidth Width { get; }

    /// <summary>Channels, including those that are added to fill the only block of a narrow image.</summary>
    public int Channels { get; }

    /// <summary>Channels of the image.</summary>
    public int Used { get; }

    public int Lanes => (int)Width;

    /// <summary>Channels of a block.</summary>
    public int Columns => 2 * Lanes;

    /// <summary>Blocks.</summary>
    public int Count => (Channels + Columns - 1) / Columns;

    /// <summary>The first channel of a block.</summary>
    public int First(int block) => Math.Min(block * Columns, Channels - Columns);

    /// <summary>The channel of each column, block after block; an added column names the last channel.</summary>
    public int[] Order()
    {
        var order = new int[checked(Count * Columns)];
        for (var i = 0; i < order.Length; i++)
        {
            var (block, column) = Math.DivRem(i, Columns);
            order[i] = Math.Min(Used - 1, First(block) + Requantizer.ChannelApart(column, Lanes));
        }

        return order;
    }
}
