namespace SeparableConv.Imaging.Npy;

/// <summary>What an .npy file's header says, checked.</summary>
internal sealed record NpyHeader(ElementType Type, bool BigEndian, bool ColumnMajor, long[] Shape)
{
    /// <summary>Number of elements; cannot overflow, for the parser refuses shapes whose product does.</summary>
    public long Count
    {
        get
        {
            var count = 1L;
            foreach (var extent in Shape)
                count *= extent;
            return count;
        }
    }

    /// <summary>Shape as NumPy prints it.</summary>
    public string ShapeText => Shape.Length == 1 ? $"({Shape[0]},)" : $"({string.Join(", ", Shape)})";
}
