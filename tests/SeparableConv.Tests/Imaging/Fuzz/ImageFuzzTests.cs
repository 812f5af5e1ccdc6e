using System.Text;
using SeparableConv.Imaging;
using SeparableConv.Imaging.Bmp;
using SeparableConv.Tests.Imaging.Color;
using SeparableConv.Tests.Support.Fuzz;

namespace SeparableConv.Tests.Imaging.Fuzz;

/// <summary>
/// Damaged PNG and .npy files, colour profiles and kernels are refused in one line, or read: nothing crashes, hangs or takes memory out of
/// proportion to the file. How to try more of them, and one of them again, is in docs/fuzzing.md.
/// </summary>
public sealed class ImageFuzzTests
{
    // Deflate makes 1032 bytes of one, and rows are kept as they come and as samples of up to 8 bytes for 3 of a palette.
    private const long FreeBytes = 4 << 20;
    private const long BytesPerByte = 16 * 1032;

    [Fact]
    public void Damaged_PNG_files_are_refused_or_read()
    {
        var seeds = Pictures();
        new FuzzRun("png").Check(
            number => Damage(seeds, number, PngMutator.Mutate),
            file => Try(file, input => PngCodec.Decode(input).ToSrgb()));
        new FuzzRun("strict png").Check(
            number => Damage(seeds, number, PngMutator.Mutate),
            file => Try(file, input => PngCodec.Decode(input, new ImageReadOptions { Strict = true })));
    }

    [Fact]
    public void Damaged_headers_of_bitmaps_are_refused_or_read()
    {
        var seeds = new List<byte[]>();
        foreach (var (size, bits, form) in new (byte, byte, byte)[] { (12, 24, 0), (40, 8, 1), (40, 16, 3), (108, 32, 3), (124, 24, 0) })
        {
            var header = new byte[BmpHeader.Bytes + 8];
            (header[0], header[1], header[14], header[size == 12 ? 24 : 28], header[30]) = ((byte)'B', (byte)'M', size, bits, form);
            (header[54 + 2], header[58 + 1], header[62], header[66 + 3]) = (255, 255, 255, 255);
            seeds.Add(header);
        }

        new FuzzRun("bmp").Check(
            number => Damage([.. seeds], number, ByteMutator.Mutate),
            file => Try(file, input => BmpHeader.Read(input)));
    }

    [Fact]
    public void Damaged_colour_profiles_are_refused_or_convert()
    {
        byte[][] seeds =
        [
            ProfileBuilder.Rgb(ProfileBuilder.DisplayP3, ProfileBuilder.SrgbCurve()),
            ProfileBuilder.Rgb(ProfileBuilder.Srgb, ProfileBuilder.Table(0, 100, 40000, 65535)),
            ProfileBuilder.Rgb(ProfileBuilder.Srgb, ProfileBuilder.Parametric(4, 2, 1, 0, 0.5, 0.25, 0.125, 0.0625)),
            ProfileBuilder.Gray(ProfileBuilder.Gamma(2.2)),
            new ProfileBuilder().Primaries(ProfileBuilder.Srgb).Colors(ProfileBuilder.Srgb).Bytes(),
        ];
        new FuzzRun("icc").Check(
            number => Damage(seeds, number, ByteMutator.Mutate),
            file => Try(file, input =>
            {
                var profile = ColorProfile.Parse(input);
                Image image = TestImages.Noise<byte>(7, 3, profile.IsGray ? 2 : 4);
                image.Metadata = new ImageMetadata { Profile = profile };
                if (profile.HasCurves)
                    image.ToSrgb();
            }));
    }

    [Fact]
    public void Damaged_npy_files_are_refused_or_read()
    {
        var seeds = Arrays();
        new FuzzRun("npy").Check(
            number => Damage(seeds, number, ByteMutator.Mutate),
            file => Try(file, input =>
            {
                NpyFile.Read(new MemoryStream(input));
                ImageFile.Load(new MemoryStream(input));
            }));
    }

    [Fact]
    public void Damaged_kernels_are_refused_or_read()
    {
        string[] texts =
        [
            "3 6 9; 4 8 12; 5 10 15", "0,5;1;-2\r\n4;0,25;8\r\n", "0,5\t1\n4\t0,25", "\"0,5\",\"1\"\n1/16,2", "# c\n1 2\n3 4",
            "[[1,2],[3,4]]",
        ];
        var seeds = Array.ConvertAll(texts, Encoding.UTF8.GetBytes);
        new FuzzRun("kernel").Check(
            number => Damage(seeds, number, ByteMutator.Mutate),
            file => Try(file, input => KernelParser.ParseText(Encoding.UTF8.GetString(input), "k.csv")));
    }

