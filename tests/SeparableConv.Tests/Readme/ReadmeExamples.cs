using System.Numerics.Tensors;
using SeparableConv.Imaging;
using SeparableConv.Training;

namespace SeparableConv.Tests.Readme;

/// <summary>The README's code, compiled and run; <see cref="ReadmeTests"/> checks that the README has it word for word.</summary>
public sealed class ReadmeExamples
{
    [Fact]
    public void A_separable_layer()
    {
        var depthwise = Tensor.CreateFromShape<float>([3, 3, 32, 1]);   // (kH, kW, C, M)
        var pointwise = Tensor.CreateFromShape<float>([1, 1, 32, 64]);  // (1, 1, C*M, filters)

        var layer = new SeparableConv2D(depthwise, pointwise, options: new()
        {
            Stride = 2,
            Padding = Padding.Same,
            Activation = Activation.ReLU6,
        });

        var image = Tensor.CreateFromShape<float>([1, 112, 112, 32]);   // (N, H, W, C)
        Tensor<float> features = layer.Run(image);                      // (1, 56, 56, 64)

        Assert.Equal([1, 56, 56, 64], features.Lengths.ToArray());
    }

    [Fact]
    public void A_kernel_that_separates()
    {
        var kernel = KernelParser.Parse("3 6 9; 4 8 12; 5 10 15");
        KernelDecomposition parts = KernelSeparation.Decompose(kernel);

        SeparableTerm term = parts.Exact.Terms[0];    // parts.Rank is 1
        double[] column = term.Column.ToArray();      // 3 4 5
        double[] row = term.Row.ToArray();            // 1 2 3

        Assert.Equal(1, parts.Rank);
        Assert.Equal([3, 4, 5], column);
        Assert.Equal([1, 2, 3], row);
    }

    [Fact]
    public void A_picture_filtered_by_the_cheapest_exact_plan()
    {
        using var folder = new TempFolder();
        var (from, to) = (Path.Combine(ReadmeTests.Root, "samples", "picture.png"), folder["blurred.png"]);

        ImageFile.Load(from).Filter(KernelLibrary.Gauss(15, sigma: 2.6)).Save(to);

        Assert.Equal(["blurred.png"], folder.Names);
        var first = (Image<byte>)ImageFile.Load(to);

        Image picture = ImageFile.Load(from);
        var filter = ImageFilter.Create(KernelLibrary.Gauss(15, sigma: 2.6), picture.Shape, new() { Border = BorderMode.Replicate });
        Console.WriteLine(filter.Plan);   // separable (30 multiplications): gauss:15:2.6 (15x15) has rank 1; ...

        Image blurred = picture.Filter(filter);
        picture.FilterInto(filter, blurred);                             // into a picture that is there: allocates nothing
        picture.FilterInPlace(filter, new ImageRegion(100, 50, 64, 48)); // a part, with its real neighbours

        Assert.StartsWith("separable (30 multiplications): gauss:15:2.6 (15x15) has rank 1; ", filter.Plan.ToString());
        Assert.Equal(first.Row(60)[300..400], ((Image<byte>)blurred).Row(60)[300..400]);
        Assert.Equal(first.Row(60)[300..400], ((Image<byte>)picture).Row(60)[300..400]);
    }

    [Fact]
    public void A_picture_from_a_camera()
    {
        using var folder = new TempFolder();
        var (camera, edges) = (new byte[480 * 2048], folder["edges.png"]);

        var frame = Image.FromRows<byte>(640, 480, 3, camera, stride: 2048);
        frame.ToGray().Filter(KernelLibrary.Sobel(), new() { Offset = 128 }).Save(edges);

        Assert.Equal("640x480x1 UInt8", ImageFile.Load(edges).ToString());
    }

    [Fact]
    public void What_a_layer_costs()
    {
        var geometry = ConvGeometry.Create(
            batch: 1, input: 12, inChannels: 3, outChannels: 256, kernel: 5, stride: 1, dilation: 1, Padding.Valid);

        long standard = ConvCost.Standard(geometry).Multiplications;              // 1,228,800
        long separable = ConvCost.DepthwiseSeparable(geometry).Multiplications;   // 53,952

        Assert.Equal((1_228_800, 53_952), (standard, separable));
    }

