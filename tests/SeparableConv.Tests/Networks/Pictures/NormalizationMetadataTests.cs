namespace SeparableConv.Tests.Networks.Pictures;

public class NormalizationMetadataTests
{
    [Fact]
    public void Metadata_survive_a_file_and_rewriting()
    {
        var network = SmallCnn.Create(new(8, 8, 3), 4).WithMetadata(
            new Dictionary<string, string>(new Normalization([1.5, 2, 3], [4]).ToMetadata()) { ["note"] = "two\nlines" });
        using var stream = new MemoryStream();
        OnnxWriter.Write(network, stream);
        stream.Position = 0;
        var read = OnnxReader.Read(stream).WithBatch(3);
        Assert.Equal("two\nlines", read.Metadata["note"]);
        Assert.Equal([1.5, 2, 3], Normalization.Of(read)!.Mean.ToArray());
        Assert.Equal([4], Normalization.Of(read)!.Deviation.ToArray());
    }

    [Theory]
    [InlineData("1", null)]
    [InlineData("[0.485, 0.456]", "[0.229, 0.224]")]
    [InlineData("1,2", "3,4,5")]
    [InlineData("1", "0")]
    [InlineData("nan", "1")]
    [InlineData("", "1")]
    public void Notes_of_others_are_left_alone(string mean, string? deviation)
    {
        var metadata = new Dictionary<string, string> { ["mean"] = mean };
        if (deviation is not null)
            metadata["std"] = deviation;
        Assert.Null(Normalization.Of(SmallCnn.Create(new(8, 8, 3), 4).WithMetadata(metadata)));
    }
}
