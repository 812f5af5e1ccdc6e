// Draws the pictures of the README's section on training: the curves of the sample network from its metrics, the twelve classes as the
// network sees them, and a star to try it on. The pictures are of seeds that it has not learned from.
// Usage: dotnet run --project samples/DrawTraining -c Release -- samples/shapes.metrics.jsonl docs/images/training.svg \
//     docs/images/shapes.png samples/star.png
using DrawTraining;
using SeparableConv.Imaging;
using SeparableConv.Training;

const int Size = 24, Zoom = 3, Gap = 8, Star = 9;
if (args is not [var metrics, var curves, var classes, var star])
{
    Console.Error.WriteLine("Give METRICS.jsonl CURVES.svg CLASSES.png STAR.png.");
    return 2;
}

File.WriteAllText(curves, CurvePlot.Draw(File.ReadAllLines(metrics)));
ImageFile.Save(Classes(PictureDataSet.Shapes(12, Size, seed: 1)), classes, new ImageWriteOptions { PngLevel = 9 });

var large = PictureDataSet.Shapes(12, size: 96, seed: 1);
ImageFile.Save(Image.Create(large.Width, large.Height, large.Channels, Read(large, Star)), star, new ImageWriteOptions { PngLevel = 9 });
return 0;

// All classes in a row, each pixel a square.
static Image<byte> Classes(PictureDataSet shapes)
{
    var side = Size * Zoom;
    var (width, channels) = ((shapes.Count * (side + Gap)) - Gap, shapes.Channels);
    var row = new byte[width * side * channels];
    row.AsSpan().Fill(255);
    for (var i = 0; i < shapes.Count; i++)
    {
        var pixels = Read(shapes, i);
        for (var y = 0; y < side; y++)
        {
            for (var x = 0; x < side; x++)
            {
                var from = pixels.AsSpan(((y / Zoom * Size) + (x / Zoom)) * channels, channels);
                from.CopyTo(row.AsSpan(((y * width) + (i * (side + Gap)) + x) * channels));
            }
        }
    }

    return Image.Create(width, side, channels, row);
}

static byte[] Read(PictureDataSet shapes, int index)
{
    var pixels = new byte[shapes.PictureBytes];
    shapes.Read(index, pixels);
    return pixels;
}
