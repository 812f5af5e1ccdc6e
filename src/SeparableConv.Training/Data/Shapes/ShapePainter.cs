namespace SeparableConv.Training.Data;

/// <summary>
/// Draws one picture: a texture of two colours, a few discs, a shape whose colour runs into another, strokes over it, and noise. Double
/// precision, and of its functions only + - * / and square roots: the same bytes on every machine.
/// </summary>
internal ref struct ShapePainter
{
    /// <summary>Red, green, blue.</summary>
    public const int Channels = 3;

    // Of 765, over all three channels: less would be a riddle and not a picture.
    private const double LeastContrast = 170;

    private const int Cells = 6;

    private readonly Span<byte> _pixels;
    private readonly int _size;
    private CounterRandom _random;

    private ShapePainter(int size, CounterRandom random, Span<byte> pixels)
    {
        (_size, _random) = (size, random);
        _pixels = pixels;
    }

    /// <summary>Draws.</summary>
    /// <param name="shape">The class.</param>
    /// <param name="size">Rows and columns.</param>
    /// <param name="random">All that is random in the picture.</param>
    /// <param name="pixels">Receives (size, size, 3).</param>
    public static void Draw(int shape, int size, CounterRandom random, Span<byte> pixels) =>
        new ShapePainter(size, random, pixels).Draw(shape);

    private void Draw(int shape)
    {
        Span<double> ground = stackalloc double[2 * Channels];
        Span<double> fill = stackalloc double[2 * Channels];
        ChooseColours(ground, fill);
        DrawTexture(ground);
        for (var left = _random.Below(3); left > 0; left--)
            DrawDisc();
        DrawShape(shape, fill);
        for (var left = _random.Below(3); left > 0; left--)
            DrawStroke();
        AddNoise();
    }

    // Two for the ground and two for the shape; the first of either, and the second, differ enough.
    private void ChooseColours(scoped Span<double> ground, scoped Span<double> fill)
    {
        do
        {
            foreach (ref var channel in ground)
                channel = _random.Between(0, 256);
            foreach (ref var channel in fill)
                channel = _random.Between(0, 256);

            // Both ends of a run are near each other, so that the picture is not all noise.
            for (var c = 0; c < Channels; c++)
            {
                ground[Channels + c] = (0.7 * ground[c]) + (0.3 * ground[Channels + c]);
                fill[Channels + c] = (0.7 * fill[c]) + (0.3 * fill[Channels + c]);
            }
        }
        while (Contrast(ground[..Channels], fill[..Channels]) < LeastContrast
            || Contrast(ground[Channels..], fill[Channels..]) < LeastContrast);
    }

    private static double Contrast(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var sum = 0.0;
        for (var c = 0; c < Channels; c++)
            sum += Math.Abs(a[c] - b[c]);
        return sum;
    }

    // Random numbers at the corners of cells, a straight line between them, and stripes over both.
    private void DrawTexture(scoped ReadOnlySpan<double> ground)
    {
        Span<double> corners = stackalloc double[(Cells + 1) * (Cells + 1)];
        foreach (ref var corner in corners)
            corner = _random.Unit();
        var cells = _random.Between(1, Cells);
        var (stripeX, stripeY) = Direction();
        var stripes = _random.Between(1, 8);
        var share = _random.Between(0, 0.5);
        for (var y = 0; y < _size; y++)
        {
            for (var x = 0; x < _size; x++)
            {
                var (u, v) = ((x + 0.5) / _size, (y + 0.5) / _size);
                var turn = stripes * (((u * stripeX) + (v * stripeY)) + 2);
                var wave = Math.Abs((2 * (turn - Math.Floor(turn))) - 1);
                var mix = ((1 - share) * Between(corners, u * cells, v * cells)) + (share * wave);
                var pixel = Pixel(x, y);
                for (var c = 0; c < Channels; c++)
                    pixel[c] = (byte)(ground[c] + (mix * (ground[Channels + c] - ground[c])));
            }
        }
    }

    private static double Between(ReadOnlySpan<double> corners, double x, double y)
    {
        var (left, top) = ((int)x, (int)y);
        var (u, v) = (x - left, y - top);
        var at = (top * (Cells + 1)) + left;
        var upper = corners[at] + (u * (corners[at + 1] - corners[at]));
        var lower = corners[at + Cells + 1] + (u * (corners[at + Cells + 2] - corners[at + Cells + 1]));
        return upper + (v * (lower - upper));
    }

    private void DrawShape(int shape, scoped ReadOnlySpan<double> fill)
    {
        var radius = _size * _random.Between(0.3, 0.45);

        // A fifth of the radius may lie outside.
        var margin = 0.8 * radius;
        var (centreX, centreY) = (_random.Between(margin, _size - margin), _random.Between(margin, _size - margin));
        var (cos, sin) = Direction();
        var reach = (ShapeOutline.Reach * radius) + 1;
        for (var y = First(centreY, reach); y < Last(centreY, reach); y++)
        {
            for (var x = First(centreX, reach); x < Last(centreX, reach); x++)
            {
                var (dx, dy) = ((x + 0.5 - centreX) / radius, (y + 0.5 - centreY) / radius);
                var (alongX, alongY) = ((cos * dx) + (sin * dy), (cos * dy) - (sin * dx));
                var run = Math.Clamp(0.5 + (0.5 * alongX), 0, 1);
                Cover(x, y, radius * ShapeOutline.Distance(shape, alongX, alongY), fill, run);
            }
        }
    }

    private void DrawDisc()
    {
        Span<double> colour = stackalloc double[2 * Channels];
        ChooseColour(colour);
        var radius = _size * _random.Between(0.03, 0.09);
        var (centreX, centreY) = (_random.Between(0, _size), _random.Between(0, _size));
        for (var y = First(centreY, radius + 1); y < Last(centreY, radius + 1); y++)
        {
            for (var x = First(centreX, radius + 1); x < Last(centreX, radius + 1); x++)
            {
                var (dx, dy) = (x + 0.5 - centreX, y + 0.5 - centreY);
                Cover(x, y, Math.Sqrt((dx * dx) + (dy * dy)) - radius, colour, 0);
            }
        }
    }

    private void DrawStroke()
    {
        Span<double> colour = stackalloc double[2 * Channels];
        ChooseColour(colour);
        var half = _size * _random.Between(0.01, 0.03);
        var (fromX, fromY) = (_random.Between(0, _size), _random.Between(0, _size));
        var (cos, sin) = Direction();
        var length = _size * _random.Between(0.2, 0.6);
        var (toX, toY) = (fromX + (length * cos), fromY + (length * sin));
        var line = new Edge(fromX, fromY, (toX, toY));
        for (var y = First(Math.Min(fromY, toY), half + 1); y < Last(Math.Max(fromY, toY), half + 1); y++)
        {
            for (var x = First(Math.Min(fromX, toX), half + 1); x < Last(Math.Max(fromX, toX), half + 1); x++)
                Cover(x, y, Math.Sqrt(line.SquaredDistance(x + 0.5, y + 0.5)) - half, colour, 0);
        }
    }

    // The sum of two even numbers of 16 bits, less their mean: most noise is small. Four such numbers are drawn at once.
    private void AddNoise()
    {
        var strength = _random.Between(4, 28) / (1 << 16);
        ulong bits = 0;
        for (var i = 0; i < _pixels.Length; i++)
        {
            bits = i % 2 == 0 ? _random.Next() : bits >> 32;
            var noise = (int)(bits & 0xFFFF) + (int)((bits >> 16) & 0xFFFF) - 0xFFFF;
            _pixels[i] = (byte)Math.Clamp(_pixels[i] + (strength * noise) + 0.5, 0, 255);
        }
    }

    private void ChooseColour(scoped Span<double> colour)
    {
        foreach (ref var channel in colour)
            channel = _random.Between(0, 256);
    }

    // Anti-aliased: a pixel whose centre is on the outline is half covered. The colour is the first one, run towards the second.
    private readonly void Cover(int x, int y, double distance, scoped ReadOnlySpan<double> colours, double run)
    {
        var cover = Math.Clamp(0.5 - distance, 0, 1);
        if (cover == 0)
            return;
        var pixel = Pixel(x, y);
        for (var c = 0; c < Channels; c++)
        {
            var colour = colours[c] + (run * (colours[Channels + c] - colours[c]));
            pixel[c] = (byte)(pixel[c] + (cover * (colour - pixel[c])));
        }
    }

    // A direction as cosine and sine: a random point of the unit disc, brought to its edge.
    private (double Cos, double Sin) Direction()
    {
        while (true)
        {
            var (x, y) = (_random.Between(-1, 1), _random.Between(-1, 1));
            var square = (x * x) + (y * y);
            if (square is > 0.01 and <= 1)
                return (x / Math.Sqrt(square), y / Math.Sqrt(square));
        }
    }

    private readonly int First(double centre, double reach) => Math.Clamp((int)(centre - reach), 0, _size);

    private readonly int Last(double centre, double reach) => Math.Clamp((int)(centre + reach) + 1, 0, _size);

    private readonly Span<byte> Pixel(int x, int y) => _pixels.Slice(((y * _size) + x) * Channels, Channels);
}
