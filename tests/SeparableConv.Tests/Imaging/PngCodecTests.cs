using System.Diagnostics;
using FsCheck;
using FsCheck.Fluent;
using SeparableConv.Imaging;

namespace SeparableConv.Tests.Imaging;

public sealed class PngCodecTests
{
    [Fact]
    public void Byte_image_round_trips()
        => Prop.ForAll(TestImages.Any<byte>(), image => TestImages.Same(image, PngCodec.Decode(Encode(image)))).QuickCheckThrowOnFailure();

    [Fact]
    public void UInt16_image_round_trips()
        => Prop.ForAll(
            TestImages.Any<ushort>(), image => TestImages.Same(image, PngCodec.Decode(Encode(image)))).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(9)]
    public void Large_image_round_trips_at_level(int level)
    {
        // More than one block of rows and more than one IDAT chunk.
        var image = TestImages.Noise<byte>(401, 499, 3);
        TestImages.AssertSame(image, PngCodec.Decode(Encode(image, new ImageWriteOptions { PngLevel = level })));
    }

    [Fact]
    public void Float_image_is_refused_with_a_remedy()
    {
        var refusal = Assert.Throws<ArgumentException>(() => Encode(TestImages.Noise<float>(2, 2, 1)));
        Assert.Contains("convert it first", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_may_be_split_anywhere()
    {
        var rows = new byte[] { 0, 1, 2, 0, 3, 4 };
        var builder = new PngBuilder().Header(2, 2).Chunk("IDAT");
        foreach (var part in PngBuilder.Deflate(rows))
            builder.Chunk("IDAT", part).Chunk("IDAT");

        var image = Assert.IsType<Image<byte>>(PngCodec.Decode(builder.End()));
        Assert.Equal([1, 2, 3, 4], image.Pixels);
    }

    [Fact]
    public void Truncation_at_every_byte_is_refused()
    {
        var file = Encode(TestImages.Smooth<byte>(9, 7, 3));
        for (var length = 0; length < file.Length; length++)
            Assert.Throws<InvalidDataException>(() => PngCodec.Decode(file[..length]));
    }

    [Fact]
    public void Truncation_of_the_data_at_every_byte_is_refused()
    {
        // As above, but with every checksum of a chunk right: only the inflater can notice.
        var rows = Enumerable.Range(0, 10 * 31).Select(i => (byte)(i % 31 == 0 ? 0 : i * i)).ToArray();
        var data = PngBuilder.Deflate(rows);
        for (var length = 0; length < data.Length; length++)
        {
            var file = new PngBuilder().Header(30, 10).Chunk("IDAT", data[..length]).End();
            Assert.Throws<InvalidDataException>(() => PngCodec.Decode(file));
        }

        Assert.Equal(30, PngCodec.Decode(new PngBuilder().Header(30, 10).Chunk("IDAT", data).End()).Width);
    }

    [Fact]
    public void Every_flipped_bit_is_refused()
    {
        var file = Encode(TestImages.Smooth<ushort>(5, 4, 2));
        for (var bit = 0; bit < 8 * file.Length; bit++)
        {
            var damaged = (byte[])file.Clone();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<InvalidDataException>(() => PngCodec.Decode(damaged));
        }
    }

    [Fact]
    public void Damage_behind_right_checksums_is_refused_or_decoded_but_never_crashes()
    {
        var random = new Random(20240607);
        byte[] colors = [0, 2, 3, 4, 6];
        byte[] depths = [1, 2, 4, 8, 16];
        var decoded = 0;
        for (var i = 0; i < 20000; i++)
        {
            var (width, height, depth, color, interlace) =
                (random.Next(1, 9), random.Next(1, 9), depths[random.Next(5)], colors[random.Next(5)], random.Next(2));

            // Half of them as long as the header says, so that some are whole.
            var channels = color switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
            var rows = new byte[random.Next(2) == 0 ? random.Next(1, 400) : height * (1 + (((width * channels * depth) + 7) / 8))];
            random.NextBytes(rows);
            if (random.Next(2) == 0)
                Array.ForEach(Enumerable.Range(0, rows.Length).ToArray(), at => rows[at] &= 3);

            var data = PngBuilder.Deflate(rows);
            if (random.Next(3) == 0)
                data[random.Next(data.Length)] ^= (byte)(1 << random.Next(8));

            var builder = new PngBuilder().Header((uint)width, (uint)height, depth, color, interlace: (byte)interlace);
            if (random.Next(2) == 0)
                builder.Chunk("PLTE", new byte[random.Next(0, 20)]);
            if (random.Next(3) == 0)
                builder.Chunk("tRNS", new byte[random.Next(0, 8)]);
            try
            {
                PngCodec.Decode(builder.Chunk("IDAT", data).End());
                decoded++;
            }
            catch (InvalidDataException)
            {
                // Most of these files are wrong; any other exception fails the test.
            }
        }

        Assert.InRange(decoded, 200, 19800);
    }

    [Fact]
    public void Bomb_is_refused_from_its_header()
    {
        // The header is all that is there: had anything behind it been wanted, the message would be another.
        var file = new PngBuilder().Header(97_000_000, 1_000_000_000, 8, 6).Bytes();
        var refusal = AssertCheap(() => ImageFile.Load(new MemoryStream(file)));
        Assert.Contains("97000000x1000000000 = 97000000000000000 pixels", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(16000u, 16000u, 16, 6, 0)]
    [InlineData(16000u, 16000u, 8, 2, 1)]
    [InlineData(268435456u, 1u, 16, 6, 0)]
    [InlineData(1u, 268435456u, 16, 2, 1)]
    public void Size_that_the_data_cannot_hold_is_refused_before_memory_is_taken(
        uint width, uint height, int depth, int color, int interlace)
    {
        var file = new PngBuilder().Header(width, height, (byte)depth, (byte)color, interlace: (byte)interlace).Data(new byte[1000]).End();
        AssertCheap(() => PngCodec.Decode(file));
    }

    [Fact]
    public void Data_that_are_no_zlib_stream_are_said_to_be_damaged()
    {
        var file = new PngBuilder().Header(4, 4).Chunk("IDAT", [.. "garbage"u8]).End();
        Assert.Contains(
            "no zlib stream", Assert.Throws<InvalidDataException>(() => PngCodec.Decode(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pixel_limit_is_an_option()
    {
        var file = Encode(TestImages.Noise<byte>(10, 11, 1));
        Assert.Equal(10, PngCodec.Decode(file, new ImageReadOptions { MaxPixels = 110 }).Width);
        Assert.Throws<InvalidDataException>(() => PngCodec.Decode(file, new ImageReadOptions { MaxPixels = 109 }));
    }

    [Theory]
    [InlineData("more rows", "hold more")]
    [InlineData("fewer rows", "end before")]
    [InlineData("bytes behind", "other bytes behind")]
    [InlineData("no checksum", "cut off")]
    [InlineData("wrong checksum", "no zlib stream, or their checksum is wrong")]
    [InlineData("preset dictionary", "")]
    public void Data_of_another_length_or_form_are_refused(string fault, string reason)
    {
        var data = PngBuilder.Deflate(new byte[fault == "more rows" ? 13 : fault == "fewer rows" ? 11 : 12]);
        if (fault == "bytes behind")
            data = [.. data, 0];
        if (fault == "no checksum")
            data = data[..^4];
        if (fault == "wrong checksum")
            data[^1] ^= 1;
        if (fault == "preset dictionary")
            (data[0], data[1]) = (0x78, 0x20 + 31 - (0x7820 % 31));

        var refusal = Assert.Throws<InvalidDataException>(() => PngCodec.Decode(new PngBuilder().Header(2, 4).Chunk("IDAT", data).End()));
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("IHDR IHDR IDAT")]
    [InlineData("IDAT")]
    [InlineData("gAMA IHDR IDAT")]
    [InlineData("IHDR PLTE PLTE IDAT")]
    [InlineData("IHDR IDAT PLTE")]
    [InlineData("IHDR tRNS tRNS IDAT")]
    [InlineData("IHDR IDAT tRNS")]
    [InlineData("IHDR tRNS PLTE IDAT")]
    [InlineData("IHDR IDAT tEXt IDAT")]
    [InlineData("IHDR CgBI IDAT")]
    [InlineData("IHDR")]
    public void Chunks_in_wrong_order_or_number_are_refused(string chunks)
    {
        var builder = new PngBuilder();
        foreach (var type in chunks.Split(' '))
        {
            _ = type switch
            {
                "IHDR" => builder.Header(1, 1, color: 2),
                "IDAT" => builder.Data(0, 1, 2, 3),
                "PLTE" => builder.Chunk(type, 1, 2, 3),
                "tRNS" => builder.Chunk(type, 0, 1, 0, 2, 0, 3),
                _ => builder.Chunk(type, 1, 2, 3, 4),
            };
        }

        Assert.Throws<InvalidDataException>(() => PngCodec.Decode(builder.End()));
    }

    [Fact]
    public void Chunks_in_right_order_are_taken_and_unknown_ancillary_ones_passed_over()
    {
        var file = new PngBuilder().Header(1, 1, color: 2).Chunk("gAMA", 0, 0, 0, 1).Chunk("PLTE", 1, 2, 3).Chunk("tRNS", 0, 1, 0, 2, 0, 3)
            .Chunk("abCd", 9).Data(0, 1, 2, 3).Chunk("tEXt", 65, 0, 65).End();
        var image = Assert.IsType<Image<byte>>(PngCodec.Decode(file));
        Assert.Equal([1, 2, 3, 0], image.Pixels);
    }

    [Fact]
    public void Palette_index_beyond_the_palette_is_refused()
    {
        byte[] File(byte index) => new PngBuilder().Header(1, 1, color: 3).Chunk("PLTE", 1, 2, 3, 4, 5, 6).Data(0, index).End();
        Assert.Equal([4, 5, 6], Assert.IsType<Image<byte>>(PngCodec.Decode(File(1))).Pixels);
        Assert.Throws<InvalidDataException>(() => PngCodec.Decode(File(2)));
    }

    [Fact]
    public void Exif_chunk_turns_the_picture_unless_declined()
    {
        // One directory entry: tag 0x0112, type short, one value: 6, turn a quarter clockwise.
        byte[] exif = [.. "MM\0\x2a"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
        var file = new PngBuilder().Header(2, 1).Chunk("eXIf", exif).Data(0, 10, 20).End();
        var upright = PngCodec.Decode(file);
        Assert.Equal((1, 2), (upright.Width, upright.Height));
        Assert.Equal(2, PngCodec.Decode(file, new ImageReadOptions { ApplyOrientation = false }).Width);
    }

    private static byte[] Encode(Image image, ImageWriteOptions? options = null)
    {
        using var file = new MemoryStream();
        PngCodec.Encode(image, file, options);
        return file.ToArray();
    }

    private static InvalidDataException AssertCheap(Action load)
    {
        var watch = Stopwatch.StartNew();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var refusal = Assert.Throws<InvalidDataException>(load);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        return refusal;
    }
}
