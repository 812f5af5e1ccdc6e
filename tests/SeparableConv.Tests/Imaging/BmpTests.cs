using System.Buffers.Binary;
using SeparableConv.Imaging;

namespace SeparableConv.Tests.Imaging;

/// <summary>Windows bitmaps of every kind, made here from pixels that are known: read rightly, or refused.</summary>
public sealed class BmpTests
{
    private const int Width = 7;
    private const int Height = 5;

    private static readonly uint[] Rgb = [0xFF0000, 0xFF00, 0xFF];
    private static readonly uint[] Argb = [0xFF0000, 0xFF00, 0xFF, 0xFF000000];

    public static TheoryData<int, int, bool> Palettes
    {
        get
        {
            var palettes = new TheoryData<int, int, bool>();
            foreach (var bits in new[] { 1, 4, 8 })
            {
                foreach (var header in new[] { 12, 40, 108, 124 })
                {
                    palettes.Add(bits, header, false);
                    if (header != 12)
                        palettes.Add(bits, header, true);
                }
            }

            return palettes;
        }
    }

    [Theory]
    [MemberData(nameof(Palettes))]
    public void Palettes_are_read(int bits, int header, bool topDown)
    {
        var colors = new Random(bits);
        var palette = new byte[3 << bits];
        colors.NextBytes(palette);
        var table = palette.Chunk(3).SelectMany(color => header == 12 ? color.Reverse() : [.. color.Reverse(), 0]).ToArray();
        var indices = Enumerable.Range(0, Width * Height).Select(_ => colors.Next(1 << bits)).ToArray();
        var file = File(bits, header, 0, [], table, y => Packed(indices.AsSpan(y * Width, Width), bits), topDown);
        Check(file, 3, indices.SelectMany(index => palette[(3 * index)..((3 * index) + 3)]));
    }

    [Theory]
    [InlineData(24, 12, 0, null, false, 3)]
    [InlineData(24, 40, 0, null, false, 3)]
    [InlineData(24, 40, 0, null, true, 3)]
    [InlineData(24, 64, 0, null, false, 3)]
    [InlineData(24, 124, 0, null, false, 3)]
    [InlineData(32, 40, 0, null, false, 3)]
    [InlineData(32, 108, 0, null, true, 3)]
    [InlineData(32, 40, 3, "Rgb", false, 3)]
    [InlineData(32, 56, 3, "Argb", false, 4)]
    [InlineData(32, 108, 3, "Argb", true, 4)]
    [InlineData(32, 124, 3, "Argb", false, 4)]
    public void Bytes_a_colour_are_read(int bits, int header, int form, string? masks, bool topDown, int channels)
    {
        // Where no alpha is meant, the fourth byte is anything.
        var pixels = TestImages.Noise<byte>(Width, Height, 4);
        var file = File(
            bits, header, form, masks is null ? [] : masks == "Rgb" ? Rgb : Argb, [],
            y => [.. pixels.Row(y).ToArray().Chunk(4).SelectMany<byte[], byte>(
                p => bits == 24 ? [p[2], p[1], p[0]] : [p[2], p[1], p[0], p[3]])],
            topDown);
        Check(file, channels, pixels.Pixels.Where((_, i) => i % 4 < channels));
    }

    [Theory]
    [InlineData(0, new uint[0], 5)]
    [InlineData(3, new uint[] { 0x7C00, 0x3E0, 0x1F }, 5)]
    [InlineData(3, new uint[] { 0xF800, 0x7E0, 0x1F }, 6)]
    public void Five_and_six_bits_a_colour_are_read(int form, uint[] masks, int green)
    {
        var random = new Random(7);
        var colors = Enumerable.Range(0, Width * Height).Select(_ => (random.Next(32), random.Next(1 << green), random.Next(32))).ToArray();
        var file = File(16, 40, form, masks, [], y =>
        {
            var row = new byte[2 * Width];
            for (var x = 0; x < Width; x++)
            {
                var (r, g, b) = colors[(y * Width) + x];
                BinaryPrimitives.WriteUInt16LittleEndian(row.AsSpan(2 * x), (ushort)((r << (green + 5)) | (g << 5) | b));
            }

            return row;
        });

        // Spread by repeating the upper bits, which is within a step of the exact ratio.
        Check(file, 3, colors.SelectMany(c => new[] { Spread(c.Item1, 5), Spread(c.Item2, green), Spread(c.Item3, 5) }), most: 1);

        static byte Spread(int value, int bits) => (byte)Math.Round(value * 255.0 / ((1 << bits) - 1));
    }

