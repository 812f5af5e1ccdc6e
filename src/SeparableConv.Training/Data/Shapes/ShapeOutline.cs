namespace SeparableConv.Training.Data;

/// <summary>
/// The outlines of the classes of <see cref="PictureDataSet.Shapes"/>, each within the unit circle, as distances: negative inside, in the
/// unit of the circle's radius. Only + - * / and square roots are used, which IEEE 754 settles to the last bit on every machine.
/// </summary>
internal static class ShapeOutline
{
    /// <summary>No outline reaches further from the centre.</summary>
    public const double Reach = 1;

    private static readonly double Root = Math.Sqrt(0.5);
    private static readonly double Root3 = Math.Sqrt(3);

    // Of multiples of 72 degrees; sine and cosine of a fifth of a turn follow from square roots.
    private static readonly double Cos72 = (Math.Sqrt(5) - 1) / 4;
    private static readonly double Cos144 = -(Math.Sqrt(5) + 1) / 4;
    private static readonly double Sin72 = Math.Sqrt(1 - (Cos72 * Cos72));
    private static readonly double Sin144 = Math.Sqrt(1 - (Cos144 * Cos144));

    private static readonly (double X, double Y)[] Fifths =
        [(1, 0), (Cos72, Sin72), (Cos144, Sin144), (Cos144, -Sin144), (Cos72, -Sin72)];

    // The inner corners of a star lie between the outer ones, opposite of an outer one.
    private static readonly Edge[] Star = Edges(
        [.. Enumerable.Range(0, 10).Select(i => i % 2 == 0 ? Fifths[i / 2] : Times(-0.42, Fifths[((i / 2) + 3) % 5]))]);

    private static readonly Edge[] Pentagon = Edges(Fifths);

    private static readonly Edge[] Square = Edges([(Root, Root), (-Root, Root), (-Root, -Root), (Root, -Root)]);

    private static readonly Edge[] Triangle = Edges([(1, 0), (-0.5, Root3 / 2), (-0.5, -Root3 / 2)]);

    private static readonly Edge[] Hexagon = Edges(
        [(1, 0), (0.5, Root3 / 2), (-0.5, Root3 / 2), (-1, 0), (-0.5, -Root3 / 2), (0.5, -Root3 / 2)]);

    private static readonly Edge[] Cross = Edges(
        [(0.93, 0.3), (0.3, 0.3), (0.3, 0.93), (-0.3, 0.93), (-0.3, 0.3), (-0.93, 0.3),
            (-0.93, -0.3), (-0.3, -0.3), (-0.3, -0.93), (0.3, -0.93), (0.3, -0.3), (0.93, -0.3)]);

    private static readonly Edge[] Arrow = Edges(
        [(1, 0), (0.1, 0.75), (0.1, 0.3), (-0.9, 0.3), (-0.9, -0.3), (0.1, -0.3), (0.1, -0.75)]);

    /// <summary>The names of the classes, in order.</summary>
    public static ClassLabels Names { get; } = new(
        ["circle", "ellipse", "ring", "half disc", "crescent", "triangle", "square", "pentagon", "hexagon", "star", "cross", "arrow"]);

    /// <summary>How far a point is from a class's outline; negative inside.</summary>
    public static double Distance(int shape, double x, double y) => shape switch
    {
        0 => Disc(x, y, 0.9),
        1 => Ellipse(x, y, 1, 0.55),
        2 => Math.Max(Disc(x, y, 0.95), -Disc(x, y, 0.5)),
        3 => Math.Max(Disc(x + 0.35, y, 0.92), -(x + 0.35)),
        4 => Math.Max(Disc(x, y, 0.95), -Disc(x - 0.45, y, 0.75)),
        5 => Polygon(Triangle, x, y),
        6 => Polygon(Square, x, y),
        7 => Polygon(Pentagon, x, y),
        8 => Polygon(Hexagon, x, y),
        9 => Polygon(Star, x, y),
        10 => Polygon(Cross, x, y),
        _ => Polygon(Arrow, x, y),
    };

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
    private static double Polygon(Edge[] edges, double x, double y)
    {
        var nearest = double.MaxValue;
        var isInside = false;
        foreach (ref readonly var edge in edges.AsSpan())
        {
            nearest = Math.Min(nearest, edge.SquaredDistance(x, y));
            isInside ^= edge.IsRightOf(x, y);
        }

        return isInside ? -Math.Sqrt(nearest) : Math.Sqrt(nearest);
    }

    private static Edge[] Edges((double X, double Y)[] corners) =>
        [.. corners.Select((corner, i) => new Edge(corner.X, corner.Y, corners[(i + 1) % corners.Length]))];

    private static (double X, double Y) Times(double factor, (double X, double Y) point) => (factor * point.X, factor * point.Y);
}
