using SeparableConv.Imaging;
using SeparableConv.Tests.Golden;

namespace SeparableConv.Tests.Imaging;

public class ImageResizeTests
{
    // resize.json, which make_resize.py made with PyTorch.
    [Fact]
    public void PyTorch_gives_the_same_numbers()
    {
        var checks = 0;
        foreach (var vector in GoldenFile.Cases("resize.json"))
        {
            if (vector.GetProperty("maker").GetString() != "bilinear-antialias")
                continue;
            var (shape, size) = (vector.Numbers("shape"), vector.Numbers("size"));
            var input = vector.Numbers("input");
            var (h, w, c) = ((int)shape[1], (int)shape[2], (int)shape[3]);
            foreach (var image in new Image[]
            {
                Image.Create(w, h, c, Array.ConvertAll(input, x => (byte)x)),
                Image.Create(w, h, c, Array.ConvertAll(input, x => (ushort)x)),
                Image.Create(w, h, c, Array.ConvertAll(input, x => (float)x)),
            })
            {
                var resized = ImageResize.Bilinear(image, (int)size[1], (int)size[0]);
                Assert.Equal(((int)size[1], (int)size[0], c), (resized.Width, resized.Height, resized.Channels));
                var expected = vector.Numbers("expected");
                for (var i = 0; i < expected.Length; i++)
                    Assert.Equal(expected[i], resized.Pixels[i], 1e-4);
                checks++;
            }
        }

        Assert.Equal(24, checks);
    }

    [Fact]
    public void The_same_size_gives_the_same_samples()
    {
        var pixels = RandomData.Floats(5 * 4 * 3, 1);
        Assert.Equal(pixels, ImageResize.Bilinear(Image.Create(5, 4, 3, pixels), 5, 4).Pixels);
    }

    [Fact]
    public void One_colour_stays_one_colour()
    {
        var white = Image.Create(31, 17, 1, Enumerable.Repeat((ushort)65535, 31 * 17).ToArray());
        Assert.All(ImageResize.Bilinear(white, 7, 40).Pixels, x => Assert.Equal(65535, x, 0.1));
    }

    [Fact]
    public void Sizes_that_cannot_be_are_refused()
    {
        var image = Image.Create(2, 2, 4, new byte[16]);
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageResize.Bilinear(image, 0, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageResize.Bilinear(image, 2, -1));
        var e = Assert.Throws<ArgumentOutOfRangeException>(() => ImageResize.Bilinear(image, 1 << 20, 1 << 20));
        Assert.Contains("4398046511104 samples", e.Message);
    }
}
