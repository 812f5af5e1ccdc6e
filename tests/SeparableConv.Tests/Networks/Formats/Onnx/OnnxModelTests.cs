using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Whole models: real ones, and what happens to their layouts.</summary>
public class OnnxModelTests
{
    [Fact]
    public void The_face_detectors_with_and_without_batch_normalization_agree()
    {
        var full = Run(OnnxReader.Read(TestFiles.Shared("models", "ultraface_slim_320.onnx")));
        var simplified = Run(OnnxReader.Read(TestFiles.Shared("models", "ultraface_slim_320_simplified.onnx")));

        // The scores: the simplified model leaves the decoding of boxes to its user.
        AssertClose(full[..1], simplified[..1]);
    }

    [Theory]
    [InlineData("ultraface_slim_320.onnx")]
    [InlineData("ultraface_slim_320_simplified.onnx")]
    public void A_face_detector_that_is_written_and_read_again_gives_the_same(string name)
    {
        var network = OnnxReader.Read(TestFiles.Shared("models", name));
        AssertClose(Run(network), Run(OnnxBackend.RoundTrip(network)));
    }

    [Fact]
    public void The_detectors_input_is_moved_to_channels_last_once()
    {
        var network = OnnxReader.Read(TestFiles.Shared("models", "ultraface_slim_320.onnx"));
        Assert.Equal(["scores", "boxes"], network.Outputs.Select(output => output.Name));
        Assert.Equal([new TensorShape(1, 4420, 2), new TensorShape(1, 4420, 4)], network.Outputs.Select(output => output.Type.Shape));
        Assert.Single(network.Nodes, node => node.Operator is TransposeOperator);

        using var file = new MemoryStream();
        OnnxWriter.Write(network, file);
        var written = ModelProto.Parser.ParseFrom(file.ToArray());
        Assert.Equal([1L, 3, 240, 320], written.Graph.Input[0].Type.TensorType.Shape.Dim.Select(dimension => dimension.DimValue));

        // The eight heads want (N, H, W, C), as in the model that was read; the input is not moved.
        Assert.Equal(8, written.Graph.Node.Count(node => node.OpType == "Transpose"));
    }

    private static float[][] Run(Network network)
    {
        using var session = new InferenceSession(network, new() { Threads = 1 });
        var input = session.InputBytes(0);
        System.Runtime.InteropServices.MemoryMarshal.AsBytes(RandomData.Floats(input.Length / sizeof(float), 5).AsSpan()).CopyTo(input);
        session.Run();
        return
        [
            .. network.Outputs.Select(
                (_, i) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(session.OutputBytes(i)).ToArray()),
        ];
    }

    private static void AssertClose(float[][] expected, float[][] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var k = 0; k < expected.Length; k++)
        {
            Assert.Equal(expected[k].Length, actual[k].Length);
            for (var i = 0; i < expected[k].Length; i++)
                Assert.Equal(expected[k][i], actual[k][i], 1e-4 * Math.Max(1, Math.Abs(expected[k][i])));
        }
    }
}
