using System.Security.Cryptography;
using SeparableConv.Imaging;

namespace SeparableConv.Tests.Imaging;

/// <summary>Willem van Schaik's PngSuite; the truth of the good files comes from libpng (Golden/pngsuite_hashes.py).</summary>
public sealed class PngSuiteTests
{
    public static TheoryData<string> GoodFiles() => [.. File.ReadLines(TestFiles.Golden("pngsuite.tsv"))];

    [Theory]
    [MemberData(nameof(GoodFiles))]
    public void Good_file_decodes_to_the_samples_of_libpng(string line)
    {
        var columns = line.Split('\t');
        var path = TestFiles.Shared("pngsuite", columns[0] + ".png");
        var image = PngCodec.Decode(File.ReadAllBytes(path));
        var bits = image.Type == ElementType.UInt16 ? 16 : 8;
        var hash = Convert.ToHexStringLower(SHA256.HashData(TestImages.Bytes(image)));
        var found = FormattableString.Invariant($"{columns[0]}\t{image.Width}\t{image.Height}\t{image.Channels}\t{bits}\t{hash}");
        Assert.Equal(line, found);
    }

    [Theory]
    [InlineData("xs1n0g01", "not a PNG")]
    [InlineData("xs2n0g01", "not a PNG")]
    [InlineData("xs4n0g01", "not a PNG")]
    [InlineData("xs7n0g01", "not a PNG")]
    [InlineData("xcrn0g04", "not a PNG")]
    [InlineData("xlfn0g04", "not a PNG")]
    [InlineData("xhdn0g08", "IHDR")]
    [InlineData("xc1n0g08", "colour type 1")]
    [InlineData("xc9n2c08", "colour type 9")]
    [InlineData("xd0n2c08", "bit depth 0")]
    [InlineData("xd3n2c08", "bit depth 3")]
    [InlineData("xd9n2c08", "bit depth 99")]
    [InlineData("xdtn0g01", "no IDAT")]
    [InlineData("xcsn0g01", "IDAT")]
    public void Corrupt_file_is_refused_and_says_why(string name, string reason)
    {
        var path = TestFiles.Shared("pngsuite", name + ".png");
        var refusal = Assert.Throws<InvalidDataException>(() => PngCodec.Decode(File.ReadAllBytes(path)));
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => ImageFile.Load(path));
    }
}
