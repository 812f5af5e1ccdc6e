namespace SeparableConv.Training.Data;

/// <summary>
/// The outlines of the classes of <see cref="PictureDataSet.Shapes"/>, each within the unit circle, as distances: negative inside, in the
/// unit of the circle's radius. Only + - * / and square roots are used, which IEEE 754 settles to the last bit on every machine.
/// </summary>
internal static class ShapeOutline
{
    /// <summary>No outline reaches further from the centre.</summary>
    public const double Reach = 1;

    private static readonly double Root3 = Math.Sqrt(3);

    // Of multiples of 72 degrees; sine and cosine of a fifth of a turn follow from square roots.
    private static readonly double Cos72 = (Math.Sqrt(5) - 1) / 4;
    private static readonly double Cos144 = -(Math.Sqrt(5) + 1) / 4;
    private static readonly double Sin72 = Math.Sqrt(1 - (Cos72 * Cos72));
    private static readonly double Sin144 = Math.Sqrt(1 - (Cos144 * Cos144));

    private static readonly (double X, double Y)[] Fifths =
        [(1, 0), (Cos72, Sin72), (Cos144, Sin144), (Cos144, -Sin144), (Cos72, -Sin72)];

    // The inner corners of a star lie between the outer ones, opposite of an outer one.
    private static readonly (double X, double Y)[] Star =
        [.. Enumerable.Range(0, 10).Select(i => i % 2 == 0 ? Fifths[i / 2] : Times(-0.42, Fifths[((i / 2) + 3) % 5]))];

    private static readonly (double X, double Y)[] Square =
        [(Math.Sqrt(0.5), Math.Sqrt(0.5)), (-Math.Sqrt(0.5), Math.Sqrt(0.5)), (-Math.Sqrt(0.5), -Math.Sqrt(0.5)),
            (Math.Sqrt(0.5), -Math.Sqrt(0.5))];

    private static readonly (double X, double Y)[] Triangle = [(1, 0), (-0.5, Root3 / 2), (-0.5, -Root3 / 2)];

    private static readonly (double X, double Y)[] Hexagon =
        [(1, 0), (0.5, Root3 / 2), (-0.5, Root3 / 2), (-1, 0), (-0.5, -Root3 / 2), (0.5, -Root3 / 2)];

    private static readonly (double X, double Y)[] Cross =
        [(0.93, 0.3), (0.3, 0.3), (0.3, 0.93), (-0.3, 0.93), (-0.3, 0.3), (-0.93, 0.3),
            (-0.93, -0.3), (-0.3, -0.3), (-0.3, -0.93), (0.3, -0.93), (0.3, -0.3), (0.93, -0.3)];

    private static readonly (double X, double Y)[] Arrow =
        [(1, 0), (0.1, 0.75), (0.1, 0.3), (-0.9, 0.3), (-0.9, -0.3), (0.1, -0.3), (0.1, -0.75)];

    /// <summary>The names of the classes, in order.</summary>
    public static ClassLabels Names { get; } = new(
        ["circle", "ellipse", "ring", "half disc", "crescent", "triangle", "square", "pentagon", "hexagon", "star", "cross", "arrow"]);

    /// <summary>How far a point is from a class's outline; negative inside.</summary>
    public static double Distance(int shape, double x, double y) => shape switch
    {
        0 => Disc(x, y, 0.9),
        1 => Ellipse(x, y, 1, 0.55),
        2 => Math.Max(Disc(x, y, 0.95), -Disc(x, y, 0.5)),
        3 => Math.Max(Disc(x + 0.35, y, 0.95), -(x + 0.35)),
        4 => Math.Max(Disc(x, y, 0.95), -Disc(x - 0.45, y, 0.75)),
        5 => Polygon(Triangle, x, y),
        6 => Polygon(Square, x, y),
        7 => Polygon(Fifths, x, y),
        8 => Polygon(Hexagon, x, y),
        9 => Polygon(Star, x, y),
        10 => Polygon(Cross, x, y),
        _ => Polygon(Arrow, x, y),
    };

    /// <summary>How far a point is from the line between two others.</summary>
    public static double Segment(double x, double y, double fromX, double fromY, double toX, double toY)
    {
        var (dx, dy) = (toX - fromX, toY - fromY);
        var along = Math.Clamp((((x - fromX) * dx) + ((y - fromY) * dy)) / ((dx * dx) + (dy * dy)), 0, 1);
        var (offX, offY) = (x - fromX - (along * dx), y - fromY - (along * dy));
        return Math.Sqrt((offX * offX) + (offY * offY));
    }

    private static double Disc(double x, double y, double radius) => Math.Sqrt((x * x) + (y * y)) - radius;

    // To first order: exact on the outline, which is where it counts.
    private static double Ellipse(double x, double y, double a, double b)
    {
        var (u, v) = (x / a, y / b);
        var value = Math.Sqrt((u * u) + (v * v));
        var (slopeX, slopeY) = (u / a, v / b);
        var slope = Math.Sqrt((slopeX * slopeX) + (slopeY * slopeY));
        return slope == 0 ? -b : value * (value - 1) / slope;
    }

    // The nearest edge, inside where a ray to the right crosses an odd number of edges.
    private static double Polygon((double X, double Y)[] corners, double x, double y)
    {
        var nearest = double.MaxValue;
        var isInside = false;
        var (lastX, lastY) = corners[^1];
        foreach (var (cornerX, cornerY) in corners)
        {
            nearest = Math.Min(nearest, Segment(x, y, lastX, lastY, cornerX, cornerY));
            if (cornerY > y != lastY > y && x < cornerX + ((y - cornerY) * (lastX - cornerX) / (lastY - cornerY)))
                isInside = !isInside;
            (lastX, lastY) = (cornerX, cornerY);
        }

        return isInside ? -nearest : nearest;
    }

    private static (double X, double Y) Times(double factor, (double X, double Y) point) => (factor * point.X, factor * point.Y);
}
