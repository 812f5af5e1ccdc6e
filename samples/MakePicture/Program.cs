// Renders the sample picture: an evening by a lake, with what filters are judged by. Gradients (sky), hard edges (ridges,
// house), lines that get ever finer (the rings on the water), texture (grass) and noise (stars, grain).
// Usage: dotnet run --project samples/MakePicture -c Release -- samples/picture.png
using SeparableConv.Imaging;

const int Width = 1200, Height = 800, Shore = 500, SunX = 820, SunY = 265, SunRadius = 84;
var pixels = new byte[Width * Height * 3];
for (var y = 0; y < Height; y++)
{
    for (var x = 0; x < Width; x++)
    {
        var color = y < Shore ? Land(x, y) : y < Bank(x) ? Water(x, y) : Grass(x, y);
        var grain = (Noise(x, y, 1) - 0.5) * (y < Shore ? 1.5 : 3);
        for (var c = 0; c < 3; c++)
            pixels[(((y * Width) + x) * 3) + c] = (byte)Math.Clamp(Math.Round(color[c] + grain), 0, 255);
    }
}

ImageFile.Save(Image.Create(Width, Height, 3, pixels), args.Length > 0 ? args[0] : "picture.png", new ImageWriteOptions { PngLevel = 9 });

// Sky, sun, and four ridges, each darker and nearer than the one before.
static double[] Land(int x, int y)
{
    var color = Sky(x, y);
    for (var ridge = 0; ridge < 4; ridge++)
    {
        var depth = ridge / 3.0;
        if (y > Ridge(x, ridge))
            color = Mix(
                Mix([236, 140, 118], [28, 34, 66], 0.25 + (0.75 * depth)),
                [255, 178, 130],
                0.35 * (1 - depth) * Math.Clamp((y - Ridge(x, ridge)) / 160.0, 0, 1));
    }

    return House(x, y) ?? color;
}

static double[] Sky(int x, int y)
{
    var distance = Math.Sqrt(Square(x - SunX) + Square(y - SunY));
    if (distance < SunRadius)
        return Mix([255, 246, 205], [255, 204, 120], Square(distance / SunRadius));
    var height = y / (double)Shore;
    var color = height < 0.55
        ? Mix([30, 32, 92], [168, 84, 138], height / 0.55)
        : Mix([168, 84, 138], [255, 176, 112], (height - 0.55) / 0.45);
    var star = Noise(x / 2, y / 2, 2) > 0.9985 ? Math.Max(0, 1 - (height * 1.6)) : 0;
    return Mix(Mix(color, [255, 214, 150], 0.75 * Math.Exp(-(distance - SunRadius) / 110)), [255, 255, 240], star);
}

static double Ridge(int x, int ridge)
{
    var (height, rough) = (300 + (58 * ridge), 62 - (11 * ridge));
    var sum = 0.0;
    for (var octave = 0; octave < 6; octave++)
        sum += Smooth(x * (1 << octave) / (310.0 - (40 * ridge)), ridge + 10) / (1 << octave);
    return height - (rough * sum) + 40;
}

// A small house with a lit window: straight and slanting edges.
static double[]? House(int x, int y)
{
    var (dx, dy) = (x - 250, y - 440);
    if (dy is >= 0 and < 60 && dx is >= 0 and < 110)
        return dx % 36 is >= 10 and < 26 && dy is >= 18 and < 40 ? [255, 226, 128] : dy % 6 == 0 ? [38, 30, 44] : [62, 44, 58];
    return dy is < 0 and >= -42 && Math.Abs(dx - 55) < 62 + (dy * 1.4) ? (x + y) % 8 < 2 ? [88, 36, 46] : [120, 48, 56] : null;
}

// The mirrored land, drawn out by waves; under the sun rings that get finer outwards: a test of resolution.
static double[] Water(int x, int y)
{
    var depth = (y - Shore) / (double)(Height - Shore);
    var wave = Math.Sin((y * y / 900.0) + (4 * Smooth(x / 60.0, 30 + (y / 7)))) * (1 + (5 * depth));
    var color = Mix(
        Land(Math.Clamp((int)(x + (wave * 2)), 0, Width - 1), Math.Clamp((int)((2 * Shore) - y + wave - 1), 0, Shore - 1)),
        [20, 40, 92],
        0.3 + (0.35 * depth));
    var (dx, dy) = (x - SunX, (y - Shore - 70) * 2.6);
    var ring = Math.Cos((Square(dx) + Square(dy)) / 260.0) * Math.Exp(-(Square(dx) + Square(dy)) / Square(185));
    return Mix(color, ring > 0 ? [255, 222, 160] : [16, 24, 60], Math.Abs(ring) * 0.8);
}

static double Bank(int x) => 690 + (40 * Smooth(x / 260.0, 50)) - (x / 14.0 * (x < 500 ? 1 - (x / 500.0) : 0));

// Rows of pointed blades, the nearer ones before the farther ones and brighter.
static double[] Grass(int x, int y)
{
    var color = new double[] { 16, 26, 30 };
    for (var row = 0; row < 9; row++)
    {
        var foot = Bank(x) + 14 + (16 * row);
        var lean = (x + ((foot - y) * 0.3 * Math.Sin((x / 90.0) + (row * 1.7)))) / (4.0 + (0.5 * row));
        var blade = (int)Math.Floor(lean);
        var tip = foot - (10 + (26 * Noise(blade, row, 3))) * (1 - (1.6 * Math.Abs(lean - blade - 0.5)));
        if (y > tip)
            color = Mix(
                [18, 34, 34],
                [104, 128, 58],
                (0.12 * Noise(blade, row, 4)) + (row / 12.0) * Math.Clamp(1.2 - ((y - tip) / 50), 0.25, 1));
    }

    return color;
}

// Numbers from 0 to 1 that only depend on the place.
static double Noise(int x, int y, int seed)
{
    var hash = ((uint)x * 0x9E3779B1u) ^ ((uint)y * 0x85EBCA77u) ^ ((uint)seed * 0xC2B2AE3Du);
    hash = (hash ^ (hash >> 15)) * 0x2C1B3C6Du;
    hash = (hash ^ (hash >> 12)) * 0x297A2D39u;
    return (hash ^ (hash >> 15)) / (double)uint.MaxValue;
}

static double Smooth(double x, int seed)
{
    var cell = (int)Math.Floor(x);
    var t = x - cell;
    t = t * t * (3 - (2 * t));
    return (Noise(cell, 0, seed) * (1 - t)) + (Noise(cell + 1, 0, seed) * t);
}

static double[] Mix(double[] a, double[] b, double share) =>
    [a[0] + ((b[0] - a[0]) * share), a[1] + ((b[1] - a[1]) * share), a[2] + ((b[2] - a[2]) * share)];

static double Square(double x) => x * x;