    private static byte[] Damage(byte[][] seeds, int number, Func<byte[], byte[], Random, byte[]> mutate)
    {
        var random = new Random(unchecked((FuzzRun.Seed * 1_000_003) + number));
        var (file, other) = (seeds[random.Next(seeds.Length)], seeds[random.Next(seeds.Length)]);
        var damaged = mutate(file, other, random);
        return random.Next(8) == 0 ? ByteMutator.Mutate(damaged, other, random) : damaged;
    }

    private static FuzzOutcome Try(byte[] file, Action<byte[]> read)
    {
        var outcome = FuzzOutcome.Refused;
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            read(file);
            outcome = FuzzOutcome.Read;
        }
        catch (InvalidDataException e)
        {
            if (e.Message.Length is 0 or > 1000 || e.Message.AsSpan().IndexOfAny("\r\n\0\u0085\u2028\u2029") >= 0)
                throw new InvalidOperationException($"It was refused in more than a line: {e.Message}", e);
        }

        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        return allocated <= FreeBytes + (BytesPerByte * file.Length) ? outcome
            : throw new InvalidOperationException($"A file of {file.Length} bytes took {allocated} bytes.");
    }

    private static byte[][] Pictures()
    {
        var seeds = new List<byte[]>();
        foreach (var (color, depth, channels) in new (byte, byte, int)[]
        {
            (0, 1, 1), (0, 8, 1), (0, 16, 1), (2, 8, 3), (2, 16, 3), (4, 8, 2), (6, 8, 4), (6, 16, 4),
        })
        {
            foreach (byte interlace in new byte[] { 0, 1 })
            {
                // Enough for every row of every pass, whatever the filter bytes say: those of 0 to 4.
                var rows = Array.ConvertAll(
                    RandomData.Floats(9 * 13 * channels * depth / 8 + 200, depth), number => (byte)(Math.Abs(number) * 5));
                var plain = interlace == 0 ? 13 * (1 + (((9 * channels * depth) + 7) / 8)) : rows.Length;
                seeds.Add(
                    new PngBuilder().Header(9, 13, depth, color, interlace: interlace).Chunk("gAMA", 0, 0, 0, 1).Data(rows[..plain]).End());
            }
        }

        byte[] palette = [1, 2, 3, 40, 50, 60, 70, 80, 90, 200, 210, 220];
        seeds.Add(
            new PngBuilder().Header(4, 2, 2, 3).Chunk("PLTE", palette).Chunk("tRNS", 0, 128).Data(0, 0b00011011, 1, 0b11100100).End());
        byte[] exif = [.. "MM\0\x2a"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
        seeds.Add(new PngBuilder().Header(2, 1).Chunk("eXIf", exif).Data(0, 10, 20).End());
        byte[] profile = [65, 0, 0, .. PngBuilder.Deflate(ProfileBuilder.Rgb(ProfileBuilder.DisplayP3, ProfileBuilder.SrgbCurve()))];
        seeds.Add(
            new PngBuilder().Header(2, 1, 8, 2).Chunk("iCCP", profile).Chunk("pHYs", 0, 0, 46, 35, 0, 0, 46, 35, 1)
                .Data(0, 10, 20, 30, 40, 50, 60).End());
        if (Environment.GetEnvironmentVariable("SEPCONV_DATA") is { Length: > 0 } root)
        {
            var files = Directory.EnumerateFiles(Path.Combine(root, "pngsuite"), "*.png").Where(
                file => !Path.GetFileName(file).StartsWith('x'));
            seeds.AddRange(files.Order(StringComparer.Ordinal).Select(File.ReadAllBytes));
        }

        return [.. seeds];
    }

    private static byte[][] Arrays()
    {
        var arrays = new List<NpyArray>
        {
            NpyArray.Create(RandomData.Floats(24, 1), 4, 6),
            NpyArray.Create(RandomData.Floats(30, 2), 2, 5, 3),
            NpyArray.Create(new byte[12], 3, 4),
            NpyArray.Create(new ushort[8], 2, 4),
            NpyArray.Create(new double[3], 3),
            NpyArray.Create(new long[1]),
            NpyArray.Create<short>([1, -2, 3, -4, 5, -6], 3, 2),
            NpyArray.Create<int>([1, -2, 1 << 24, 4, 5, 6], 1, 2, 3),
            NpyArray.Create<Half>([(Half)1, (Half)2], 2, 1),
            NpyArray.Create<bool>([true, false, true, true], 2, 2),
        };
        return [.. arrays.Select(array =>
        {
            using var stream = new MemoryStream();
            NpyFile.Write(stream, array);
            return stream.ToArray();
        })];
    }
}
