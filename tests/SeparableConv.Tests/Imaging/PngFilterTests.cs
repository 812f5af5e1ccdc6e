using System.Text;
using SeparableConv.Imaging.Png;

namespace SeparableConv.Tests.Imaging;

public sealed class PngFilterTests
{
    public static TheoryData<int, int> FiltersAndDistances()
    {
        var data = new TheoryData<int, int>();
        foreach (var distance in (int[])[1, 2, 3, 4, 6, 8])
        {
            for (var filter = 0; filter < 5; filter++)
                data.Add(filter, distance);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(FiltersAndDistances))]
    public void Filters_match_the_specification_in_both_directions(int filter, int distance)
    {
        var random = new Random(filter * 8 + distance);
        foreach (var pixels in (int[])[1, 2, 3, 5, 15, 16, 17, 33, 64, 100, 5000])
        {
            // distance zeros in front, as the chooser wants them.
            var row = new byte[distance * (pixels + 1)];
            var above = new byte[row.Length];
            random.NextBytes(row.AsSpan(distance));
            random.NextBytes(above.AsSpan(distance));
            if (pixels == 33)
                Array.Fill(above, (byte)7, distance, above.Length - distance);

            var expected = PlainFilter(filter, row, above, distance);
            var filtered = new byte[row.Length - distance];
            PngFilterChooser.Apply((PngFilter)filter, row, above, distance, filtered);
            Assert.Equal(expected, filtered);

            PngUnfilter.Undo((PngFilter)filter, filtered, above.AsSpan(distance), distance);
            Assert.Equal(row[distance..], filtered);
        }
    }

    [Fact]
    public void Every_case_of_Paeth_matches_the_specification()
    {
        // All a, b and every seventh c: ties, signs and wrap-around included; 16 lanes at a time.
        var row = new byte[16 + 1];
        var above = new byte[16 + 1];
        var filtered = new byte[16];
        for (var a = 0; a < 256; a++)
        {
            for (var b = 0; b < 256; b++)
            {
                for (var c = 0; c < 256; c += 7)
                {
                    (row[c / 7 % 16], above[c / 7 % 16 + 1], above[c / 7 % 16]) = ((byte)a, (byte)b, (byte)c);
                    PngFilterChooser.Apply(PngFilter.Paeth, row, above, 1, filtered);
                    if (!filtered.AsSpan().SequenceEqual(PlainFilter(4, row, above, 1)))
                        Assert.Fail($"Paeth differs from the specification near a = {a}, b = {b}, c = {c}.");
                }
            }
        }
    }

    [Fact]
    public void Chosen_filter_has_the_least_sum_of_magnitudes()
    {
        foreach (var seed in Enumerable.Range(0, 50))
        {
            var distance = seed % 4 + 1;
            var pixels = seed < 48 ? 37 + seed : 60000;
            var image = TestImages.Smooth<byte>(pixels, 2, distance, seed);
            byte[] above = [.. new byte[distance], .. image.Row(0)];
            byte[] row = [.. new byte[distance], .. image.Row(1)];
            var costs = Enumerable.Range(0, 5)
                .Select(filter => PlainFilter(filter, row, above, distance).Sum(x => Math.Abs((long)(sbyte)x)))
                .ToArray();
            Assert.Equal(Array.IndexOf(costs, costs.Min()), (int)PngFilterChooser.Choose(row, above, distance));
        }
    }

    [Fact]
    public void Unknown_filter_is_refused()
        => Assert.Throws<InvalidDataException>(() => PngUnfilter.Undo((PngFilter)5, new byte[4], new byte[4], 1));

    [Theory]
    [InlineData("", "IEND", 0xAE426082)]
    [InlineData("", "123456789", 0xCBF43926)]
    [InlineData("1234", "56789", 0xCBF43926)]
    [InlineData("The quick brown fox ", "jumps over the lazy dog", 0x414FA339)]
    public void Checksum_matches_published_values(string first, string second, uint expected)
        => Assert.Equal(expected, Crc32.Compute(Encoding.ASCII.GetBytes(first), Encoding.ASCII.GetBytes(second)));

    // Section 9 of the PNG specification, literally.
    private static byte[] PlainFilter(int filter, byte[] row, byte[] above, int distance)
    {
        var result = new byte[row.Length - distance];
        for (var i = 0; i < result.Length; i++)
        {
            int x = row[i + distance], a = row[i], b = above[i + distance], c = above[i];
            var p = a + b - c;
            int pa = Math.Abs(p - a), pb = Math.Abs(p - b), pc = Math.Abs(p - c);
            var paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
            result[i] = (byte)(x - filter switch { 0 => 0, 1 => a, 2 => b, 3 => (a + b) / 2, _ => paeth });
        }

        return result;
    }
}
