namespace SeparableConv;

/// <summary>A rectangle of a picture's pixels.</summary>
/// <param name="Left">The first column, from 0.</param>
/// <param name="Top">The first row, from 0.</param>
/// <param name="Width">Columns, 1 or more.</param>
/// <param name="Height">Rows, 1 or more.</param>
public readonly record struct ImageRegion(int Left, int Top, int Width, int Height)
{
    /// <summary>For example <c>640x480 at (100,50)</c>: width and height, then column and row.</summary>
    /// <returns>Size and place.</returns>
    public override string ToString() => $"{Width}x{Height} at ({Left},{Top})";

    internal void Check(int height, int width)
    {
        if (Left < 0 || Top < 0 || Width < 1 || Height < 1 || Left > width - Width || Top > height - Height)
        {
            throw new ArgumentException(
                $"The region {this} is not inside the picture of {width}x{height} pixels (width x height); give a rectangle of at least "
                + "one pixel that is.");
        }
    }
}
