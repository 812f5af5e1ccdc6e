using SeparableConv.Imaging;

namespace SeparableConv.Tests.Imaging;

public sealed class OrientationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Orientation_puts_every_pixel_where_EXIF_says(int orientation)
    {
        foreach (var (width, height) in ((int, int)[])[(1, 1), (3, 2), (1, 5), (70, 33), (32, 64)])
        {
            var stored = TestImages.Noise<ushort>(width, height, 3);
            var shown = Assert.IsType<Image<ushort>>(Orientation.Apply(stored, orientation));
            Assert.Equal(orientation < 5 ? (width, height) : (height, width), (shown.Width, shown.Height));
            for (var y = 0; y < height; y++)
            {
                for (var x = 0; x < width; x++)
                {
                    var (showX, showY) = Shown(orientation, x, y, width - 1, height - 1);
                    Assert.Equal(stored.Row(y).Slice(3 * x, 3), shown.Row(showY).Slice(3 * showX, 3));
                }
            }
        }
    }

    [Fact]
    public void Damaged_or_missing_EXIF_leaves_the_picture_as_it_is()
    {
        byte[] good = [.. "II\x2a\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0];
        Assert.Equal(3, Orientation.FromExif(good));
        for (var length = 0; length < 20; length++)
            Assert.Equal(Orientation.Upright, Orientation.FromExif(good.AsSpan(0, length)));

        good[18] = 9;
        Assert.Equal(Orientation.Upright, Orientation.FromExif(good));
        good[4] = 0xFF;
        good[7] = 0xFF;
        Assert.Equal(Orientation.Upright, Orientation.FromExif(good));
    }

    // Where the EXIF standard's words put the stored row 0 and column 0: "6: the 0th row is the visual right-hand side, the 0th column the
    // visual top".
    private static (int X, int Y) Shown(int orientation, int x, int y, int right, int bottom) => orientation switch
    {
        1 => (x, y),
        2 => (right - x, y),
        3 => (right - x, bottom - y),
        4 => (x, bottom - y),
        5 => (y, x),
        6 => (bottom - y, x),
        7 => (bottom - y, right - x),
        _ => (y, right - x),
    };
}
