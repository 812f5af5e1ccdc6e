using System.Numerics;
using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;
using SeparableConv.Imaging;

namespace SeparableConv.Tests.Imaging;

/// <summary>Made-up pictures for tests.</summary>
internal static class TestImages
{
    /// <summary>Random bits in every sample; the same for the same seed.</summary>
    public static Image<T> Noise<T>(int width, int height, int channels, int seed = 1)
        where T : unmanaged, INumber<T>
    {
        var pixels = new T[width * height * channels];
        if (typeof(T) == typeof(float))
        {
            var random = new Random(seed);
            for (var i = 0; i < pixels.Length; i++)
                pixels[i] = T.CreateTruncating(random.NextSingle() * 512f - 128f);
        }
        else
        {
            new Random(seed).NextBytes(MemoryMarshal.AsBytes(pixels.AsSpan()));
        }

        return Image.Create(width, height, channels, pixels);
    }

    /// <summary>Smooth ramps with a little noise, on which every PNG filter wins somewhere.</summary>
    public static Image<T> Smooth<T>(int width, int height, int channels, int seed = 1)
        where T : unmanaged, INumber<T>
    {
        var random = new Random(seed);
        var pixels = new T[width * height * channels];
        for (var i = 0; i < pixels.Length; i++)
        {
            var (x, y) = (i / channels % width, i / channels / width);
            pixels[i] = T.CreateTruncating(3 * x + 5 * y + x * y / 7 + i % channels * 11 + random.Next(3));
        }

        return Image.Create(width, height, channels, pixels);
    }

    /// <summary>Random pictures, smooth and noisy, of 1 to 70 columns, 1 to 20 rows and 1 to 4 channels.</summary>
    public static Arbitrary<Image<T>> Any<T>()
        where T : unmanaged, INumber<T>
    {
        var images =
            from width in Gen.Choose(1, 70)
            from height in Gen.Choose(1, 20)
            from channels in Gen.Choose(1, 4)
            from seed in Gen.Choose(0, int.MaxValue - 1)
            select seed % 2 == 0 ? Noise<T>(width, height, channels, seed) : Smooth<T>(width, height, channels, seed);
        return images.ToArbitrary();
    }

    public static void AssertSame(Image expected, Image actual)
    {
        Assert.Equal(expected.ToString(), actual.ToString());
        Assert.True(Bytes(expected).SequenceEqual(Bytes(actual)), $"The samples of {expected} differ.");
    }

    public static bool Same(Image expected, Image actual)
        => expected.ToString() == actual.ToString() && Bytes(expected).SequenceEqual(Bytes(actual));

    public static ReadOnlySpan<byte> Bytes(Image image) => image switch
    {
        Image<byte> bytes => bytes.Pixels,
        Image<ushort> shorts => MemoryMarshal.AsBytes<ushort>(shorts.Pixels),
        _ => MemoryMarshal.AsBytes<float>(((Image<float>)image).Pixels),
    };
}