    [Fact]
    public void A_network()
    {
        using var folder = new TempFolder();
        var file = folder["model.onnx"];

        var net = new NetworkBuilder();
        var pixels = net.Input(new(96, 96, 3));
        var x = net.Conv2D(pixels, 16, 3, strides: 2, padding: Padding.Same, activation: Activation.ReLU6);
        x = net.SeparableConv2D(x, 32, 3, padding: Padding.Same, activation: Activation.ReLU6);
        x = net.Dense(net.GlobalAveragePooling2D(x), 10, Activation.Softmax);
        OnnxWriter.Write(net.Build(x), file);

        Network network = ModelFile.Load(file);
        using var session = new InferenceSession(network);   // compiled once; then every Run allocates nothing
        session.Input<float>(0).Fill(0.5f);
        session.Run();
        ReadOnlyTensorSpan<float> scores = session.Output<float>(0);   // (1, 10)

        Assert.Equal([1, 10], scores.Lengths.ToArray());
        Assert.Equal(1, Tensor.Sum(scores), 1e-5);
    }

    [Fact]
    public void A_picture_and_a_network_in_the_best_classes_out()
    {
        using var folder = new TempFolder();
        var (file, labels, from) = (folder["model.onnx"], folder["labels.txt"], Path.Combine(ReadmeTests.Root, "samples", "picture.png"));
        var net = new NetworkBuilder();
        OnnxWriter.Write(net.Build(net.Dense(net.GlobalAveragePooling2D(net.Input(new(32, 32, 3))), 4, Activation.Softmax)), file);
        File.WriteAllLines(labels, ["cat", "dog", "bird", "fish"]);

        using var classifier = new PictureClassifier(ModelFile.Load(file), ClassLabels.Load(labels));
        foreach (var (label, score) in classifier.Classify(ImageFile.Load(from), top: 3))
            Console.WriteLine($"{label}: {score:0.000}");

        Assert.Equal(4, classifier.Classes);
    }

    [Fact]
    public void A_separation()
    {
        using var folder = new TempFolder();
        var (file, smaller) = (folder["model.onnx"], folder["smaller.onnx"]);
        var standard = SmallCnn.Create(new(24, 24, 3), filters: 16, classes: 12, Convolutions.Standard);
        OnnxWriter.Write(standard.WithMetadata(new Normalization([127.5], [64]).ToMetadata()), file);

        Network network = ModelFile.Load(file);
        var pictures = PictureDataSet.Shapes(600, size: 24);   // or PictureDataSet.LoadPictures("photos"): labels are not needed

        SeparationResult result = NetworkSeparation.Of(network).Calibrate(pictures).ToMacs(0.4).Run();
        foreach (SeparatedLayer layer in result.Layers)
            Console.WriteLine($"{layer.Name}: {layer.Before}, became {layer.After}; {layer.Error:P1} of its output is lost");
        OnnxWriter.Write(result.Network, smaller);

        Assert.True(ModelFile.Load(smaller).Macs <= 0.4 * network.Macs);
    }

    [Fact]
    public void A_training()
    {
        using var folder = new TempFolder();
        var file = folder["shapes.onnx"];

        var (training, validation) = PictureDataSet.Shapes(600, size: 24).Split(validationFraction: 0.1);
        var start = SmallCnn.Create(new(24, 24, 3), filters: 32, classes: training.Classes.Count);

        using var trainer = new Trainer(start, training, validation, new() { Epochs = 1, Optimizer = Optimizer.AdamW() });
        trainer.Run(onEpoch: epoch => Console.WriteLine($"{epoch.Loss:0.000}, {epoch.Validation!.Accuracy:P1} right"));
        OnnxWriter.Write(trainer.ToNetwork(), file);

        Assert.Equal(12, ModelFile.Load(file).Outputs[0].Shape[^1]);
        Assert.Equal($"{trainer.Normalization}", $"{Normalization.Of(ModelFile.Load(file))}");
    }
}
