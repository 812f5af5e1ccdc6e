using SeparableConv.Imaging;
using SeparableConv.Networks.Pictures;

namespace SeparableConv.Tests.Networks.Pictures;

/// <summary>From a network's output to words.</summary>
public sealed class PictureClassifierTests
{
    [Fact]
    public void The_best_classes_come_first_and_equal_ones_by_index()
    {
        Assert.Equal([2, 0, 3, 4, 1], Best([0.5, double.NaN, 0.9, 0.5, double.NegativeInfinity], 9).Select(score => score.Index));
        Assert.Equal([2, 0], Best([0.5, 0, 0.9], 2).Select(score => score.Index));
    }

    [Fact]
    public void Quantized_scores_are_real_numbers()
    {
        var type = new TensorType(ElementType.Int8, new TensorShape(1, 3), new Quantization(0.25f, -2));
        var best = new ClassScore[3];
        Assert.Equal(3, new ClassRanking(type, new(["a", "b", "c"])).Best([0xFE, 2, 0], best));
        Assert.Equal([new(1, "b", 1), new(2, "c", 0.5), new(0, "a", 0)], best);
    }

    [Fact]
    public void Labels_of_another_number_are_refused()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["labels.txt"], "\ufeffbackground\r\ncat \r\ndog\r\n\r\n\n");
        var labels = ClassLabels.Load(folder["labels.txt"]);
        labels.Check(3);
        Assert.Equal(["background", "cat", "dog"], labels);
        Assert.Contains(
            "has 3 lines but the network has 4 classes; this network may have a class 0",
            Assert.Throws<ArgumentException>(() => labels.Check(4)).Message);
        Assert.Contains(
            "has 3 lines but the network has 2 classes; the first line may be",
            Assert.Throws<ArgumentException>(() => labels.Check(2)).Message);
        Assert.Contains(
            "has 3 lines but the network has 1001 classes; is it", Assert.Throws<ArgumentException>(() => labels.Check(1001)).Message);
    }

    [Fact]
    public void A_picture_and_a_network_in_the_best_classes_out()
    {
        // The scores are the means of the picture's channels.
        using var classifier = new PictureClassifier(Means(), new(["red", "green", "blue"]), Normalization.ZeroToOne);
        var picture = Image.Create<byte>(1, 2, 3, [0, 255, 51, 0, 255, 51]);
        var found = new List<(string, double)>();
        foreach (var (label, score) in classifier.Classify(picture, top: 2))
            found.Add((label, score));
        Assert.Equal([("green", 1), ("blue", 0.2f)], found);
        Assert.Equal(3, classifier.Classify(picture).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => classifier.Classify(picture, 0));

        var best = new ClassScore[2];
        classifier.Classify(picture, best);
        Assert.Equal(1, best[0].Index);

        using var nameless = new PictureClassifier(Means());
        Assert.Equal("class 1", nameless.Classify(picture, top: 1)[0].Name);
        Assert.Null(nameless.Classify(picture, top: 1)[0].Label);
    }

    [Fact]
    public void Networks_that_do_not_suit_are_refused()
    {
        Assert.Contains("3 classes", Assert.Throws<ArgumentException>(() => new PictureClassifier(Means(), new(["one"]))).Message);

        var net = new NetworkBuilder();
        var x = net.Input(new(4, 4, 3));
        Assert.Contains(
            "list of classes",
            Assert.Throws<ArgumentException>(() => new PictureClassifier(net.Build(net.Activation(x, Activation.ReLU)))).Message);

        net = new NetworkBuilder();
        x = net.Input(new(10));
        Assert.Contains(
            "no picture",
            Assert.Throws<ArgumentException>(() => new PictureClassifier(net.Build(net.Activation(x, Activation.ReLU)))).Message);
    }

    private static Network Means()
    {
        var net = new NetworkBuilder();
        return net.Build(net.GlobalAveragePooling2D(net.Input(new(4, 4, 3))));
    }

    private static ClassScore[] Best(double[] scores, int count)
    {
        var best = new ClassScore[count];
        var ranking = new ClassRanking(new TensorType(ElementType.Float64, new TensorShape(scores.Length)), null);
        return best[..ranking.Best(System.Runtime.InteropServices.MemoryMarshal.AsBytes(scores.AsSpan()), best)];
    }
}