    [Fact]
    public void Run_lengths_are_read()
    {
        // Runs, a stretch of single indices, a jump over pixels that stay 0, the end.
        byte[] data = [7, 2, 0, 0, 0, 3, 4, 5, 6, 0, 4, 1, 0, 0, 0, 2, 2, 1, 2, 9, 0, 1];
        int[] indices = [.. new int[Width * Height]];
        Array.Fill(indices, 2, 28, 7);
        new[] { 4, 5, 6, 1, 1, 1, 1 }.CopyTo(indices, 21);
        (indices[9], indices[10]) = (9, 9);
        var palette = new byte[768];
        new Random(1).NextBytes(palette);
        var table = palette.Chunk(3).SelectMany(color => (byte[])[.. color.Reverse(), 0]).ToArray();
        Check(File(8, 40, 1, [], table, data), 3, indices.SelectMany(index => palette[(3 * index)..((3 * index) + 3)]));

        byte[] nibbles = [7, 0x12, 0, 0, 0, 7, 0x12, 0x34, 0x56, 0x70, 0, 1];
        Array.Clear(indices);
        new[] { 1, 2, 1, 2, 1, 2, 1 }.CopyTo(indices, 28);
        new[] { 1, 2, 3, 4, 5, 6, 7 }.CopyTo(indices, 21);
        Check(File(4, 40, 2, [], table[..64], nibbles), 3, indices.SelectMany(index => palette[(3 * index)..((3 * index) + 3)]));
    }

    [Theory]
    [InlineData(16, 40, 3, new uint[] { 0xF00, 0xF0, 0xF })]
    [InlineData(16, 108, 3, new uint[] { 0x7C00, 0x3E0, 0x1F, 0x8000 })]
    [InlineData(32, 40, 3, new uint[] { 0x3FF00000, 0xFFC00, 0x3FF })]
    [InlineData(32, 40, 3, new uint[] { 0xFF0000, 0xFF0000, 0xFF })]
    [InlineData(2, 40, 0, new uint[0])]
    [InlineData(64, 40, 0, new uint[0])]
    [InlineData(24, 40, 4, new uint[0])]
    [InlineData(24, 40, 5, new uint[0])]
    [InlineData(8, 64, 3, new uint[0])]
    [InlineData(24, 64, 4, new uint[0])]
    [InlineData(8, 40, 2, new uint[0])]
    public void Other_kinds_are_refused_with_a_remedy(int bits, int header, int form, uint[] masks)
    {
        TestFiles.NeedVips();
        var file = File(bits, header, form, masks, [], _ => new byte[((Width * bits) + 7) / 8]);
        var refusal = Assert.Throws<InvalidDataException>(() => ImageFile.Load(new MemoryStream(file)));
        Assert.Contains($"{bits} bits a pixel", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Save it as PNG", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cut_off_headers_are_refused()
    {
        TestFiles.NeedVips();
        var file = File(24, 40, 0, [], [], _ => new byte[3 * Width]);
        for (var length = 2; length < 54; length++)
            Assert.Throws<InvalidDataException>(() => ImageFile.Load(new MemoryStream(file[..length])));
    }

    private static void Check(byte[] file, int channels, IEnumerable<byte> expected, int most = 0)
    {
        TestFiles.NeedVips();
        using var folder = new TempFolder();
        System.IO.File.WriteAllBytes(folder["a.bmp"], file);
        var image = Assert.IsType<Image<byte>>(ImageFile.Load(folder["a.bmp"]));
        Assert.Equal($"{Width}x{Height}x{channels} UInt8", image.ToString());
        Assert.InRange(image.Pixels.Zip(expected, (a, b) => Math.Abs(a - b)).Max(), 0, most);
        TestImages.AssertSame(image, ImageFile.Load(new MemoryStream(file)));
    }

    private static byte[] Packed(ReadOnlySpan<int> indices, int bits)
    {
        var row = new byte[((indices.Length * bits) + 7) / 8];
        for (var x = 0; x < indices.Length; x++)
            row[x * bits / 8] |= (byte)(indices[x] << (8 - bits - (x * bits % 8)));
        return row;
    }

    private static byte[] File(
        int bits, int header, int form, uint[] masks, byte[] palette, Func<int, byte[]> row, bool topDown = false)
    {
        var rows = Enumerable.Range(0, Height).Select(y => row(topDown ? y : Height - 1 - y));
        return File(bits, header, form, masks, palette, [.. rows.SelectMany(r => r.Concat(new byte[-r.Length & 3]))], topDown);
    }

    private static byte[] File(int bits, int header, int form, uint[] masks, byte[] palette, byte[] data, bool topDown = false)
    {
        var fields = masks.Length > 0 && header == 40 ? 4 * masks.Length : 0;
        var start = 14 + header + fields + palette.Length;
        var file = new byte[start + data.Length];
        (file[0], file[1]) = ((byte)'B', (byte)'M');
        Write(2, file.Length);
        Write(10, start);
        Write(14, header);
        if (header == 12)
        {
            Write(18, Width | (Height << 16));
            Write(22, 1 | (bits << 16));
        }
        else
        {
            Write(18, Width);
            Write(22, topDown ? -Height : Height);
            Write(26, 1 | (bits << 16));
            Write(30, form);
            Write(34, data.Length);
            for (var i = 0; i < masks.Length; i++)
                Write(54 + (4 * i), unchecked((int)masks[i]));
        }

        palette.CopyTo(file, 14 + header + fields);
        data.CopyTo(file, start);
        return file;

        void Write(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at), value);
    }
}
