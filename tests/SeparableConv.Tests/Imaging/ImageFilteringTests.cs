using SeparableConv.Imaging;

namespace SeparableConv.Tests.Imaging;

/// <summary>Pictures that filter themselves.</summary>
public sealed class ImageFilteringTests
{
    private static readonly FilterKernel Gauss = KernelLibrary.Gauss(5, sigma: 1.2);

    [Fact]
    public void Filtering_is_one_statement()
    {
        using var folder = new TempFolder();
        var picture = TestImages.Smooth<byte>(40, 30, 3);
        picture.Save(folder["in.png"]);
        ImageFile.Load(folder["in.png"]).Filter(Gauss).Save(folder["out.png"]);
        TestImages.AssertSame(Expected(picture), ImageFile.Load(folder["out.png"]));
    }

    [Fact]
    public void Options_arrive_at_the_filter()
    {
        var picture = TestImages.Noise<ushort>(17, 9, 4);
        var options = new FilterOptions { Border = BorderMode.Wrap, Offset = 100, Scale = 0.5, FilterAlpha = true };
        TestImages.AssertSame(Expected(picture, options), picture.Filter(Gauss, options));
    }

    [Fact]
    public void A_region_is_cut_out_of_what_the_whole_picture_gives()
    {
        var picture = TestImages.Noise<float>(37, 23, 3);
        var whole = Expected(picture);
        ImageRegion[] regions = [new(0, 0, 37, 23), new(5, 7, 20, 11), new(36, 0, 1, 23), new(0, 22, 37, 1), new(4, 4, 1, 1)];
        foreach (var region in regions)
        {
            var part = (Image<float>)picture.Filter(Gauss, region: region);
            var inPlace = Image.Create(37, 23, 3, (float[])picture.Pixels.Clone());
            Assert.Same(inPlace, inPlace.FilterInPlace(Gauss, region: region));
            for (var y = 0; y < 23; y++)
            {
                var isInside = y >= region.Top && y < region.Top + region.Height;
                var (from, to) = isInside ? (region.Left * 3, (region.Left + region.Width) * 3) : (0, 0);
                if (isInside)
                    Assert.Equal(whole.Row(y)[from..to], part.Row(y - region.Top));
                Assert.Equal(picture.Row(y)[..from], inPlace.Row(y)[..from]);
                Assert.Equal(whole.Row(y)[from..to], inPlace.Row(y)[from..to]);
                Assert.Equal(picture.Row(y)[to..], inPlace.Row(y)[to..]);
            }
        }

        Assert.Contains(
            "not inside", Assert.Throws<ArgumentException>(() => picture.FilterInPlace(Gauss, region: new(1, 0, 37, 1))).Message);
    }

    [Fact]
    public void A_filter_is_used_again()
    {
        var picture = TestImages.Noise<byte>(64, 48, 3);
        var filter = ImageFilter.Create(Gauss, picture.Shape, new FilterOptions { Threads = 1 });
        var result = picture.Filter(filter);
        picture.FilterInto(filter, result);
        TestImages.AssertSame(Expected(picture), result);
    }

    [Fact]
    public void Results_may_be_floats()
    {
        var picture = TestImages.Noise<byte>(20, 10, 1);
        var floats = Image.Create(20, 10, 1, new float[200]);
        picture.FilterInto(ImageFilter.Create(KernelLibrary.Sobel(), picture.Shape), floats);
        Assert.Contains(floats.Pixels, sample => sample < 0);
        var words = Image.Create(20, 10, 1, new ushort[200]);
        Assert.Contains(
            "UInt8 or Float32",
            Assert.Throws<ArgumentException>(() => picture.FilterInto(ImageFilter.Create(Gauss, picture.Shape), words)).Message);
    }

    [Fact]
    public void Rows_with_padding_are_copied_without_it()
    {
        byte[] padded = [1, 2, 3, 4, 99, 99, 5, 6, 7, 8];
        Assert.Equal<byte>([1, 2, 3, 4, 5, 6, 7, 8], Image.FromRows<byte>(2, 2, 2, padded, stride: 6).Pixels);
        Assert.Contains(
            "stride of 4 or more", Assert.Throws<ArgumentException>(() => Image.FromRows<byte>(2, 2, 2, padded, stride: 3)).Message);
        Assert.Contains(
            "take 11 samples, but there are 10",
            Assert.Throws<ArgumentException>(() => Image.FromRows<byte>(2, 2, 2, padded, stride: 7)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Image.FromRows<byte>(-1, 2, 2, padded, stride: 6));
        Assert.Throws<ArgumentOutOfRangeException>(() => Image.FromRows<byte>(1, 0, 2, padded, stride: 6));
    }

    [Fact]
    public void Gray_is_weighted_and_keeps_alpha()
    {
        var colour = Image.Create<byte>(2, 1, 4, [255, 0, 0, 7, 10, 20, 30, 9]);
        var gray = Assert.IsType<Image<byte>>(colour.ToGray());
        Assert.Equal<byte>([76, 7, 18, 9], gray.Pixels);
        Assert.Same(gray, gray.ToGray());
        Assert.Equal([0.587f], ((Image<float>)Image.Create<float>(1, 1, 3, [0, 1, 0]).ToGray()).Pixels);
    }

    private static Image<T> Expected<T>(Image<T> picture, FilterOptions? options = null)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        var result = Image.Create(picture.Width, picture.Height, picture.Channels, new T[picture.Pixels.Length]);
        ImageFilter.Create(Gauss, picture.Shape, options).Run<T>(picture.AsTensor(), result.AsTensor());
        return result;
    }
}
