using System.Diagnostics;
using FsCheck;
using FsCheck.Fluent;
using SeparableConv.Imaging;
using SeparableConv.Tests.Cli;

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
        // As above, but with every checksum of a chunk right: only the inflater can notice. Behind the pixels are the end of the last block
        // and a checksum, which strict readers miss.
        var rows = Enumerable.Range(0, 10 * 31).Select(i => (byte)(i % 31 == 0 ? 0 : i * i)).ToArray();
        var data = PngBuilder.Deflate(rows);
        for (var length = 0; length < data.Length; length++)
        {
            var file = new PngBuilder().Header(30, 10).Chunk("IDAT", data[..length]).End();
            Assert.Throws<InvalidDataException>(() => PngCodec.Decode(file, Strict));
            if (length < data.Length - 6)
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
    [InlineData("more rows", "hold more", true)]
    [InlineData("fewer rows", "end before", false)]
    [InlineData("bytes behind", "other bytes behind", true)]
    [InlineData("no checksum", "cut off", true)]
    [InlineData("wrong checksum", "no zlib stream, or their checksum is wrong", true)]
    [InlineData("preset dictionary", "", false)]
    public void Data_of_another_length_or_form_are_refused_where_pixels_are_missing_and_by_strict_readers(
        string fault, string reason, bool isWhole)
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

        var file = new PngBuilder().Header(2, 4).Chunk("IDAT", data).End();
        var refusal = Assert.Throws<InvalidDataException>(() => PngCodec.Decode(file, Strict));
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
        if (isWhole)
            Assert.Equal(new byte[8], Assert.IsType<Image<byte>>(PngCodec.Decode(file)).Pixels);
        else
            Assert.Throws<InvalidDataException>(() => PngCodec.Decode(file));
    }

    [Theory]
    [InlineData("IHDR IHDR IDAT", false)]
    [InlineData("IDAT", false)]
    [InlineData("gAMA IHDR IDAT", false)]
    [InlineData("IHDR PLTE PLTE IDAT", true)]
    [InlineData("IHDR IDAT PLTE", true)]
    [InlineData("IHDR tRNS tRNS IDAT", true)]
    [InlineData("IHDR IDAT tRNS", true)]
    [InlineData("IHDR tRNS PLTE IDAT", true)]
    [InlineData("IHDR IDAT tEXt IDAT", false)]
    [InlineData("IHDR CgBI IDAT", false)]
    [InlineData("IHDR", false)]
    public void Chunks_in_wrong_order_or_number_are_refused_where_they_matter_and_by_strict_readers(string chunks, bool isHarmless)
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

        var file = builder.End();
        Assert.Throws<InvalidDataException>(() => PngCodec.Decode(file, Strict));
        if (isHarmless)
            Assert.Equal<byte>([1, 2, 3], Assert.IsType<Image<byte>>(PngCodec.Decode(file)).Pixels.AsSpan(0, 3));
        else
            Assert.Throws<InvalidDataException>(() => PngCodec.Decode(file));
    }

    [Fact]
    public void Flaws_beside_the_pixels_are_for_strict_readers()
    {
        static byte[] WrongChecksum(byte[] file, string type)
        {
            var at = file.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(type));
            file[at + 4] ^= 1;
            return file;
        }

        foreach (var (flaw, file) in new (string, byte[])[]
            {
                ("text", WrongChecksum(new PngBuilder().Header(2, 1).Chunk("tEXt", 65, 0, 65).Data(0, 10, 20).End(), "tEXt")),
                ("unknown", WrongChecksum(new PngBuilder().Header(2, 1).Data(0, 10, 20).Chunk("abCd", 1, 2).End(), "abCd")),
                ("transparency", WrongChecksum(new PngBuilder().Header(2, 1).Chunk("tRNS", 0, 10).Data(0, 10, 20).End(), "tRNS")),
                ("too long a transparency", new PngBuilder().Header(2, 1).Chunk("tRNS", 0, 10, 0).Data(0, 10, 20).End()),
                ("a palette of gray", new PngBuilder().Header(2, 1).Chunk("PLTE", 1, 2, 3).Data(0, 10, 20).End()),
                ("an end with data", new PngBuilder().Header(2, 1).Data(0, 10, 20).Chunk("IEND", 1, 2).Bytes()),
            })
        {
            Assert.True(new byte[] { 10, 20 }.SequenceEqual(Assert.IsType<Image<byte>>(PngCodec.Decode(file)).Pixels), flaw);
            Assert.Throws<InvalidDataException>(() => PngCodec.Decode(file, Strict));
        }

        // What lies behind the last chunk belongs to no picture.
        byte[] longer = [.. new PngBuilder().Header(2, 1).Data(0, 10, 20).End(), 1, 2, 3];
        Assert.Equal(2, PngCodec.Decode(longer, Strict).Width);
        var critical = WrongChecksum(new PngBuilder().Header(2, 1, color: 3).Chunk("PLTE", 1, 2, 3).Data(0, 0, 0).End(), "PLTE");
        Assert.Throws<InvalidDataException>(() => PngCodec.Decode(critical));
    }

    [Theory]
    [InlineData("extra-bytes.png")]
    [InlineData("extra-rows.png")]
    [InlineData("bad-crc-text.png")]
    public void Shared_pictures_with_harmless_flaws_are_read(string name)
    {
        using var folder = new TempFolder();
        var path = TestFiles.Shared("cases", "png-lenient", name);
        Assert.Equal(0, CommandRun.Of("filter", path, "-o", folder["out.npy"], "-k", "identity").Code);
        var expected = ImageFile.Load(TestFiles.Shared("cases", "png-lenient", "expected.npy"));
        TestImages.AssertSame(expected, ImageFile.Load(path));
        TestImages.AssertSame(expected, ImageFile.Load(folder["out.npy"]));
        Assert.Equal(1, CommandRun.Of("filter", path, "-o", folder["out.npy"], "-k", "identity", "--strict").Code);
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
    public void Palette_index_beyond_the_palette_is_black_or_refused_by_strict_readers()
    {
        byte[] File(byte index) => new PngBuilder().Header(1, 1, color: 3).Chunk("PLTE", 1, 2, 3, 4, 5, 6).Data(0, index).End();
        Assert.Equal([4, 5, 6], Assert.IsType<Image<byte>>(PngCodec.Decode(File(1), Strict)).Pixels);
        Assert.Equal([0, 0, 0], Assert.IsType<Image<byte>>(PngCodec.Decode(File(2))).Pixels);
        Assert.Throws<InvalidDataException>(() => PngCodec.Decode(File(2), Strict));
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

    private static ImageReadOptions Strict => new() { Strict = true };

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
