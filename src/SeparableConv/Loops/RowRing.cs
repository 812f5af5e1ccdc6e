namespace SeparableConv.Loops;

/// <summary>
/// Rows of an image in a buffer that begins anew behind its last row, so that a window slides down without moving what it keeps: row 0 lies
/// in row <paramref name="First"/> of the buffer's <paramref name="Rows"/>.
/// </summary>
/// <param name="First">Below <paramref name="Rows"/>.</param>
/// <param name="Rows">As many as the image has, or more.</param>
internal readonly record struct RowRing(int First, int Rows)
{
    /// <summary>An image that lies there from its first row to its last.</summary>
    public static RowRing None { get; } = new(0, int.MaxValue);

    /// <summary>Where in the buffer a row of the image is.</summary>
    public int Slot(int row)
    {
        var slot = First + row;
        return slot < Rows ? slot : slot - Rows;
    }
}
