namespace SeparableConv.Loops;

/// <summary>
/// How channels are cut into blocks of two vectors that <see cref="IIntegerSimd{TVec}.JoinLow"/> takes apart: a column of a block is a lane of the
/// one vector or the other. The last block ends with the last channel and may overlap the one before.
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

    /// <summary>Channels with those that pad.</summary>
    public int Channels { get; }

    /// <summary>And without.</summary>
    public int Used { get; }

    public int Lanes => (int)Width;

    /// <summary>Channels of a block.</summary>
    public int Columns => 2 * Lanes;

    /// <summary>Blocks.</summary>
    public int Count => (Channels + Columns - 1) / Columns;

    /// <summary>The first channel of a block.</summary>
    public int First(int block) => Math.Min(block * Columns, Channels - Columns);

    /// <summary>The channel of each column, block after block; for a column that pads, the last one.</summary>
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
