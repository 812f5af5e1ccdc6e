namespace SeparableConv.Separation;

/// <summary>Kernels that are drawn: the line of a motion blur and the disk of a lens.</summary>
internal static class KernelShapes
{
    // Weights max(0, 1 - distance to the segment), normalized; the smallest odd sides that hold them all.
    public static FilterKernel Line(double length, double angle, string name)
    {
        var (sin, cos) = double.SinCosPi(Math.IEEERemainder(angle, 360) / 180);
        var reach = (length - 1) / 2;
        var farX = (int)((reach * Math.Abs(cos)) + 1);
        var farY = (int)((reach * Math.Abs(sin)) + 1);
        var (halfWidth, halfHeight) = (0, 0);
        var weights = new double[((2 * farY) + 1) * ((2 * farX) + 1)];
        for (var y = -farY; y <= farY; y++)
        {
            for (var x = -farX; x <= farX; x++)
            {
                // The screen's y points down, the angle turns upwards. Less than rounding is nothing.
                var along = Math.Clamp((x * cos) - (y * sin), -reach, reach);
                var weight = 1 - Math.Sqrt(Square(x - (along * cos)) + Square(y + (along * sin)));
                if (weight < 1e-9)
                    continue;
                weights[((y + farY) * ((2 * farX) + 1)) + x + farX] = weight;
                halfWidth = Math.Max(halfWidth, Math.Abs(x));
                halfHeight = Math.Max(halfHeight, Math.Abs(y));
            }
        }

        var width = (2 * halfWidth) + 1;
        var height = (2 * halfHeight) + 1;
        var values = new double[height * width];
        for (var y = 0; y < height; y++)
        {
            var source = ((y + farY - halfHeight) * ((2 * farX) + 1)) + farX - halfWidth;
            weights.AsSpan(source, width).CopyTo(values.AsSpan(y * width, width));
        }

        return new FilterKernel(Normalize(values), height, width, name: name);
    }

    // Exact areas, from the integral of the circle over a quarter of the plane.
    public static FilterKernel Disk(double radius, string name)
    {
        var half = (int)Math.Ceiling(radius - 0.5);
        var size = (2 * half) + 1;
        var values = new double[size * size];
        for (var y = 0; y <= half; y++)
        {
            for (var x = 0; x <= half; x++)
            {
                var area = QuarterArea(x, y, radius);
                foreach (var row in (ReadOnlySpan<int>)[half - y, half + y])
                {
                    values[(row * size) + half - x] = area;
                    values[(row * size) + half + x] = area;
                }
            }
        }

        return new FilterKernel(Normalize(values), size, size, name: name);
    }

    // The area of the disk in the pixel (x, y); pixels on an axis are as many quarters as they lie in.
    private static double QuarterArea(int x, int y, double radius)
    {
        var left = Math.Max(0, x - 0.5);
        var top = Math.Max(0, y - 0.5);
        var area = AreaUnder(left, x + 0.5, top, y + 0.5, radius);
        return area * (x == 0 ? 2 : 1) * (y == 0 ? 2 : 1);
    }

    // Integral from x0 to x1 of clamp(sqrt(r^2 - x^2), y0, y1) - y0, all in the first quarter.
    private static double AreaUnder(double x0, double x1, double y0, double y1, double radius)
    {
        // The circle leaves the top edge y1 at `full` and the bottom edge y0 at `end`.
        var full = y1 < radius ? Math.Sqrt((radius * radius) - (y1 * y1)) : 0;
        var end = y0 < radius ? Math.Sqrt((radius * radius) - (y0 * y0)) : 0;
        var flat = Math.Clamp(full, x0, x1);
        var stop = Math.Clamp(end, x0, x1);
        var area = (flat - x0) * (y1 - y0);
        if (stop > flat)
            area += Antiderivative(stop, radius) - Antiderivative(flat, radius) - (y0 * (stop - flat));
        return Math.Max(0, area);
    }

    // The integral of sqrt(r^2 - x^2) from 0 to x.
    private static double Antiderivative(double x, double radius)
    {
        var ratio = Math.Min(1, x / radius);
        return 0.5 * radius * radius * ((ratio * Math.Sqrt(1 - (ratio * ratio))) + Math.Asin(ratio));
    }

    private static double[] Normalize(double[] values)
    {
        var sum = values.Sum();
        return Array.ConvertAll(values, v => v / sum);
    }

    private static double Square(double value) => value * value;
}
