namespace SeparableConv.Filtering;

/// <summary>A kernel that is one number in a rectangle and zero around it: a mean, for the most part.</summary>
/// <param name="Top">The first row of the rectangle.</param>
/// <param name="Left">Its first column.</param>
/// <param name="Height">Its rows.</param>
/// <param name="Width">Its columns.</param>
/// <param name="Value">The number.</param>
internal readonly record struct BoxKernel(int Top, int Left, int Height, int Width, double Value)
{
    /// <summary>The rectangle of a kernel; null where it is none, or a single number.</summary>
    public static BoxKernel? Find(FilterKernel kernel)
    {
        var values = kernel.Values;
        var first = values.IndexOfAnyExcept(0.0);
        if (first < 0)
            return null;

        // Rows and columns beyond the rectangle's first and last corner must be zeros, and there as many others as it has places.
        var last = values.LastIndexOfAnyExcept(0.0);
        var box = new BoxKernel(
            first / kernel.Width,
            first % kernel.Width,
            (last / kernel.Width) - (first / kernel.Width) + 1,
            (last % kernel.Width) - (first % kernel.Width) + 1,
            values[first]);
        if (box.Width < 1 || box.Height * box.Width < 2 || values.Length - values.Count(0.0) != box.Height * box.Width)
            return null;
        for (var row = box.Top; row < box.Top + box.Height; row++)
        {
            if (values.Slice((row * kernel.Width) + box.Left, box.Width).IndexOfAnyExcept(box.Value) >= 0)
                return null;
        }

        return box;
    }
}
