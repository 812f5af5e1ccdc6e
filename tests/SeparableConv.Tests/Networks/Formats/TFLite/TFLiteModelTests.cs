using SeparableConv.Imaging;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Real models give the scores that TensorFlow Lite's reference kernels give.</summary>
public class TFLiteModelTests
{
    // The five best classes with their scores in 1/256; a score of 0 is not listed.
    [Theory]
    [InlineData("burger224", new[] { 934, 948, 924 }, new[] { 247, 2, 1 })]
    [InlineData("cat224", new[] { 286, 282, 283, 238, 246 }, new[] { 124, 60, 29, 9, 8 })]
    [InlineData("bird224", new[] { 20, 17, 18, 19 }, new[] { 213, 22, 14, 3 })]
    [InlineData("sunflower224", new[] { 986, 310, 109 }, new[] { 244, 5, 4 })]
    public void MobileNet_of_uint8_exactly(string picture, int[] classes, int[] scores)
    {
        using var session = Session("mobilenet_v1_0.25_224_uint8.tflite");
        Picture(picture).CopyTo(session.InputBytes(0));
        session.Run();
        var output = session.OutputBytes(0).ToArray();
        var best = Enumerable.Range(0, output.Length).OrderByDescending(i => output[i]).ThenBy(i => i).Take(classes.Length).ToArray();
        Assert.Equal(scores, best.Select(i => (int)output[i]));
        Assert.Equal(classes, best);
        Assert.Equal(1f / 256, session.Outputs[0].Type.Quantization!.Scale);
    }

    [Theory]
    [InlineData("burger224", new[] { 934, 948, 932, 993, 935 }, new[] { .988386f, .002383f, .002089f, .001779f, .001578f })]
    [InlineData("cat224", new[] { 286, 282, 283, 238, 254 }, new[] { .504325f, .200817f, .116313f, .046867f, .036035f })]
    [InlineData("bird224", new[] { 20, 17, 18, 19, 14 }, new[] { .913723f, .050581f, .019015f, .005631f, .001544f })]
    [InlineData("sunflower224", new[] { 986, 310, 109, 394, 89 }, new[] { .960613f, .022485f, .006492f, .002037f, .000843f })]
    public void MobileNet_of_float(string picture, int[] classes, float[] scores)
    {
        using var session = Session("mobilenet_v1_0.25_224_float.tflite");
        var input = session.Input<float>(0);
        var pixels = Picture(picture);
        System.Numerics.Tensors.Tensor.Create(Array.ConvertAll(pixels, b => (b * 2 / 255f) - 1), [1, 224, 224, 3])
            .AsTensorSpan().CopyTo(input);
        session.Run();
        var output = new float[1001];
        session.Output<float>(0).FlattenTo(output);
        Assert.Equal(classes, Enumerable.Range(0, output.Length).OrderByDescending(i => output[i]).Take(5));
        for (var i = 0; i < scores.Length; i++)
            Assert.InRange(output[classes[i]], scores[i] - 1e-5f, scores[i] + 1e-5f);
    }

    [Theory]
    [InlineData("person", new[] { 15, 241 })]
    [InlineData("no_person", new[] { 185, 71 })]
    public void Person_detection_of_int8_exactly(string picture, int[] scores)
    {
        // The output's scale is 1/256, its zero point -128.
        using var session = Session("person_detect_int8.tflite");
        Picture(picture).CopyTo(session.InputBytes(0));
        session.Run();
        Assert.Equal(scores, session.OutputBytes(0).ToArray().Select(b => (sbyte)b + 128));
    }

    [Theory]
    [InlineData("kws_ref_model_int8.tflite", 12)]
    [InlineData("resnet8_float.tflite", 10)]
    [InlineData("resnet8_int8.tflite", 10)]
    [InlineData("vww_96_float.tflite", 2)]
    [InlineData("vww_96_int8.tflite", 2)]
    public void Others_give_scores_that_add_up_to_1(string name, int classes)
    {
        using var session = Session(name);
        new Random(1).NextBytes(session.InputBytes(0));
        if (session.Inputs[0].Type.Element == ElementType.Float32)
        {
            var values = RandomData.Floats((int)session.Inputs[0].Type.Shape.ElementCount, 1);
            System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values).CopyTo(session.InputBytes(0));
        }

        session.Run();
        var type = session.Outputs[0].Type;
        var bytes = session.OutputBytes(0).ToArray();
        var scores = type.Element switch
        {
            ElementType.Float32 => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).ToArray(),
            ElementType.Int8 => Array.ConvertAll(bytes, b => type.Quantization!.Scale * ((sbyte)b - type.Quantization.ZeroPoint)),
            _ => Array.ConvertAll(bytes, b => type.Quantization!.Scale * (b - type.Quantization.ZeroPoint)),
        };
        Assert.Equal(classes, scores.Length);

        // Each score is rounded to a step of 1/256.
        var rounding = type.Element == ElementType.Float32 ? 1e-5f : classes * type.Quantization!.Scale / 2;
        Assert.InRange(scores.Sum(), 1 - rounding, 1 + rounding);
    }

    [Fact]
    public void The_smallest_model_sees_a_cat()
    {
        var labels = ClassLabels.Load(TestFiles.Shared("models", "imagenet_labels_1001.txt"));
        var network = ModelFile.Load(TestFiles.Shared("models", "mobilenet_v1_0.25_128_uint8.tflite"));
        using var classifier = new PictureClassifier(network, labels);
        var best = classifier.Classify(Image.Create(224, 224, 3, Picture("cat224")));
        Assert.Contains(best, score => score.Name.Contains("cat", StringComparison.Ordinal));
    }

    [Fact]
    public void A_depthwise_model_with_scales_of_channels_runs()
    {
        using var session = new InferenceSession(TFLiteReader.Read(TestFiles.Shared("bad-models", "pc_conv.bin")));
        var input = RandomData.Floats(128 * 128, 3);
        System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(input).CopyTo(session.InputBytes(0));
        session.Run();
        Assert.Equal("float32 (1,64,64,128)", session.Outputs[0].Type.ToString());
    }

    private static InferenceSession Session(string model) => new(TFLiteReader.Read(TestFiles.Shared("models", model)));

    private static byte[] Picture(string name) => File.ReadAllBytes(TestFiles.Shared("inputs", name + ".rgb"));
}
